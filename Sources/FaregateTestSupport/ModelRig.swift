// Drives an engine and the naive ledger side by side and stops at the first difference.
//
// Everything follows from the seed: the commands, how the clock jumps, when the engine is restarted
// and when an append fails. (Which events share an append is up to the threads; nothing that is
// compared depends on it.)

package import Billing
import Engine
import EventLog
import TimeZones

package struct RigOptions: Sendable {
    /// In percent of the steps.
    package var restarts: Int64 = 0
    package var faults: Int64 = 0
    package var snapshotEvents: UInt64 = .max
    /// The engine's invariants are checked every so many steps; balances at every step.
    package var invariantsEvery = 5

    package init() {}
}

/// What went wrong, with all that is needed to see it again.
package struct RigFailure: Error, CustomStringConvertible {
    package var description: String
}

package final class ModelRig {
    private let seed: UInt64
    private let options: RigOptions
    private var commands: RandomCommands
    private var random: SeededGenerator
    package let store: ReopenableStore
    private let clock = ManualClock(LedgerFixture.start)
    private let calendar = BudgetCalendar(TimeZoneDatabase())
    private var engine: Engine
    private var model: NaiveLedger
    private var step = 0
    private var doing = ""
    /// Requests that have an answer for ever, with it.
    private var answered: [(request: EngineRequest, event: RecordedEvent)] = []
    package private(set) var restartCount = 0
    package private(set) var faultCount = 0
    /// How often each answer was given.
    package private(set) var answers: [String: Int] = [:]

    /// - Parameter store: a new log; nil: one in memory.
    package init(
        seed: UInt64, _ options: RigOptions = RigOptions(), on store: ReopenableStore? = nil
    ) async throws {
        self.seed = seed
        self.store =
            store ?? ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        self.options = options
        commands = RandomCommands(seed: seed)
        random = SeededGenerator(seed: seed ^ 0x5eed)
        model = NaiveLedger(calendar: calendar)
        model.book = RandomCommands.book
        engine = try Self.start(self.store, clock, calendar, options)
        try await prepare()
    }

    private static func start(
        _ store: ReopenableStore, _ clock: ManualClock, _ calendar: BudgetCalendar,
        _ options: RigOptions
    ) throws -> Engine {
        var configuration = EngineConfiguration()
        configuration.retryMicroseconds = 0
        configuration.snapshotEvents = options.snapshotEvents
        return try Engine(
            store: store, clock: clock, calendar: calendar, configuration: configuration)
    }

    private func prepare() async throws {
        var setup = Genesis.commands(PlainLedger.identity, now: clock.now())
        setup.append(RandomCommands.book.published(version: 1))
        setup.append(.setPlan(Plan(id: "gold", name: "Gold", terms: commands.terms())))
        setup.append(
            .setProject(
                Project(
                    id: RandomCommands.projects[1], name: "Second",
                    ceilingRates: commands.ceiling())))
        for command in setup { try await carryOut(EngineRequest(command)) }
    }

    // MARK: Steps

    /// Takes `count` random steps.
    package func run(steps count: Int) async throws {
        for _ in 0..<count {
            step += 1
            moveClock()
            if random.chance(options.restarts) { try await restart() }
            switch random.number(0...99) {
            case ..<6: try await askAgain()
            case ..<9: try await askOtherwise()
            case ..<13: try await tryOut()
            default:
                let request = nextRequest()
                if random.chance(options.faults) {
                    try await carryOutFailing(request)
                } else {
                    try await carryOut(request)
                }
            }
        }
    }

    private func moveClock() {
        let now = clock.now()
        let seconds: Int64 =
            switch random.number(0...99) {
            case ..<45: 0
            case ..<82: random.number(0...60)
            case ..<90: random.number(60...7200)
            case ..<94: random.number(0...200_000)
            case 94: random.number(0...3_456_000)
            case 95, 96: -random.number(0...600)
            default: random.number(0...5)
            }
        let noise = seconds == 0 ? 0 : random.number(0...999_999)
        clock.set(Instant(microseconds: now.microseconds + seconds * 1_000_000 + noise))
    }

    private var now: Instant { max(clock.now(), model.time) }

    private func nextRequest() -> EngineRequest {
        let command = commands.next(model, now: now)
        var request = EngineRequest(
            command, requestHash: Fingerprint(.request, "\(seed)", "step \(step)"))
        switch command {
        case .reserve, .recordUsage, .settle: break
        default:
            if random.chance(40) {
                request.idempotencyKey = Fingerprint(.idempotencyKey, "default", "key \(step)")
            }
        }
        return request
    }

    private func fail(_ text: String) -> RigFailure {
        RigFailure(description: "seed \(seed), step \(step): \(doing)\n\(text)")
    }

    // MARK: One command

    private func carryOut(_ request: EngineRequest, mayBeReplay: Bool = false) async throws {
        doing = "\(request.command)"
        let predicted = predict(request)
        let result = await submit(request)
        try await check(predicted, request, result, mayBeReplay: mayBeReplay)
    }

    /// What the model says, having done it.
    private func predict(_ request: EngineRequest) -> NaiveAnswer {
        var now = now
        if case .advanceClock(let to) = request.command { now = max(now, to) }
        return model.apply(request.command, now: now)
    }

    private func settleDue() {
        let now = now
        model.settleDue(now)
    }

    private func submit(_ request: EngineRequest) async -> Result<CommandReply, EngineError> {
        do throws(EngineError) {
            return .success(try await engine.submit(request))
        } catch {
            return .failure(error)
        }
    }

    private func check(
        _ predicted: NaiveAnswer, _ request: EngineRequest,
        _ result: Result<CommandReply, EngineError>, mayBeReplay: Bool = false
    ) async throws {
        let state = try await state()
        let observed = NaiveAnswer(result, state)
        if observed != predicted {
            throw fail("the engine answered\n  \(observed)\nthe model\n  \(predicted)")
        }
        answers[observed.rejection?.rawValue ?? observed.kind, default: 0] += 1
        if !observed.rating.isEmpty { answers["rated by " + observed.rating, default: 0] += 1 }
        if case .success(let reply) = result {
            if reply.isReplay, !mayBeReplay { throw fail("a new request was taken for an old one") }
            try checkReservation(reply, request)
            remember(request, reply.event)
        }
        try compare(state)
    }

    /// The answer about a reservation carries it as it is after the command.
    private func checkReservation(_ reply: CommandReply, _ request: EngineRequest) throws {
        guard let key = request.command.reservationKey, let call = model.place(key) else { return }
        let status = reply.reservation?.status.rawValue
        if status != model.calls[call].status.rawValue {
            throw fail(
                "the reservation in the answer is \(status ?? "missing"), not "
                    + model.calls[call].status.rawValue)
        }
    }

    private func remember(_ request: EngineRequest, _ event: RecordedEvent?) {
        guard let event else { return }
        switch request.command {
        case .reserve, .recordUsage, .settle: answered.append((request, event))
        default: if request.idempotencyKey != nil { answered.append((request, event)) }
        }
    }

    package func state() async throws -> LedgerState { try await engine.read { $0.state } }

    private func compare(_ state: LedgerState) throws {
        let differences = model.differences(from: state)
        if !differences.isEmpty { throw fail(differences.joined(separator: "\n")) }
        if step % options.invariantsEvery == 0 {
            let violations = state.violations()
            if !violations.isEmpty { throw fail("\(violations)") }
        }
    }

    // MARK: The same again

    /// An old request gets its old answer, and nothing happens.
    private func askAgain() async throws {
        guard !answered.isEmpty else { return }
        let (request, event) = random.one(of: answered)
        doing = "again: \(request.command)"
        try await expectReplay(request, event)
    }

    private func expectReplay(_ request: EngineRequest, _ event: RecordedEvent?) async throws {
        settleDue()
        switch await submit(request) {
        case .failure(let error): throw fail("no longer answered: \(error)")
        case .success(let reply):
            guard reply.isReplay, event == nil || reply.event == event else {
                throw fail("answered differently: \(reply)\nbefore: \(String(describing: event))")
            }
            if event == nil { remember(request, reply.event) }
        }
        try compare(try await state())
    }

    /// Another request under an old id is refused, and nothing happens.
    private func askOtherwise() async throws {
        guard !answered.isEmpty else { return }
        var request = random.one(of: answered).request
        if case .settle = request.command { return }
        request.requestHash = Fingerprint(.request, "\(seed)", "other \(step)")
        doing = "otherwise: \(request.command)"
        settleDue()
        guard case .failure(.idempotencyMismatch) = await submit(request) else {
            throw fail("another body passed")
        }
        try compare(try await state())
    }

    /// A dry run says what would be, and nothing happens.
    private func tryOut() async throws {
        var request = nextRequest()
        if case .advanceClock = request.command { return }
        request.isDryRun = true
        doing = "dry run: \(request.command)"
        let before = model
        let predicted = predict(request)
        model = before
        settleDue()
        let result = await submit(request)
        let state = try await state()
        let observed = NaiveAnswer(result, state)
        if observed != predicted {
            throw fail("the dry run said\n  \(observed)\nthe model\n  \(predicted)")
        }
        try compare(state)
    }

    // MARK: Failing appends

    private func carryOutFailing(_ request: EngineRequest) async throws {
        doing = "failing: \(request.command)"
        faultCount += 1
        let before = model
        let predicted = predict(request)
        let isKept = random.chance(25)
        store.failNextAppend(
            with: StoreError(random.chance(50) ? .full : .inputOutput, "made to fail"),
            batch: isKept ? .kept : .dropped)
        let result = await submit(request)
        store.endFault()
        guard case .failure(.storeUnavailable) = result else {
            // The append that failed was another one, or there was none.
            return try await check(predicted, request, result)
        }
        let done = model
        model = before
        settleDue()
        let state = try await state()
        guard !model.differences(from: state).isEmpty else {
            // What leaves no trace in the balances may still have been kept.
            return try await carryOut(request, mayBeReplay: isKept)
        }
        // Not undone: then the whole of it is there, which only a store that kept it may bring
        // about.
        model = done
        if !isKept { throw fail("refused, but there: \(done.differences(from: state))") }
        try compare(state)
        switch request.command {
        case .reserve, .recordUsage, .settle: try await expectReplay(request, nil)
        default: if request.idempotencyKey != nil { try await expectReplay(request, nil) }
        }
    }

    // MARK: Restarts

    /// Stops the engine and starts another on the same log: the state is the same, byte for byte.
    private func restart() async throws {
        doing = "restart"
        restartCount += 1
        settleDue()
        let before = StateSnapshot.encode(try await state())
        await engine.shutdown()
        try store.reopen()
        engine = try Self.start(store, clock, calendar, options)
        let state = try await state()
        guard StateSnapshot.encode(state) == before else {
            throw fail("the state after the restart is another")
        }
        try compare(state)
    }

    /// Ends the run: the log proves the state, from any snapshot and from none.
    package func finish() async throws {
        doing = "finish"
        settleDue()
        let live = try await state()
        try compare(live)
        let report = try LedgerVerifier.verify(store, liveState: live)
        for check in report.checks where !check.passed {
            throw fail("\(check.name): \(check.violations)")
        }
        await engine.shutdown()
        try store.reopen()
        defer { store.close() }
        let bytes = StateSnapshot.encode(live)
        let plain = try EngineLoader.load(store, usingSnapshots: false)
        guard StateSnapshot.encode(plain.state) == bytes else {
            throw fail("replay from none differs")
        }
        for snapshot in store.snapshots {
            guard let part = snapshot.parts.first(where: { $0.name == "state" }) else {
                throw fail("snapshot \(snapshot.sequence) has no state")
            }
            var state = try StateSnapshot.decode(part.bytes)
            try EngineLoader.fold(store, upTo: store.head.sequence, &state)
            guard StateSnapshot.encode(state) == bytes else {
                throw fail("replay from the snapshot at \(snapshot.sequence) differs")
            }
        }
    }
}
