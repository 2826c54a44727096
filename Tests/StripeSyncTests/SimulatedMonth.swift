import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import Money
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Synchronization

/// Stripe without sockets; may kill the process that asks.
final class MortalStripe: StripeTransport {
    let account: Mutex<StripeAccount>
    private let clock: ManualClock
    /// Requests until the process dies; below zero: it does not.
    let requestsLeft = Atomic<Int>(-1)
    let crash: Crash
    /// Breaks on purpose what keeps a push from being counted twice.
    let losesIdentifiers = Atomic<Bool>(false)
    private let sent = Atomic<Int>(0)

    init(_ account: StripeAccount, _ clock: ManualClock, _ crash: Crash) {
        self.account = Mutex(account)
        self.clock = clock
        self.crash = crash
    }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        if crash.isDead { throw TransportError(.closed, "dead") }
        var asked = SimulatedStripe.simulated(request)
        if losesIdentifiers.load(ordering: .relaxed), asked.path.hasSuffix("/meter_events") {
            let number = sent.add(1, ordering: .relaxed).newValue
            let text = String(decoding: asked.body, as: UTF8.self)
            asked.body = Array(
                text.split(separator: "&").map { pair in
                    pair.hasPrefix("identifier=") ? "identifier=other\(number)" : String(pair)
                }.joined(separator: "&").utf8)
            asked.headers.removeAll { $0.name == "Idempotency-Key" }
        }
        let now = clock.now().microseconds
        defer {
            if requestsLeft.load(ordering: .relaxed) >= 0,
                requestsLeft.subtract(1, ordering: .relaxed).newValue < 0
            {
                // Stripe has heard it; nobody hears the answer.
                crash.die()
            }
        }
        return try SimulatedStripe.response(of: account, to: asked, at: now)
    }

    func shutdown() async {}
}

/// A process that dies records nothing any more.
final class Crash: StripeLedger {
    private let engine: Engine
    private let dead = Atomic<Bool>(false)

    init(_ engine: Engine) { self.engine = engine }

    var isDead: Bool { dead.load(ordering: .relaxed) }
    func die() { dead.store(true, ordering: .relaxed) }
    func revive() { dead.store(false, ordering: .relaxed) }

    func submit(_ requests: [EngineRequest]) async -> [Result<CommandReply, EngineError>] {
        if isDead { return requests.map { _ in .failure(.shuttingDown) } }
        return await engine.submit(requests)
    }
}

/// Months of a few customers, hour by hour, with everything that goes wrong.
final class SimulatedMonth {
    static let secret = "whsec_simulated"
    /// 2026-03-01T00:00:00Z.
    static let start = Instant(microseconds: 1_772_323_200_000_000)

    let seed: UInt64
    let fixture: LedgerFixture
    let crash: Crash
    let stripe: MortalStripe
    let folder: TemporaryFolder
    var settings = StripeSettings()
    var sync: StripeSync?
    var random: SplitMix
    var meter = ""
    var price = ""
    var stripeIDs: [String: String] = [:]
    var subscriptionIDs: [String: String] = [:]
    /// Micro-units of credit that were paid for, by customer.
    var paid: [String: Int64] = [:]
    var crashes = 0
    private var usage = 0
    private var changes = 0
    /// Webhooks of these types never arrive.
    var lostTypes: Set<String> = []

    init(seed: UInt64, customers: Int) async throws {
        self.seed = seed
        random = SplitMix(seed)
        fixture = try await LedgerFixture(start: Self.start)
        crash = Crash(fixture.engine)
        stripe = MortalStripe(
            StripeAccount(seed: seed, now: Self.start.microseconds), fixture.clock, crash)
        folder = try TemporaryFolder(isInMemory: true)
        stripe.account.withLock { $0.addEndpoint(url: "sim", secret: Self.secret) }
        meter = try await ask(
            StripeMeter.create(eventName: settings.meter, displayName: "Usage"))
        let product = try await ask(StripeCalls.createProduct(id: "p", name: "Usage"))
        price = try await ask(
            StripeCalls.createPrice(
                product: product, meter: meter, currency: "usd", unitAmountDecimal: "0.0001",
                interval: "month", lookupKey: "usage"))
        for number in 0..<customers { try await open("c\(number)") }
    }

    private var client: StripeClient? {
        guard let key = StripeKey("sk_test_simulated") else { return nil }
        return StripeClient(
            transport: stripe, key: key, rule: RetryRule(retriesMax: 0), sleeper: NoSleep())
    }

    /// - Returns: the object's id.
    func ask(_ call: StripeCall) async throws -> String {
        guard let client else { throw SimulationError.broken("no client") }
        let answer = try await client.perform(call)
        guard let id = answer.body.objectID else { throw SimulationError.broken("no id") }
        return id
    }

    private func open(_ name: String) async throws {
        var form = FormBody()
        form.add("metadata[faregate_customer]", name)
        let id = try await ask(.post("/v1/customers", form, idempotencyKey: nil))
        stripeIDs[name] = id
        try await fixture.open(name, Terms(funding: .postpaid))
        var subscription = FormBody()
        subscription.add("customer", id)
        subscription.add("items[0][price]", price)
        subscriptionIDs[name] = try await ask(
            .post("/v1/subscriptions", subscription, idempotencyKey: nil))
    }

