import Billing
import Money

extension GoldenEvents {
    private static let price = PriceReference(
        bookVersion: 2, entry: "gpt-4o-mini", chain: ["gpt-4o-mini"])
    private static let aliasedPrice = PriceReference(
        bookVersion: 2, entry: "gpt-4o-mini", card: "pro-2026", chain: ["mini", "gpt-4o-mini"])
    private static let expected = CallFigures(
        cost: Money(nanos: 3_288_000), charge: Money(nanos: 3_945_600), tokens: 700, requests: 1)

    private static let estimate = Estimate(
        bound: CallFigures(
            cost: Money(nanos: 10_288_000), charge: Money(nanos: 12_345_600), tokens: 2_048,
            requests: 1),
        expected: expected, inputTokens: 512, maxOutputTokens: 1_536, expectedOutputTokens: 188,
        price: price, markupPartsPerMillion: 200_000)

    private static let rated: RatedUsage = {
        var counts = UsageCounts()
        counts[.input] = 512
        counts[.output] = 301
        return RatedUsage(
            counts: counts, price: price, cost: Money(nanos: 4_288_000),
            charge: Money(nanos: 5_145_600))
    }()

    private static let regained = GrantPortion(grant: "grant-1", amount: Money(nanos: 7_200_000))

    private static let counter = CounterReference(lines[0])

    private static func call(_ model: String) -> CallDescription {
        filled {
            $0.model = model
            $0.plan = "pro"
        }
    }

    /// A reservation as most of them are.
    static let reserved: UsageReserved = filled {
        $0.call = call("gpt-4o-mini")
        $0.call.user = "user-5"
        $0.call.run = "run-77"
        $0.estimate = estimate
        $0.lines = lines
        $0.funding = FundingHold(mode: .postpaid, uncovered: Money(nanos: 12_345_600))
        $0.funds.mode = .postpaid
        $0.funds.owed = Money(nanos: 31_234_567_000)
        $0.funds.need = Money(nanos: 12_345_600)
        $0.expiresAt = time.advanced(bySeconds: 600)
    }

    private static let rejected: UsageRejected = filled {
        $0.call = call("mini")
        $0.call.tags = [Tag(key: "feature", value: "chat")]
        $0.code = .exhausted
        $0.rule = .budget
        $0.budget = "monthly"
        $0.measure = .charge
        $0.amount = 100_000_000_000
        $0.spent = 99_995_000_000
        $0.held = 0
        $0.available = 5_000_000
        $0.need = 12_345_600
        $0.freesAt = lines[0].window.end
        $0.affordableMaxTokens = 188
        $0.estimate = estimate
        $0.estimate?.cardPrice = aliasedPrice
        $0.estimate?.completions = 2
        $0.estimate?.tier = .priority
        $0.estimate?.marks = [.unknownMultiplier]
        $0.lines = lines
        $0.lines[0].outcome = .refused
        $0.funds = reserved.funds
    }

    private static let settled: UsageSettled = filled {
        $0.previous = 25
        $0.rated = rated
        $0.split.billable = Money(nanos: 5_145_600)
        $0.expectedRatio = 1_304_136
        $0.boundRatio = 416_796
        $0.occurredAt = time.advanced(bySeconds: -2)
    }

    private static let adjusted: UsageAdjusted = filled {
        $0.previous = 28
        $0.corrects = 25
        $0.reason = "provider refunded the call"
        $0.author = "ops@example.com"
        $0.cost = Money(nanos: -4_288_000)
        $0.charge = Money(nanos: -5_145_600)
        $0.tokens = -813
        $0.rated = rated
        $0.rated?.tier = .flex
        $0.rated?.marks = [.servedTierUnpriced, .unitFallback]
        $0.split.grants = [regained]
        $0.repaidDebt = [regained]
        $0.counters = [counter]
    }

    private static let recorded: UsageRecorded = filled {
        $0.call = call("gpt-4o-mini")
        $0.call.occurredAt = time.advanced(bySeconds: -86_400)
        $0.rated = rated
        $0.rated.abovePromptTokens = 200_000
        $0.ceiling = CeilingRates(input: Rate(picos: 15_000_000), output: Rate(picos: 75_000_000))
        $0.markupPartsPerMillion = 200_000
        $0.lines = [lines[0]]
        $0.lines[0].outcome = .counted
        $0.mode = .prepaid
        $0.split.grants = [regained]
        $0.split.debt = Money(nanos: 1)
    }

    private static func ofReservation(_ id: String, _ event: Event) -> EventDraft {
        EventDraft(event, project: "default", customer: "acme", reservation: id)
    }

    static let usage: [EventDraft] = [
        EventDraft(
            .usageEstimated(
                filled {
                    $0.call = call("gpt-4o-mini")
                    $0.estimate = estimate
                }), project: "default", customer: "acme"),
        ofReservation("res-0000012345", .usageReserved(reserved)),
        ofReservation("res-0000012346", .usageRejected(rejected)),
        ofReservation(
            "res-0000012345",
            .usageExtended(
                filled {
                    $0.previous = 25
                    $0.expiresAt = time.advanced(bySeconds: 1_200)
                })),
        ofReservation("res-0000012345", .usageSettled(settled)),
        ofReservation(
            "res-0000012347",
            .usageReleased(
                filled {
                    $0.previous = 21
                    $0.reason = "provider answered 529"
                    $0.repaidDebt = [regained]
                })),
        ofReservation(
            "res-0000012348",
            .usageExpired(
                filled {
                    $0.previous = 22
                    $0.expiredAt = time
                    $0.policy = .charge
                    $0.provisional = expected
                    $0.split = FundingSplit(grants: [regained], absorbed: Money(nanos: 5))
                })),
        ofReservation("res-0000012345", .usageAdjusted(adjusted)),
        ofReservation("import-1", .usageRecorded(recorded)),
    ]
}

extension LedgerOpened: Fillable {}
extension ClockAdvanced: Fillable {}
extension ProjectSet: Fillable {}
extension PlanSet: Fillable {}
extension BudgetSet: Fillable {}
extension BudgetRemoved: Fillable {}
extension PriceBookPublished: Fillable {}
extension KeyCreated: Fillable {}
extension KeyRevoked: Fillable {}
extension CustomerOpened: Fillable {}
extension CustomerUpdated: Fillable {}
extension CustomerSuspended: Fillable {}
extension CustomerClosed: Fillable {}
extension CustomerLinked: Fillable {}
extension CreditGranted: Fillable {}
extension CreditActivated: Fillable {}
extension CreditEnded: Fillable {}
extension PaymentReceived: Fillable {}
extension RunStarted: Fillable {}
extension RunStopped: Fillable {}
extension RunEnded: Fillable {}
extension CallDescription: Fillable {}
extension UsageEstimated: Fillable {}
extension UsageReserved: Fillable {}
extension UsageRejected: Fillable {}
extension UsageExtended: Fillable {}
extension UsageSettled: Fillable {}
extension UsageReleased: Fillable {}
extension UsageExpired: Fillable {}
extension UsageAdjusted: Fillable {}
extension UsageRecorded: Fillable {}
