import Billing
import Money

/// One sensible example of each type of event, with most of its optional fields.
enum GoldenEvents {
    static let all: [RecordedEvent] =
        (ledger + customers + credits + runs + usage + stripe).enumerated().map { index, draft in
            RecordedEvent(
                sequence: UInt64(index) + 1, time: time + Int64(index), project: draft.project,
                customer: draft.customer, reservation: draft.reservation,
                actor: index == 0 ? nil : "key_7fK2",
                idempotencyKeyHash: draft.reservation == nil && index > 0 ? digest("4b1d") : nil,
                requestHash: index > 0 ? digest("9c3f") : nil, event: draft.event)
        }

    /// 2026-11-22T14:45:19.123456Z
    static let time = Instant(microseconds: 1_795_358_719_123_456)
    private static let november = Window(
        start: Instant(microseconds: 1_793_491_200_000_000),
        end: Instant(microseconds: 1_796_083_200_000_000))

    /// 128 bits as hex, as digests of keys and requests are.
    private static func digest(_ digits: String) -> String { String(repeating: digits, count: 8) }

    private static func ofCustomer(_ event: Event) -> EventDraft {
        EventDraft(event, project: "default", customer: "acme")
    }

    private static let ledger: [EventDraft] = [
        EventDraft(
            .ledgerOpened(
                filled {
                    $0.ledgerID = "led_01J9ZQ4T5V"
                    $0.currency = "USD"
                    $0.isTestClock = true
                })),
        EventDraft(.clockAdvanced(filled { $0.to = time + 1 })),
        EventDraft(
            .projectSet(
                filled {
                    $0.project = Project(
                        id: "default", name: "Production",
                        ceilingRates: CeilingRates(
                            input: Rate(picos: 15_000_000), output: Rate(picos: 75_000_000)),
                        holdSeconds: 900, onExpiry: .charge, allowsAmountSettlement: true)
                }), project: "default"),
        EventDraft(
            .planSet(
                filled {
                    $0.plan = Plan(
                        id: "pro", name: "Pro",
                        terms: Terms(
                            funding: .prepaid, creditLimit: Money(nanos: 5_000_000_000),
                            fundingHolds: .expected, markupPartsPerMillion: 200_000,
                            rateCard: "pro-2026"))
                })),
        EventDraft(
            .budgetSet(
                filled {
                    $0.rule = BudgetRule(
                        id: "monthly", name: "monthly",
                        match: BudgetMatch(
                            plan: "pro", model: "gpt-4o*", tags: [Tag(key: "team", value: "search")]
                        ),
                        per: [.customer, .tag("feature")], timeZone: "Europe/Berlin",
                        amount: 100_000_000_000, holds: .expected, onExceed: .clamp)
                })),
        EventDraft(.budgetRemoved(filled { $0.budget = "trial" })),
        EventDraft(
            .priceBookPublished(
                filled {
                    $0.version = 2
                    $0.effectiveAt = time
                    $0.source = "prices of 2026-11-22"
                    $0.upserts = [
                        PriceEntry(
                            model: "gpt-4o-mini", provider: "openai", mode: "chat",
                            maxInputTokens: 128_000, maxOutputTokens: 16_384,
                            rates: [
                                PriceRate(unit: .input, rate: Rate(picos: 150_000)),
                                PriceRate(
                                    unit: .output, tier: .batch, abovePromptTokens: 200_000,
                                    rate: Rate(picos: 300_000)),
                            ],
                            multipliers: [
                                PriceMultiplier(attribute: "region=eu", partsPerMillion: 1_100_000)
                            ],
                            source: "openai.com/api/pricing", deprecationDate: "2027-06-30"),
                        PriceEntry(model: "mini", card: "pro-2026", aliasOf: "gpt-4o-mini"),
                    ]
                    $0.removals = [PriceEntryName(model: "gpt-3.5-turbo", card: "")]
                })),
        EventDraft(
            .keyCreated(
                filled {
                    $0.id = "key_7fK2"
                    $0.name = "backend"
                    $0.role = .meter
                    $0.project = "default"
                    $0.secretHash = digest("e5a0") + digest("17c2")
                }), project: "default"),
        EventDraft(.keyRevoked(filled { $0.id = "key_1aB9" })),
    ]