    /// The customer buys credit for so many cents.
    func topUp(_ name: String, cents: Int64) async throws {
        let session = try await ask(
            StripeCalls.createCheckout(
                stripeCustomer: stripeIDs[name] ?? "", amountMinorUnits: cents, currency: "usd",
                name: "Credit", successURL: "https://example.test", cancelURL: nil,
                metadata: ["faregate_customer": name, "faregate_credit": "paid"],
                idempotencyKey: "topup:\(name):\(fixture.clock.now().microseconds)"))
        _ = stripe.account.withLock { $0.paySession(session) }
        paid[name, default: 0] += cents * 10_000
    }

    /// Customers whose subscription ended.
    private(set) var endedNames: Set<String> = []

    func cancel(_ name: String, invoiceNow: Bool) {
        endedNames.insert(name)
        stripe.account.withLock {
            $0.endSubscription(subscriptionIDs[name] ?? "", invoiceNow: invoiceNow)
        }
    }

    /// Its usage is billed at another price from now on, which the meter feeds as well.
    func changePrice(_ name: String) async throws {
        changes += 1
        let other = try await ask(
            StripeCalls.createPrice(
                product: "p", meter: meter, currency: "usd", unitAmountDecimal: "0.0001",
                interval: "month", lookupKey: "usage_\(changes)"))
        var form = FormBody()
        form.add("items[0][price]", other)
        _ = try await ask(
            .post(
                "/v1/subscriptions/\(subscriptionIDs[name] ?? "")", form, idempotencyKey: nil))
    }

    func delete(_ name: String) {
        endedNames.insert(name)
        stripe.account.withLock { $0.deleteCustomer(stripeIDs[name] ?? "") }
    }

    func process() throws -> StripeSync {
        if let sync { return sync }
        guard let client else { throw SimulationError.broken("no client") }
        let made = StripeSync(
            ledger: crash, store: fixture.store, client: client, path: folder.path + "/stripe",
            settings: settings, clock: fixture.clock, isInline: true)
        sync = made
        return made
    }

    // MARK: Time

    /// One step: traffic, webhooks, a turn of the pusher that may die in the middle.
    func step(minutes: Int64, hasTraffic: Bool, canCrash: Bool) async throws {
        let skew = Int64(random.below(60))
        fixture.clock.set(fixture.clock.now().advanced(bySeconds: minutes * 60 + skew - 30))
        let now = fixture.clock.now().microseconds
        if hasTraffic { try await traffic() }
        try await deliver(at: now)
        if canCrash, random.below(20) == 0 {
            stripe.requestsLeft.store(random.below(6), ordering: .relaxed)
        }
        let process = try process()
        do throws(StripeProblem) {
            try await process.turn()
        } catch {
            guard crash.isDead else { throw error }
        }
        if crash.isDead { try await restart() }
        stripe.requestsLeft.store(-1, ordering: .relaxed)
    }

    private func restart() async throws {
        crashes += 1
        await sync?.stop()
        sync = nil
        crash.revive()
        stripe.requestsLeft.store(-1, ordering: .relaxed)
        // Its file is only a cache: it may be lost with it.
        if random.below(3) == 0 {
            for name in folder.names where name.hasPrefix("stripe") {
                _ = try? removeFile(folder.path + "/" + name)
            }
        }
    }

    private func traffic() async throws {
        for name in stripeIDs.keys.sorted() where random.below(4) == 0 {
            usage += 1
            let nanos = Int64(1 + random.below(3_000_000_000))
            let request = EngineRequest(
                .recordUsage(
                    UsageRequest(
                        id: "u\(usage)", subject: fixture.subject(name), model: "gpt-4o",
                        actual: .amount(Money(nanos: nanos)))),
                requestHash: Fingerprint(.request, "", "u\(usage)"))
            _ = try await fixture.engine.submit(request)
            if random.below(12) == 0 {
                let less = Money(nanos: -Int64(random.below(Int(nanos))))
                _ = try await fixture.engine.submit(
                    EngineRequest(
                        .adjust(
                            AdjustRequest(
                                key: fixture.key("u\(usage)"),
                                correction: .delta(cost: .zero, charge: less), reason: "test",
                                author: "test"))))
            }
        }
    }

    private func deliver(at now: Int64) async throws {
        guard let verifier = WebhookVerifier(secrets: [Self.secret]) else {
            throw SimulationError.broken("no verifier")
        }
        while true {
            let due = stripe.account.withLock { $0.dueDeliveries(at: now) }
            if due.isEmpty { return }
            for delivery in due.shuffled(using: &random) {
                // Our server is down now and then.
                guard random.below(15) != 0 else {
                    stripe.account.withLock { $0.delivered(delivery.id, status: nil, at: now) }
                    continue
                }
                let header = delivery.headers.first { $0.name == "Stripe-Signature" }?.value
                let verdict = verifier.verify(
                    header: header, body: delivery.body, now: now / 1_000_000)
                guard verdict == .valid else { throw SimulationError.broken("\(verdict)") }
                let event = try StripeEvent(body: delivery.body)
                if !lostTypes.contains(event.type) {
                    _ = try await StripeSync.receive(
                        event, body: delivery.body, into: fixture.engine)
                }
                stripe.account.withLock { $0.delivered(delivery.id, status: 200, at: now) }
            }
        }
    }
}

enum SimulationError: Error { case broken(String) }

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0xD134_2543_DE82_EF95 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
