import Money
import Testing

@testable import Sandbox

@Suite struct GatewayActTests {
    // A refusal is a 402 with a code; all else that is no stream is a failure to report.
    @Test func refusals() {
        func read(_ status: Int, _ body: String) -> StreamOutcome {
            LedgerClient.refusal(status, Array(body.utf8))
        }
        #expect(
            read(402, #"{"error":{"type":"spend_limit","code":"exhausted"}}"#)
                == .refused("exhausted"))
        #expect(
            read(402, #"{"type":"error","error":{"code":"request_too_large"}}"#)
                == .refused("request_too_large"))
        for (status, body) in [
            (500, #"{"error":{"code":"exhausted"}}"#), (402, "{}"), (402, "not JSON"),
        ] {
            guard case .failed = read(status, body) else {
                Issue.record("\(status) \(body)")
                continue
            }
        }
    }

    // Every outcome is counted once; a failure names the customer.
    @Test func tally() {
        var tally = ActTally()
        tally.add(.ended(.milliseconds(3)), of: "ana")
        tally.add(.ended(.milliseconds(5)), of: "ana")
        tally.add(.left(.milliseconds(4)), of: "ana")
        tally.add(.refused("exhausted"), of: "ana")
        tally.add(.failed("500"), of: "ana")
        #expect(tally.streamed == 2 && tally.left == 1 && tally.refused == 1)
        #expect(tally.firstBytes.summary?.p50 == 4_000)
        #expect(tally.refusal == "exhausted" && tally.failures == ["ana: 500"])
    }

    // The section has a row for each customer, within the page's width.
    @Test func section() throws {
        var report = GatewayActReport()
        var row = GatewayActReport.Row()
        row.id = "cleo"
        row.dialect = "OpenAI Responses"
        row.left = 4
        row.tokens = 1_234
        row.charge = try Money(decimal: "0.0042")
        row.firstByte = 21_500
        report.rows = [row]
        report.servedTokens = 1_234
        report.servedRequests = 4
        report.refusal = "request_too_large"
        let lines = report.section(width: 100) { "<\($0)>" }
        #expect(lines[0] == "<Through the gateway, to a simulated provider>")
        #expect(lines.allSatisfy { $0.count <= 100 })
        let text = lines.joined(separator: "\n")
        for figure in ["cleo", "1,234 tokens to 4 requests", "0.0042", "21.50", "402 request_too"] {
            #expect(text.contains(figure), "\(figure)")
        }
    }

    // One of the players is held to a budget, one leaves, and all stream.
    @Test func cast() {
        #expect(ActPlayer.cast.contains { $0.budget != nil })
        #expect(ActPlayer.cast.contains { $0.leavesAfter != nil })
        #expect(ActPlayer.cast.allSatisfy { $0.body.contains(#""stream":true"#) })
        #expect(Set(ActPlayer.cast.map(\.path)).count == 3)
    }
}