    private static let customers: [EventDraft] = [
        ofCustomer(
            .customerOpened(
                filled {
                    $0.plan = "default"
                    $0.isFirstSight = true
                })),
        ofCustomer(
            .customerUpdated(
                filled {
                    $0.plan = "pro"
                    $0.name = "Acme Größenwahn GmbH"
                    $0.terms = Terms(funding: .postpaid, markupPartsPerMillion: 150_000)
                    $0.billingDay = 15
                })),
        ofCustomer(.customerSuspended(filled { $0.reason = "card declined twice" })),
        ofCustomer(.customerResumed(CustomerResumed())),
        ofCustomer(.customerClosed(filled { $0.reason = "asked to" })),
        ofCustomer(.customerLinked(filled { $0.stripeCustomer = "cus_QXg1o8vcGmoR32" })),
    ]

    private static let credits: [EventDraft] = [
        ofCustomer(
            .creditGranted(
                filled {
                    $0.grant = GrantTerms(
                        id: "grant-1", amount: Money(nanos: 50_000_000_000), priority: 10,
                        effectiveAt: time, expiresAt: time + 31_536_000, category: .promotional,
                        models: ["gpt-4o*"], source: .stripeCheckout,
                        sourceReference: "cs_test_a1B2c3")
                    $0.repaidDebt = Money(nanos: 1_250_000_000)
                })),
        ofCustomer(.creditActivated(filled { $0.grant = "grant-1" })),
        ofCustomer(
            .creditExpired(
                filled {
                    $0.grant = "grant-1"
                    $0.amount = Money(nanos: 48_749_999_999)
                })),
        ofCustomer(
            .creditRevoked(
                filled {
                    $0.grant = "grant-2"
                    $0.amount = Money(nanos: 5_000_000_000)
                    $0.reason = "charged back"
                })),
        ofCustomer(
            .paymentReceived(
                filled {
                    $0.amount = Money(nanos: 31_234_567_000)
                    $0.reference = "in_1MtHbELkdIwHu7ix"
                })),
    ]

    private static let runs: [EventDraft] = [
        ofCustomer(
            .runStarted(
                filled {
                    $0.run = "run-77"
                    $0.user = "user-5"
                    $0.cap = Money(nanos: 2_500_000_000)
                    $0.metadata = [
                        Tag(key: "repo", value: "web"), Tag(key: "étape", value: "\"1\""),
                    ]
                })),
        ofCustomer(
            .runStopped(
                filled {
                    $0.run = "run-77"
                    $0.reason = "cancelled by the user"
                })),
        ofCustomer(.runEnded(filled { $0.run = "run-77" })),
    ]

    static let lines: [BudgetLine] = [
        BudgetLine(
            budget: "monthly", generation: 5, scope: "default/acme", window: november,
            amount: 100_000_000_000, spent: 12_345_678_900, held: 250_000_000, hold: 12_345_600),
        BudgetLine(
            budget: "tokens", generation: 9, window: Window(start: time, end: time + 60),
            measure: .tokens, amount: 100_000, spent: 41_200, held: 2_048, hold: 2_048),
    ]

    static func filled<Payload: Fillable>(_ fill: (inout Payload) -> Void) -> Payload {
        var payload = Payload()
        fill(&payload)
        return payload
    }
}

/// Payloads that begin with their defaults.
protocol Fillable { init() }

extension Instant {
    fileprivate static func + (instant: Instant, seconds: Int64) -> Instant {
        instant.advanced(bySeconds: seconds)
    }
}
