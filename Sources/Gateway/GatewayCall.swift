// One call through the gateway, from the moment its hold stands, as a value without sockets.
//
//   held ──► sent ──► answering ──► ended
//    ▲        │  ╲________________▲
//    └────────┘ (a connection that could not be made)
//
// The shell around it (`Exchange`) tells it what happens and does what it says. Times are
// nanoseconds of a monotonic clock.

package struct GatewayCall: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// The hold stands and nothing has been sent. Next: `sent`, or `ended`.
        case held
        /// The request may have reached the provider, which has not answered. Next: `answering`;
        /// `held`, where no connection could be made and there are attempts left; `ended`.
        case sent
        /// The head of an answer has come. Next: `ended`.
        case answering(status: Int)
        /// Nothing more is read. What the call is settled by follows from how it ended.
        case ended(Ending)
    }

    /// Why the provider is not listened to any longer.
    package enum Stop: String, Sendable, Equatable, CaseIterable {
        /// Nothing came for `idle_timeout_seconds`.
        case idle
        /// The call has lasted for `total_timeout_seconds`.
        case total
        /// The client has gone, and the limits for reading on are reached.
        case drained
        /// The answer is longer than is passed on.
        case tooLong = "too_long"
        /// The server stops.
        case shutdown
    }

    package enum Ending: Sendable, Equatable {
        /// No connection could be made: the provider knows nothing of the call.
        case unreachable
        /// Sent, as far as anybody knows, and no answer began.
        case unanswered(Stop?)
        /// The answer's status says that the call was not carried out.
        case declined(status: Int)
        /// The body of an answer ended, or was not waited for any longer.
        case answered(Stop?)
    }

    /// What the shell does when time has passed.
    package enum Due: Sendable, Equatable {
        case nothing
        case renewHold
        case stop(Stop)
    }

    package struct Limits: Sendable, Equatable {
        package var idle: Int64
        package var total: Int64
        package var drain: Int64
        package var drainBytes: Int
        package var answerBytes: Int
        package var hold: Int64
        package var retries: Int

        package init(_ limits: UpstreamLimits, isStream: Bool) {
            let second: Int64 = 1_000_000_000
            idle = Int64(limits.idleSeconds) * second
            total = Int64(limits.totalSeconds) * second
            // The usage of a whole answer comes with its end, and until then nothing is known.
            drain = Int64(isStream ? limits.drainSeconds : limits.totalSeconds) * second
            drainBytes = isStream ? limits.drainBytes : limits.answerBytesMax
            answerBytes = isStream ? limits.streamBytesMax : limits.answerBytesMax
            hold = Int64(limits.holdSeconds) * second
            retries = limits.retries
        }
    }

    package private(set) var state = State.held
    package private(set) var stop: Stop?
    package let limits: Limits
    private let began: Int64
    private var attempts = 0
    /// Since when the provider is waited for; nil: it is the client's turn, or ours.
    private var waitsSince: Int64?
    /// The wait that was found too long at the last look.
    private var suspected: Int64?
    private var clientLeftAt: Int64?
    private var bytes = 0
    private var bytesWhenClientLeft = 0
    private var renewedAt: Int64

    package init(_ limits: Limits, now: Int64) {
        self.limits = limits
        began = now
        renewedAt = now
    }

    package var hasClientLeft: Bool { clientLeftAt != nil }

    /// How it ended; before its end, how it would have ended now.
    package var ending: Ending {
        switch state {
        case .held: .unreachable
        case .sent: .unanswered(stop)
        case .answering(let status):
            (200..<300).contains(status) ? .answered(stop) : .declined(status: status)
        case .ended(let ending): ending
        }
    }

    /// The request is about to be sent. Not to be called after the end.
    package mutating func sends(now: Int64) {
        precondition(state == .held, "a call is sent from `held` only")
        state = .sent
        attempts += 1
        waitsSince = now
    }

    /// No connection could be made: surely nothing was sent. True: try again.
    package mutating func failedToConnect() -> Bool {
        precondition(state == .sent, "only what is being sent can fail to connect")
        waitsSince = nil
        if stop == nil, clientLeftAt == nil, attempts <= limits.retries {
            state = .held
            return true
        }
        state = .ended(.unreachable)
        return false
    }

    /// The head of the answer has come.
    package mutating func answered(status: Int) {
        precondition(state == .sent, "an answer follows a request")
        waitsSince = nil
        state = .answering(status: status)
    }

    /// The connection broke, or was given up, before the head of an answer.
    package mutating func failedToAnswer() {
        waitsSince = nil
        state = .ended(.unanswered(stop))
    }

    /// The next piece of the answer is waited for.
    package mutating func waits(now: Int64) { waitsSince = now }

    /// A piece of the answer has come. False: no more is to be read.
    package mutating func received(_ count: Int) -> Bool {
        waitsSince = nil
        bytes += count
        if bytes > limits.answerBytes { stop = stop ?? .tooLong }
        if clientLeftAt != nil, bytes - bytesWhenClientLeft > limits.drainBytes {
            stop = stop ?? .drained
        }
        return stop == nil
    }

    /// Nothing more comes of the answer: its end, its break, or ours.
    package mutating func answerEnded() {
        waitsSince = nil
        state = .ended(ending)
    }

    /// Nobody takes the answer any longer. The provider is listened to for a while nevertheless:
    /// it bills what it generates, and its usage comes last.
    package mutating func clientLeft(now: Int64) {
        guard clientLeftAt == nil else { return }
        clientLeftAt = now
        bytesWhenClientLeft = bytes
    }

    package mutating func stops(_ reason: Stop) { stop = stop ?? reason }

    /// Found twice: on a machine that has too much to do, what has come may not have been read yet.
    private mutating func isIdle(now: Int64) -> Bool {
        guard let waitsSince, now - waitsSince >= limits.idle else { return false }
        defer { suspected = waitsSince }
        return suspected == waitsSince
    }

    /// What is due. A hold is renewed when half of it is over.
    package mutating func due(now: Int64) -> Due {
        if case .ended = state { return .nothing }
        if stop == nil {
            if now - began >= limits.total {
                stop = .total
            } else if isIdle(now: now) {
                stop = .idle
            } else if let clientLeftAt, now - clientLeftAt >= limits.drain {
                stop = .drained
            }
            if let stop { return .stop(stop) }
        }
        if now - renewedAt >= limits.hold / 2 {
            renewedAt = now
            return .renewHold
        }
        return .nothing
    }
}
