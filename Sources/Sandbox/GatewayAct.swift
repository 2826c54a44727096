// The sandbox's second act: calls in the providers' own dialects, streamed through the gateway to a
// simulated provider. Whoever watches needs no key of anybody.
//
//     ana    Chat Completions, to the end of each stream
//     ben    Anthropic's Messages
//     cleo   Responses, and leaves in the middle of each: she pays for what was written
//     dan    Chat Completions on a budget of next to nothing: refused, and nobody is asked
//
// Then both sides are compared: every token that the provider served is on the ledger, and nothing
// is held any more.

package import Money

/// A request in the books of the provider.
package struct ServedCall: Sendable, Equatable {
    /// Input and output that it bills.
    package var tokens: Int64
    /// It came with the provider's own key, and with no other.
    package var hasOwnKey: Bool

    package init(tokens: Int64, hasOwnKey: Bool) {
        self.tokens = tokens
        self.hasOwnKey = hasOwnKey
    }
}

/// Who calls, and how.
struct ActPlayer: Sendable {
    var id: String
    var dialect: String
    /// With the upstream's name before it.
    var path: String
    /// The number of the call stands for `#`.
    var body: String
    var calls: Int
    /// Leaves after so many parts of a stream.
    var leavesAfter: Int?
    /// Charge in all time; nil: no limit.
    var budget: Money?

    /// Sixty tokens, twenty milliseconds after the call, two hundred a second.
    private static let prompt = "Question #. [[output=60,first_token_ms=20,tokens_per_second=400]]"

    static let cast: [ActPlayer] = [
        ActPlayer(
            id: "ana", dialect: "OpenAI Chat", path: "/openai/v1/chat/completions", body: chat,
            calls: 8),
        ActPlayer(
            id: "ben", dialect: "Anthropic Messages", path: "/anthropic/v1/messages",
            body:
                #"{"model":"claude-haiku-4-5","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"\#(prompt)"}]}"#,
            calls: 8),
        ActPlayer(
            id: "cleo", dialect: "OpenAI Responses", path: "/openai/v1/responses",
            body:
                #"{"model":"gpt-5-mini","stream":true,"max_output_tokens":300,"input":"\#(prompt)"}"#,
            calls: 4, leavesAfter: 12),
        ActPlayer(
            id: "dan", dialect: "OpenAI Chat", path: "/openai/v1/chat/completions", body: chat,
            calls: 2, budget: Money(nanos: 1_000)),
    ]

    private static let chat =
        #"{"model":"gpt-4o","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"\#(prompt)"}]}"#
}

/// What came of the act.
package struct GatewayActReport: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var id = ""
        package var dialect = ""
        package var streamed: Int64 = 0
        package var left: Int64 = 0
        package var refused: Int64 = 0
        package var tokens: Int64 = 0
        package var charge = Money.zero
        /// Of a stream, microseconds.
        package var firstByte: Int64?
        package init() {}
    }

    package var rows: [Row] = []
    /// By the provider's books.
    package var servedRequests: Int64 = 0
    package var servedTokens: Int64 = 0
    /// The code and the message of a refusal.
    package var refusal: String?
    package init() {}
}

struct GatewayAct: Sendable {
    let stage: Stage
    let client: LedgerClient
    let served: @Sendable () -> [ServedCall]

    /// - Returns: what happened, and where both sides differ.
    func perform() async throws -> (report: GatewayActReport, differences: [String]) {
        for player in ActPlayer.cast {
            if let budget = player.budget {
                try await stage.limit(customer: player.id, to: budget)
            }
        }
        let before = served().count
        let tallies = try await withThrowingTaskGroup(of: (Int, ActTally).self) { group in
            for (place, player) in ActPlayer.cast.enumerated() {
                group.addTask { (place, try await play(player)) }
            }
            var tallies = ActPlayer.cast.map { _ in ActTally() }
            for try await (place, tally) in group { tallies[place] = tally }
            return tallies
        }
        return try await compared(tallies, after: before)
    }

    private func play(_ player: ActPlayer) async throws -> ActTally {
        var tally = ActTally()
        for number in 1...player.calls {
            let body = player.body.split(separator: "#", omittingEmptySubsequences: false)
                .joined(separator: "\(number)")
            let outcome = try await client.stream(
                player.path, body: body, customer: player.id, project: stage.project,
                leavingAfter: player.leavesAfter)
            tally.add(outcome, of: player.id)
        }
        return tally
    }

    private func compared(
        _ tallies: [ActTally], after before: Int
    ) async throws -> (report: GatewayActReport, differences: [String]) {
        var report = GatewayActReport()
        var differences = tallies.flatMap(\.failures)
        for (player, tally) in zip(ActPlayer.cast, tallies) {
            let balance = try await settled(player.id)
            var row = GatewayActReport.Row()
            row.id = player.id
            row.dialect = player.dialect
            row.streamed = tally.streamed
            row.left = tally.left
            row.refused = tally.refused
            row.tokens = balance?.totals.tokens ?? 0
            row.charge = balance?.totals.charge ?? .zero
            row.firstByte = tally.firstBytes.summary?.p50
            report.rows.append(row)
            report.refusal = report.refusal ?? tally.refusal
            let rejected = balance?.totals.rejected ?? 0
            if rejected != tally.refused {
                differences.append(
                    "\(player.id): \(tally.refused) refusals answered, \(rejected) booked")
            }
            if let open = balance?.openReservations, open > 0 {
                differences.append("\(player.id): \(open) reservations are still open")
            }
        }
        let calls = served().dropFirst(before)
        report.servedRequests = Int64(calls.count { $0.tokens > 0 })
        report.servedTokens = calls.reduce(0) { $0 + $1.tokens }
        let booked = report.rows.reduce(0) { $0 + $1.tokens }
        if booked != report.servedTokens {
            differences.append(
                "gateway: the provider served \(report.servedTokens) tokens, \(booked) are booked")
        }
        if !calls.allSatisfy(\.hasOwnKey) {
            differences.append("gateway: a request came with a key that is not the provider's")
        }
        return (report, differences)
    }

    /// The balance once the gateway has settled all that it passed on.
    private func settled(_ customer: String) async throws -> BalanceAnswer? {
        let clock = ContinuousClock()
        let patience = clock.now + .seconds(30)
        var balance = try await stage.balance(of: customer)
        while let open = balance?.openReservations, open > 0, clock.now < patience {
            try await clock.sleep(for: .milliseconds(20))
            balance = try await stage.balance(of: customer)
        }
        return balance
    }
}

/// What one customer's calls came to.
struct ActTally: Sendable {
    var streamed: Int64 = 0
    var left: Int64 = 0
    var refused: Int64 = 0
    var refusal: String?
    var firstBytes = LatencySamples()
    var failures: [String] = []

    mutating func add(_ outcome: StreamOutcome, of customer: String) {
        switch outcome {
        case .ended(let firstByte):
            streamed += 1
            firstBytes.add(firstByte)
        case .left(let firstByte):
            left += 1
            firstBytes.add(firstByte)
        case .refused(let text):
            refused += 1
            refusal = text
        case .failed(let text): failures.append("\(customer): \(text)")
        }
    }
}
