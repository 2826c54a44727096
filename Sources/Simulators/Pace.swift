// When a model has written what: the first token after a while, then so many a second. Times are
// counted from the start, so that slow writes do not make a stream slower than it says.

struct Pace: Sendable {
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let firstToken: Duration
    private let tokensPerSecond: Int

    init(_ configuration: ProviderSimulator.Configuration, _ orders: Instructions) {
        start = clock.now
        firstToken = .milliseconds(
            orders.firstTokenMilliseconds ?? configuration.firstTokenMilliseconds)
        tokensPerSecond = orders.tokensPerSecond ?? configuration.tokensPerSecond
    }

    /// Waits until so many tokens are written.
    func wait(tokens: Int, _ watch: DisconnectWatch?) async throws {
        var due = firstToken
        if tokensPerSecond > 0 {
            due += .microseconds(Int64(tokens) * 1_000_000 / Int64(tokensPerSecond))
        }
        guard due > .zero else { return }
        try await Self.sleep(until: start + due, watch)
    }

    /// In steps, so that a caller who goes ends it.
    static func sleep(until end: ContinuousClock.Instant, _ watch: DisconnectWatch?) async throws {
        let clock = ContinuousClock()
        while clock.now < end {
            if watch?.isGone == true { throw ClientGone() }
            try await clock.sleep(until: min(end, clock.now + .milliseconds(25)))
        }
    }
}

struct ClientGone: Error {}
