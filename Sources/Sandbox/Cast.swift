// The customers that the sandbox plays with, their plans and their limits: one for each thing that
// can happen to a call. Every customer here stands in the order of its traffic, the busiest first.
//
// Amounts are in US dollars for a trace of 2,000 requests and grow in proportion with longer ones,
// so that a whole trace meets its limits as the sample does.

import Money

/// Who takes part, and under which terms.
struct Cast: Sendable {
    var plans: [CastPlan]
    var customers: [CastCustomer]
    var budgets: [CastBudget]
    var cues: [CastCue]
}

struct CastPlan: Sendable {
    var id: String
    var name: String
    var terms: CastTerms
}

/// Funding and price; nil leaves it to the plan.
struct CastTerms: Sendable {
    var funding: String?
    var creditLimit: Money?
    /// `bound` or `expected`.
    var fundingHolds: String?
    /// On cost: 200,000 is 20 %.
    var markupPartsPerMillion: Int64?
    var rateCard: String?
}

struct CastCustomer: Sendable {
    var id: String
    /// What it is there to show, for people.
    var story: String
    var plan: String
    var terms = CastTerms()
    var grants: [CastGrant] = []
    /// False: nobody opens it; its first call does.
    var isOpenedFirst = true
}

struct CastGrant: Sendable {
    var amount: Money
    var category: String
    /// Lower burns first.
    var priority: Int64
    /// Globs; empty: every model.
    var models: [String] = []
    /// It ends this share of the way through the play.
    var expiresAtThousandths: Int64?
}

struct CastBudget: Sendable {
    var id: String
    var name: String
    var customer: String?
    var plan: String?
    var model: String?
    var per: [String] = []
    var measure = "charge"
    var window: String
    var amount: Amount
    var holds = "bound"
    var onExceed = "reject"

    enum Amount: Sendable {
        case money(Money)
        case count(Int64)
    }
}

/// Something done from outside while the trace plays.
struct CastCue: Sendable {
    /// Where in the trace, by requests.
    var thousandths: Int64
    var action: Action

    enum Action: Sendable {
        case suspend(customer: String, reason: String)
        case startRun(id: String, customer: String, cap: Money?)
        case stopRun(id: String, reason: String)
        case endRun(id: String)
    }
}

extension Cast {
    static let free = "sandbox-free"
    static let team = "sandbox-team"
    static let scale = "sandbox-scale"
    static let rateCard = "sandbox-volume"
    /// Its calls belong to runs.
    static let agent = "ironwood"

    /// Dollars for a million tokens: about a tenth above the providers' list prices.
    static let rateCardPrices: [(model: String, input: String, output: String)] = [
        ("gpt-4o-mini", "0.17", "0.66"), ("gpt-4o", "2.75", "11"),
        ("claude-haiku-4-5", "1.1", "5.5"), ("gemini-2.5-flash", "0.33", "2.75"),
        ("claude-sonnet-4-5", "3.3", "16.5"), ("gpt-5.5", "5.5", "33"), ("o4-mini", "1.21", "4.84"),
        ("gpt-5-mini", "0.28", "2.2"), ("gpt-4.1-mini", "0.44", "1.76"),
        ("deepseek-chat", "0.31", "0.46"),
    ]

    /// Run that a call of the agent belongs to, by where in the trace it is.
    static func run(atThousandths position: Int64) -> String {
        switch position {
        case ..<333: "agent-1"
        case ..<667: "agent-2"
        default: "agent-3"
        }
    }

    /// The cast for a trace of so many requests.
    static func standard(requests: Int) -> Cast {
        let scale = Scale(requests: requests)
        return Cast(
            plans: plans(), customers: customers(scale), budgets: budgets(scale),
            cues: cues(scale))
    }

    /// Not in proportion to the trace: plans are the ledger's, and are the same for every play.
    private static let planCreditLimit = Money(nanos: 500 * Money.nanosPerUnit)

    private static func plans() -> [CastPlan] {
        [
            CastPlan(
                id: free, name: "Free", terms: CastTerms(funding: "unfunded")),
            CastPlan(
                id: team, name: "Team",
                terms: CastTerms(
                    funding: "prepaid", fundingHolds: "bound", markupPartsPerMillion: 200_000)),
            CastPlan(
                id: Cast.scale, name: "Scale",
                terms: CastTerms(
                    funding: "postpaid", creditLimit: planCreditLimit,
                    fundingHolds: "expected", markupPartsPerMillion: 150_000)),
        ]
    }

