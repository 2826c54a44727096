// Random but sensible commands: few names, so that calls meet on the same counters and grants,
// small amounts, so that limits bite, and now and then something that makes no sense.

package import Billing
import Money

/// SplitMix64, the same for the same seed on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    package mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &self)
    }

    package mutating func chance(_ percent: Int64) -> Bool { number(1...100) <= percent }

    package mutating func one<T>(of choices: [T]) -> T {
        choices[Int(number(0...Int64(choices.count - 1)))]
    }
}

package struct RandomCommands: Sendable {
    package var random: SeededGenerator
    private var ids = 0
    /// Few customers with many grants, debts and corrections, instead of a bit of everything.
    private let isAboutMoney: Bool

    package static let projects = ["default", "p/2"]
    /// The last two look alike, and are two.
    private static let customers = ["ada", "bob", "c/%d", "zo\u{eb}", "zoe\u{308}"]
    /// Whole nano units a token and fractions of one; a card for some models, one of which has no
    /// other price.
    package static let book = NaiveBook(
        prices: PlainLedger.book.prices.merging(["fine": NaivePrice(input: 1_500, output: 12_345)])
        { $1 },
        cards: [
            "vip": [
                "flat-small": NaivePrice(input: 3_500, output: 8_250),
                "unpriced": NaivePrice(input: 2_500, output: 7_777),
            ]
        ])
    private static let users: [String?] = [nil, nil, "u1", "u/2", "\u{fc}", "u\u{308}"]
    private static let runs: [String?] = [nil, nil, nil, "run1", "run2", "run3"]
    private static let plans = ["default", "gold"]
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    ]

    package init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        isAboutMoney = seed % 3 == 1
    }

    /// The next command, chosen with an eye on what there is.
    package mutating func next(_ model: NaiveLedger, now: Instant) -> Command {
        if isAboutMoney, random.chance(50) {
            switch random.number(0...9) {
            case ..<4: return .adjust(adjust(model))
            case ..<6: return .recordUsage(record())
            default: return .grantCredit(customer(), grant(now))
            }
        }
        switch random.number(0...99) {
        case ..<38: return .reserve(reserve())
        case ..<56: return .settle(SettleRequest(key: target(model), actual: actual(missing: 8)))
        case ..<61: return .release(target(model), reason: "random")
        case ..<65: return .extend(target(model), seconds: random.number(1...900))
        case ..<73: return .adjust(adjust(model))
        case ..<79: return .recordUsage(record())
        case ..<90: return change(model, now)
        default: return setting(model, now)
        }
    }

    // MARK: Calls

    private mutating func id(_ prefix: String) -> String {
        ids += 1
        return random.chance(5) ? "\(prefix)/\(ids)%ü" : "\(prefix)\(ids)"
    }

    private mutating func customer() -> CustomerKey {
        if isAboutMoney {
            return CustomerKey(project: "default", id: random.chance(70) ? "ada" : "bob")
        }
        return CustomerKey(
            project: random.chance(85) ? Self.projects[0] : Self.projects[1],
            id: random.one(of: Self.customers))
    }

    private mutating func subject() -> Subject {
        let key = customer()
        let tags: [Tag] =
            switch random.number(0...4) {
            case 0: [Tag(key: "env", value: "a/b")]
            case 1: [Tag(key: "env", value: "x"), Tag(key: "team", value: "red")]
            case 2: [Tag(key: "team", value: "red")]
            default: []
            }
        return Subject(
            project: key.project, customer: key.id, user: random.one(of: Self.users),
            run: random.one(of: Self.runs), tags: tags)
    }

    private mutating func model() -> String {
        switch random.number(0...99) {
        case ..<2: "no-such"
        case ..<10: "unpriced"
        case ..<18: "fine"
        case ..<73: "flat-small"
        default: "flat-large"
        }
    }

    private mutating func reserve() -> ReserveRequest {
        let size: CallSize
        if random.chance(40) {
            size = .amount(Money(nanos: random.chance(8) ? 0 : random.number(1...1500)))
        } else {
            let cap = random.chance(5) ? 0 : random.number(1...60)
            size = .counts(
                UsageEstimate(
                    inputTokens: random.number(0...60), maxOutputTokens: cap,
                    expectedOutputTokens: random.chance(70) ? random.number(0...cap) : nil,
                    completions: random.chance(15) ? random.number(1...3) : nil))
        }
        let call = CallRequest(subject: subject(), model: model(), size: size)
        let seconds = random.chance(15) ? nil : random.chance(85) ? random.number(1...300) : 90_000
        let policies: [ExpiryPolicy?] = [nil, .release, .charge, .charge]
        return ReserveRequest(
            id: id("r"), call: call, holdSeconds: seconds, onExpiry: random.one(of: policies))
    }

    /// A call to do something about: mostly an open one, rarely one that never was.
    private mutating func target(_ model: NaiveLedger) -> ReservationKey {
        if random.chance(3) || model.calls.isEmpty {
            return ReservationKey(project: "default", id: "never")
        }
        let open = model.calls.filter(\.isOpen)
        if random.chance(80), !open.isEmpty { return random.one(of: open).key }
        return random.one(of: Array(model.calls.suffix(40))).key
    }

    private mutating func usage() -> ReportedUsage {
        var usage = ReportedUsage()
        usage.inputTokens = random.number(0...60)
        usage.outputTokens = random.chance(10) ? 0 : random.number(0...150)
        return usage
    }

    private mutating func actual(missing percent: Int64) -> ActualUsage {
        if random.chance(percent) { return .missing }
        if random.chance(50) { return .usage(usage()) }
        return .amount(Money(nanos: random.chance(10) ? 0 : random.number(0...1800)))
    }

    private mutating func adjust(_ model: NaiveLedger) -> AdjustRequest {
        let charged = model.calls.filter { [.settled, .charged, .recorded].contains($0.status) }
        let key =
            random.chance(90) && !charged.isEmpty ? random.one(of: charged).key : target(model)
        let most = model.calls.first { $0.key == key }?.actual.charge ?? 0
        let correction: Correction
        if random.chance(25) {
            correction = .usage(usage())
        } else {
            let change =
                random.chance(70) ? -random.number(0...max(most, 1)) : random.number(1...900)
            correction = .delta(
                cost: Money(nanos: random.chance(80) ? 0 : change), charge: Money(nanos: change))
        }
        return AdjustRequest(key: key, correction: correction, reason: "random", author: "model")
    }

    private mutating func record() -> UsageRequest {
        UsageRequest(id: id("u"), subject: subject(), model: model(), actual: actual(missing: 3))
    }

    // MARK: Money and runs

    private mutating func change(_ model: NaiveLedger, _ now: Instant) -> Command {
        let key = customer()
        switch random.number(0...19) {
        case ..<9: return .grantCredit(key, grant(now))
        case ..<11:
            let grants = model.customers[key]?.grants.map(\.terms.id) ?? []
            let known = grants.filter { !$0.contains("~") }
            return .revokeCredit(
                key, grant: known.isEmpty ? "none" : random.one(of: known), reason: nil)
        case ..<14:
            return .receivePayment(
                key, amount: Money(nanos: random.number(-200...2500)), reference: nil)
        case ..<17:
            let cap = random.chance(70) ? Money(nanos: random.number(0...6000)) : nil
            return .startRun(RunRequest(key: run(key.project), customer: key.id, cap: cap))
        case 17: return .stopRun(run(key.project), reason: "random")
        case 18: return .endRun(run(key.project))
        default: return .advanceClock(to: now.advanced(bySeconds: random.number(-5...500)))
        }
    }

    private mutating func run(_ project: String) -> RunKey {
        RunKey(project: project, id: random.one(of: ["run1", "run2", "run3"]))
    }

    private mutating func grant(_ now: Instant) -> GrantTerms {
        let start = random.chance(75) ? 0 : random.number(1...7200)
        let length = random.chance(40) ? nil : random.number(1...20_000)
        let restrictions: [[String]] = [[], [], [], ["flat-small"], ["flat-l*", "x"]]
        return GrantTerms(
            id: id("g"), amount: Money(nanos: random.number(100...5000)),
            priority: random.number(0...2), effectiveAt: now.advanced(bySeconds: start),
            expiresAt: length.map { now.advanced(bySeconds: start + $0) },
            category: random.chance(50) ? .paid : .promotional, models: random.one(of: restrictions)
        )
    }

    // MARK: Settings

    private mutating func setting(_ model: NaiveLedger, _ now: Instant) -> Command {
        let key = customer()
        switch random.number(0...27) {
        case ..<11: return .setBudget(budget(model))
        case 11: return .removeBudget(id: budgetID())
        case ..<15:
            return .updateCustomer(
                CustomerSettings(
                    key: key, plan: random.chance(50) ? random.one(of: Self.plans) : nil,
                    terms: random.chance(70) ? terms() : nil,
                    billingDay: random.chance(30) ? random.number(1...31) : nil))
        case ..<18: return .openCustomer(CustomerSettings(key: key, terms: terms()))
        case ..<20: return .suspendCustomer(key, reason: "random")
        case ..<23: return .resumeCustomer(key)
        case 23:
            return random.chance(15)
                ? .closeCustomer(key, reason: "random")
                : .setPlan(Plan(id: "gold", name: "Gold", terms: terms()))
        default:
            var project = Project(id: key.project)
            project.defaultPlan = random.one(of: Self.plans)
            if random.chance(80) { project.ceilingRates = ceiling() }
            project.allowsAmountSettlement = random.chance(50)
            project.onExpiry = random.chance(50) ? .charge : .release
            return .setProject(project)
        }
    }

    package mutating func ceiling() -> CeilingRates {
        CeilingRates(
            input: Rate(picos: random.number(0...20_000)),
            output: Rate(picos: random.number(0...60_000)))
    }

    package mutating func terms() -> Terms {
        let modes: [FundingMode?] =
            isAboutMoney && random.chance(80)
            ? [.prepaid] : [nil, .prepaid, .prepaid, .postpaid, .unfunded]
        return Terms(
            funding: random.one(of: modes),
            creditLimit: random.chance(50) ? Money(nanos: random.number(0...4000)) : nil,
            fundingHolds: random.chance(30) ? .expected : nil,
            markupPartsPerMillion: random.one(
                of: [nil, nil, 250_000, 500_000, 1_000_000, -500_000, 333_333, -999_999]),
            rateCard: random.one(of: [nil, nil, "vip", "vip", "none"]))
    }

    private mutating func budgetID() -> String { "b\(random.number(0...9))" }

    private mutating func budget(_ model: NaiveLedger) -> BudgetRule {
        let measure = random.one(of: [BudgetMeasure.charge, .charge, .cost, .tokens, .requests])
        let id = budgetID()
        if let old = model.budgets[id]?.rule, random.chance(50) {
            var rule = old
            rule.amount = amount(rule.measure)
            return rule
        }
        var match = BudgetMatch()
        if random.chance(25) { match.project = random.one(of: Self.projects) }
        if random.chance(35) { match.customer = random.one(of: Self.customers) }
        if random.chance(15) { match.plan = random.one(of: Self.plans) }
        if random.chance(12) { match.user = "u1" }
        if random.chance(12) { match.run = "run1" }
        if random.chance(20) { match.model = random.one(of: ["flat-*", "*large", "flat-smal?"]) }
        if random.chance(15) { match.tags = [Tag(key: "team", value: "red")] }
        let dimensions: [BudgetDimension] = [
            .project, .plan, .customer, .customer, .user, .run, .model, .tag("env"), .tag("team"),
        ]
        let per = dimensions.filter { _ in random.chance(22) }
        let reactions: [OnExceed] = [.reject, .reject, .reject, .clamp, .clamp, .warn, .shadow]
        return BudgetRule(
            id: id, name: "n\(random.number(0...6))", match: match, per: per, measure: measure,
            window: random.one(of: BudgetWindow.allCases), timeZone: random.one(of: Self.zones),
            amount: amount(measure), holds: random.chance(60) ? .bound : .expected,
            onExceed: random.one(of: reactions))
    }

    private mutating func amount(_ measure: BudgetMeasure) -> Int64 {
        switch measure {
        case .charge, .cost: random.chance(5) ? 0 : random.number(300...15_000)
        case .tokens: random.number(20...1200)
        case .requests: random.number(0...15)
        }
    }
}
