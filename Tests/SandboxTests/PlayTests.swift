import CanonicalJSON
import Money
import Testing

@testable import Sandbox

/// Names that the fake ledger must know.
enum TestNames {
    static let unlistedModel = TrafficRule.unlistedModel
    static let unseenCustomer = "yew"
}

struct PlayTests {
    /// The first `count` requests of the sample.
    private func trace(_ count: Int) throws -> TraceOrigin {
        var reader = try TraceReader(.sample)
        var text = TraceReader.header + "\n"
        for index in 0..<count {
            let row = try #require(try reader.next())
            let digits = String(index + 1_000)
            text += "2023-11-16 18:15:46.\(digits),\(row.contextTokens),\(row.generatedTokens)\n"
        }
        return .bytes(Array(text.utf8))
    }

    private func play(
        _ ledger: FakeLedger, requests: Int, concurrency: Int = 64
    ) async throws -> SandboxReport {
        let server = try await FakeServer { ledger.answer($0) }
        do {
            let report = try await Sandbox.run(
                SandboxOptions(
                    baseURL: server.baseURL + "/", adminKey: "fg_test", trace: try trace(requests),
                    speed: 1_000, concurrency: concurrency))
            try await server.close()
            return report
        } catch {
            try await server.close()
            throw error
        }
    }

    // Every call of a trace is made once, and its answers add up to what the server has booked.
    @Test(.timeLimit(.minutes(10))) func playsAWholeTrace() async throws {
        let ledger = FakeLedger()
        let report = try await play(ledger, requests: 600)
        #expect(report.failures.isEmpty)
        #expect(report.differences.isEmpty)
        #expect(report.isClean)
        #expect(report.project == "sandbox")
        #expect(report.customers.reduce(0) { $0 + $1.requests } == 600)
        #expect(report.models.reduce(0) { $0 + $1.requests } == 600)
        let reserved = report.customers.reduce(0) { $0 + $1.figures.reserved }
        let rejected = report.customers.reduce(0) { $0 + $1.figures.rejected }
        #expect(reserved + rejected == 600)
        #expect(rejected == report.refusals.reduce(0) { $0 + $1.count })
        #expect(report.customers.contains { $0.late > 0 })
        #expect(report.customers.contains { $0.figures.released > 0 })
        #expect(report.customers.contains { $0.figures.expired > $0.late })
        #expect(report.notes.replayed > 0)
        #expect(report.reserveLatency?.count == 600)
        #expect(
            report.settleLatency?.count == report.customers.reduce(0) { $0 + $1.figures.settled })
    }

    // The stage is set before the first call, in an order in which everything named exists already.
    @Test(.timeLimit(.minutes(10))) func setsTheStageFirst() async throws {
        let ledger = FakeLedger(takenProjects: ["sandbox", "sandbox-2"])
        let report = try await play(ledger, requests: 40)
        #expect(report.project == "sandbox-3")
        let paths = ledger.paths
        let firstCall = try #require(paths.firstIndex(of: "POST /v1/reservations"))
        let budgets = paths.filter { $0.hasPrefix("PUT /v1/budgets/sandbox-3-") }
        #expect(budgets.count == Cast.standard(requests: 40).budgets.count)
        #expect(paths[..<firstCall].filter { $0 == "POST /v1/customers" }.count == 23)
        let plan = try #require(paths.firstIndex(of: "PUT /v1/plans/sandbox-free"))
        let project = try #require(paths.firstIndex(of: "POST /v1/projects"))
        #expect(plan < project)
        #expect(paths.contains("POST /v1/customers/ginkgo/suspend"))
        #expect(paths.contains("POST /v1/runs/agent-2/stop"))
    }

    // A server that was busy, or whose answer got lost, is asked again; nothing is counted twice.
    @Test(.timeLimit(.minutes(10))) func survivesLostAnswers() async throws {
        let report = try await play(FakeLedger(faults: .init(unavailable: 3)), requests: 60)
        #expect(report.isClean)
        #expect(
            report.notes.retries == [
                .init(what: "503 without a code", count: 3), .init(what: "no answer", count: 3),
            ])
    }

    // Full holds are tried again once, under another id, and the refusal is still counted.
    @Test(.timeLimit(.minutes(10))) func triesAgainAfterFullHolds() async throws {
        let report = try await play(FakeLedger(faults: .init(full: 5)), requests: 60)
        #expect(report.isClean)
        let full = try #require(report.refusals.first { $0.reason.code == "holds_full" })
        #expect(full.count == 5)
        #expect(full.retried == 5)
    }

    // One micro unit too much on the server's side is found.
    @Test(.timeLimit(.minutes(10))) func findsADifference() async throws {
        let report = try await play(
            FakeLedger(faults: .init(misbookedCustomer: "birch")), requests: 60)
        #expect(report.failures.isEmpty)
        #expect(report.differences.count == 1)
        #expect(report.differences.first?.hasPrefix("birch: charge: ") == true)
        #expect(!report.isClean)
    }

    // Few places: calls wait, none is lost.
    @Test(.timeLimit(.minutes(10))) func keepsToTheWindow() async throws {
        let report = try await play(FakeLedger(), requests: 60, concurrency: 2)
        #expect(report.isClean)
        #expect(report.mostInFlight == 2)
        #expect(report.waits > 0)
    }

    // What makes playing pointless is said at once.
    @Test(.timeLimit(.minutes(10))) func refusesToStart() async throws {
        await #expect(throws: SandboxError.self) {
            try await play(FakeLedger(faults: .init(opensTestClock: true)), requests: 5)
        }
        await #expect(throws: SandboxError.server("401 unauthenticated: no")) {
            try await play(FakeLedger(faults: .init(refusesKey: true)), requests: 5)
        }
        await #expect(throws: SandboxError.option("speed must be 1 to 1,000,000")) {
            try await Sandbox.run(
                SandboxOptions(baseURL: "http://127.0.0.1:1", adminKey: "", speed: 0))
        }
    }

    // A server that goes away in the middle ends the play; it is not retried for every call left.
    @Test(.timeLimit(.minutes(10))) func givesUpOnADeadServer() async throws {
        await #expect(throws: SandboxError.self) {
            try await play(FakeLedger(faults: .init(isGone: true)), requests: 2_000)
        }
    }
}