    private static func customers(_ scale: Scale) -> [CastCustomer] {
        func paid(_ amount: String) -> CastGrant {
            CastGrant(amount: scale.dollars(amount), category: "paid", priority: 10)
        }
        func promotional(
            _ amount: String, models: [String] = [], until expiry: Int64? = nil
        ) -> CastGrant {
            CastGrant(
                amount: scale.dollars(amount), category: "promotional", priority: 1, models: models,
                expiresAtThousandths: expiry)
        }
        func customer(
            _ id: String, _ plan: String, _ story: String, terms: CastTerms = CastTerms(),
            _ grants: CastGrant...
        ) -> CastCustomer {
            CastCustomer(id: id, story: story, plan: plan, terms: terms, grants: grants)
        }
        return [
            customer(
                "alder", Cast.scale, "has a rate card of its own",
                terms: CastTerms(rateCard: rateCard)),
            customer("birch", team, "well funded", promotional("0.20"), paid("2")),
            customer(
                "cedar", Cast.scale, "reaches its credit limit",
                terms: CastTerms(creditLimit: scale.dollars("0.35"))),
            customer("dogwood", team, "runs out of credit", paid("0.15")),
            customer("elm", free, "has a higher limit than its plan"),
            customer("fir", Cast.scale, "may use so many tokens a minute"),
            customer("ginkgo", team, "is suspended half way", paid("1")),
            customer("hazel", Cast.scale, "gets shorter answers before none"),
            customer(agent, Cast.scale, "an agent that calls in runs"),
            customer(
                "juniper", Cast.scale, "pays a higher markup",
                terms: CastTerms(markupPartsPerMillion: 350_000)),
            customer("katsura", Cast.scale, "nothing special"),
            customer(
                "larch", team, "loses a promotion half way", promotional("0.50", until: 500),
                paid("0.01")),
            customer(
                "maple", team, "may go below zero",
                terms: CastTerms(creditLimit: scale.dollars("0.03")), paid("0.05")),
            customer(
                "nutmeg", team, "has credit for Claude only",
                promotional("0.50", models: ["claude-*"])),
            customer("oak", free, "nothing special"),
            customer("pine", free, "nothing special"),
            customer("quince", free, "nothing special"),
            customer("rowan", free, "nothing special"),
            customer("spruce", free, "nothing special"),
            customer("tamarind", free, "nothing special"),
            customer("upas", free, "nothing special"),
            customer("viburnum", Cast.scale, "nothing special"),
            customer("walnut", team, "small credit", paid("0.06")),
            CastCustomer(
                id: "yew", story: "never seen before its first call", plan: free,
                isOpenedFirst: false),
        ]
    }

    private static func budgets(_ scale: Scale) -> [CastBudget] {
        [
            CastBudget(
                id: "daily", name: "daily", plan: free, per: ["customer"], window: "day",
                amount: .money(scale.dollars("0.035"))),
            CastBudget(
                id: "daily-elm", name: "daily", customer: "elm", per: ["customer"], window: "day",
                amount: .money(scale.dollars("0.25"))),
            CastBudget(
                id: "project-month", name: "project-month", measure: "cost", window: "month",
                amount: .money(scale.dollars("50"))),
            CastBudget(
                id: "clamp-hazel", name: "clamp", customer: "hazel", per: ["customer"],
                window: "month", amount: .money(scale.dollars("0.15")), onExceed: "clamp"),
            CastBudget(
                id: "warn-team", name: "team-notice", plan: team, per: ["customer"], window: "day",
                amount: .money(scale.dollars("0.10")), holds: "expected", onExceed: "warn"),
            CastBudget(
                id: "shadow-claude", name: "claude-share", model: "claude-*", per: ["customer"],
                measure: "requests", window: "hour", amount: .count(scale.count(30)),
                onExceed: "shadow"),
            CastBudget(
                id: "tokens-fir", name: "tokens", customer: "fir", per: ["customer"],
                measure: "tokens", window: "minute", amount: .count(scale.count(60_000))),
        ]
    }

    private static func cues(_ scale: Scale) -> [CastCue] {
        [
            CastCue(thousandths: 0, action: .startRun(id: "agent-1", customer: agent, cap: nil)),
            CastCue(thousandths: 333, action: .endRun(id: "agent-1")),
            CastCue(
                thousandths: 333,
                action: .startRun(id: "agent-2", customer: agent, cap: scale.dollars("1"))),
            CastCue(
                thousandths: 500,
                action: .suspend(customer: "ginkgo", reason: "payment under review")),
            CastCue(
                thousandths: 550, action: .stopRun(id: "agent-2", reason: "stopped by the operator")
            ),
            CastCue(
                thousandths: 667,
                action: .startRun(id: "agent-3", customer: agent, cap: scale.dollars("0.03"))),
        ]
    }
}

/// Amounts for 2,000 requests, in proportion for more.
private struct Scale {
    private let requests: Int128

    init(requests: Int) { self.requests = Int128(max(requests, 2_000)) }

    func dollars(_ text: String) -> Money {
        guard let base = try? Money(decimal: text) else {
            preconditionFailure("an amount in this file: \(text)")
        }
        return Money(nanos: Int64(clamping: Int128(base.nanos) * requests / 2_000))
    }

    func count(_ base: Int64) -> Int64 { Int64(clamping: Int128(base) * requests / 2_000) }
}
