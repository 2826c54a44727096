// The engine against an independent model of the rules, and against itself: random commands with
// clock jumps, restarts, snapshots and failing appends, on a log in memory and on a ledger file.
// FAREGATE_SEEDS=N runs N seeds of each kind instead of the default few; every failure names its
// seed, and FAREGATE_SEED=S runs that one alone.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import SQLiteEventLog
import Testing

/// Where a walk keeps its log.
enum Storage: CaseIterable {
    case memory
    /// A file in a folder of its own; a restart closes and opens it.
    case sqlite

    func store() throws -> ReopenableStore {
        switch self {
        case .memory: return ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        case .sqlite:
            let folder = try TemporaryFolder()
            return try ReopenableStore { () throws(StoreError) in
                try SQLiteEventStore.open(
                    path: folder.ledger,
                    create: NewLedger(
                        identity: PlainLedger.identity,
                        createdMicroseconds: LedgerFixture.start.microseconds))
            }
        }
    }
}

@Suite struct ModelTests {
    private static func seeds(from first: UInt64, default count: UInt64) -> [UInt64] {
        if let seed = TestSettings.number("FAREGATE_SEED") { return [seed] }
        let usual = TestSettings.isSlow ? count * 10 : count
        return Array(first..<first + (TestSettings.number("FAREGATE_SEEDS") ?? usual))
    }

    // Whatever is asked in whatever order, every answer and every balance is what the rules say.
    @Test(arguments: ModelTests.seeds(from: 1_000, default: 8), Storage.allCases)
    func engineAndModelAgree(seed: UInt64, _ storage: Storage) async throws {
        let rig = try await ModelRig(seed: seed, on: storage.store())
        try await rig.run(steps: 220)
        try await rig.finish()
    }

    // A restart, with snapshots or without, changes nothing: not a byte of the state, not an
    // answer.
    @Test(arguments: ModelTests.seeds(from: 2_000, default: 6), Storage.allCases)
    func restartsChangeNothing(seed: UInt64, _ storage: Storage) async throws {
        var options = RigOptions()
        options.restarts = 8
        options.snapshotEvents = seed % 3 == 0 ? .max : 15
        let rig = try await ModelRig(seed: seed, options, on: storage.store())
        try await rig.run(steps: 150)
        try await rig.finish()
        #expect(rig.restartCount > 0)
    }

    // When an append fails, its callers are told, the state is as if they had never asked, nothing
    // acknowledged is lost and the next command is carried out.
    @Test(arguments: ModelTests.seeds(from: 3_000, default: 6), Storage.allCases)
    func failingAppendsUndoNothingElse(seed: UInt64, _ storage: Storage) async throws {
        var options = RigOptions()
        options.faults = 25
        options.restarts = 3
        options.snapshotEvents = 25
        let rig = try await ModelRig(seed: seed, options, on: storage.store())
        try await rig.run(steps: 150)
        try await rig.finish()
        #expect(rig.faultCount > 0)
    }

    // The random walks meet every answer that the rules know of; what they never meet they do not
    // test.
    @Test func walksMeetEverything() async throws {
        var met: Set<String> = []
        for seed: UInt64 in 4_000..<4_008 {
            let rig = try await ModelRig(seed: seed)
            try await rig.run(steps: 250)
            try await rig.finish()
            met.formUnion(rig.answers.keys)
        }
        let all: Set<String> = [
            "request_too_large", "holds_full", "exhausted", "unknown_price", "suspended", "policy",
            "usage.reserved", "usage.settled", "usage.released", "usage.extended", "usage.adjusted",
            "usage.recorded", "credit.granted", "credit.revoked", "payment.received", "run.started",
            "run.stopped", "run.ended", "budget.set", "budget.removed", "plan.set", "project.set",
            "customer.opened", "customer.updated", "customer.suspended", "customer.resumed",
            "clock.advanced", "nothing", "error not_found", "error already_settled",
            "error already_released", "error expired", "error expired_charged",
            "error not_reserved", "error invalid_request", "error already_exists",
            "error unknown_price", "rated by book", "rated by book, card vip", "rated by ceiling",
            "rated by ceiling, card vip", "rated by amount",
        ]
        #expect(all.subtracting(met).isEmpty)
    }
}
