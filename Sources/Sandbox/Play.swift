// Sends a trace's requests at their times, in compressed time, with as many under way as there
// were.
//
// The dispatcher goes through the trace once and holds one row at a time; a call lives in a task of
// its own until its hold is resolved, and the window bounds how many there are. So a trace of any
// length is played in the same memory.

/// How the play went as a whole.
struct Pace: Sendable {
    var elapsed = Duration.zero
    var mostInFlight = 0
    /// Calls that had to wait for room among those in flight.
    var waits = 0
    /// Most that a request was sent after its time.
    var lag = Duration.zero
}

/// Sends the trace's requests at their times.
struct Play {
    let options: SandboxOptions
    let survey: TraceSurvey
    let stage: Stage
    let player: CallPlayer

    private let clock = ContinuousClock()
    private var pace = Pace()

    init(options: SandboxOptions, survey: TraceSurvey, stage: Stage, player: CallPlayer) {
        self.options = options
        self.survey = survey
        self.stage = stage
        self.player = player
    }

    mutating func run() async throws -> Pace {
        let window = InFlightWindow(limit: options.concurrency)
        let start = clock.now
        var bar = ProgressBar(
            total: survey.requests, width: options.width, start: start, write: options.progress)
        defer { bar.finish() }
        try await withThrowingDiscardingTaskGroup { group in
            try await dispatch(start: start, window, &group, &bar)
            while window.figures.now > 0 {
                let inFlight = window.figures.now
                bar.update(done: survey.requests - inFlight, inFlight: inFlight, now: clock.now)
                try await clock.sleep(for: .milliseconds(20))
            }
        }
        pace.elapsed = clock.now - start
        pace.mostInFlight = window.figures.most
        pace.waits = window.figures.waits
        return pace
    }

    private mutating func dispatch(
        start: ContinuousClock.Instant, _ window: InFlightWindow,
        _ group: inout ThrowingDiscardingTaskGroup<any Error>, _ bar: inout ProgressBar
    ) async throws {
        let rule = TrafficRule(seed: options.seed, customers: stage.cast.customers.count)
        var cues = stage.cast.cues[...]
        var reader = try opened()
        var sent = 0
        while sent < survey.requests, let row = try next(&reader) {
            let position = Int64(sent) * 1_000 / Int64(survey.requests)
            while let cue = cues.first, cue.thousandths <= position {
                try await stage.perform(cue.action)
                cues.removeFirst()
            }
            let due =
                start
                + .microseconds((row.arrival - survey.firstArrival) / options.speed)
            try await clock.sleep(until: due)
            await window.enter()
            pace.lag = max(pace.lag, clock.now - due)
            let call = rule.plan(row)
            let customer = stage.cast.customers[call.customer].id
            let run = customer == Cast.agent ? Cast.run(atThousandths: position) : nil
            group.addTask { [player] in
                defer { window.leave() }
                await player.play(call, customer: customer, run: run)
            }
            sent += 1
            let inFlight = window.figures.now
            bar.update(done: sent - inFlight, inFlight: inFlight, now: clock.now)
            if player.recorder.isHopeless { throw hopeless() }
        }
    }

    private func opened() throws(SandboxError) -> TraceReader {
        do throws(TraceError) { return try TraceReader(options.trace) } catch {
            throw .trace(error)
        }
    }

    private func next(_ reader: inout TraceReader) throws(SandboxError) -> TraceRow? {
        do throws(TraceError) { return try reader.next() } catch { throw .trace(error) }
    }

    private func hopeless() -> SandboxError {
        let failures = player.recorder.current.failures
        let reason = failures.max { $0.value < $1.value }?.key ?? ""
        return .unreachable("gave up after many calls without an answer; most often: \(reason)")
    }
}
