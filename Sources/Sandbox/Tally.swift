// What the player counts of the answers it gets. The server counts for itself; at the end the two
// are compared.

import Money
import Synchronization

/// Why a call was refused.
package struct RefusalReason: Sendable, Hashable {
    /// `exhausted`, `holds_full`, …
    package var code: String
    /// The rule that refused, with the budget's id where it was one.
    package var rule: String
}

struct RefusalTally: Sendable {
    var count: Int64 = 0
    /// Of `count`, those after which the caller tried again.
    var retried: Int64 = 0
    /// Of the others, those whose charge had been estimated; and the sum of these.
    var estimated: Int64 = 0
    var avoidedCharge = Money.zero
}

struct CustomerTally: Sendable {
    var requests: Int64 = 0
    var figures = CustomerFigures()
    var late: Int64 = 0
    var overruns: Int64 = 0
    var clamped: Int64 = 0
    var warned: Int64 = 0
    var shadowed: Int64 = 0
    var inputTokens: Int64 = 0
    var outputTokens: Int64 = 0
    var refusals: [RefusalReason: Int64] = [:]
}

struct ModelTally: Sendable {
    var requests: Int64 = 0
    var settled: Int64 = 0
    var inputTokens: Int64 = 0
    var outputTokens: Int64 = 0
    var cost = Money.zero
    var charge = Money.zero
}

struct Tally: Sendable {
    /// Different unexpected answers that are kept apart; the rest is counted together.
    static let mostFailureKinds = 20

    var customers: [CustomerTally]
    var models: [String: ModelTally] = [:]
    var refusals: [RefusalReason: RefusalTally] = [:]
    var failures: [String: Int64] = [:]
    /// Requests that got their first answer again, as they should.
    var replayed: Int64 = 0
    /// Requests that were sent again for want of an answer or because the server said 503.
    /// By why.
    var retries: [String: Int64] = [:]
    var unansweredInARow = 0
    var reserveLatency = LatencySamples()
    var settleLatency = LatencySamples()
    /// When the last of the holds that nobody resolves ends.
    var lastExpiry: ContinuousClock.Instant?

    init(customers: Int) { self.customers = [CustomerTally](repeating: .init(), count: customers) }

    mutating func begin(_ call: PlannedCall) {
        customers[call.customer].requests += 1
        models[call.model, default: ModelTally()].requests += 1
    }

    mutating func reserved(_ call: PlannedCall, _ reserved: ReservedAnswer, _ answer: LedgerAnswer)
    {
        took(answer)
        reserveLatency.add(answer.latency)
        customers[call.customer].figures.reserved += 1
        customers[call.customer].clamped += reserved.isClamped ? 1 : 0
        customers[call.customer].warned += reserved.warned
        customers[call.customer].shadowed += reserved.shadowed
    }

    mutating func refused(
        _ call: PlannedCall, _ refused: RefusedAnswer, _ answer: LedgerAnswer, isRetried: Bool
    ) {
        took(answer)
        reserveLatency.add(answer.latency)
        let reason = RefusalReason(code: refused.code, rule: refused.budget ?? refused.rule)
        customers[call.customer].figures.rejected += 1
        customers[call.customer].refusals[reason, default: 0] += 1
        var tally = refusals[reason] ?? RefusalTally()
        tally.count += 1
        if isRetried {
            tally.retried += 1
        } else if let charge = refused.expectedCharge {
            tally.estimated += 1
            tally.avoidedCharge.addClamped(charge)
        }
        refusals[reason] = tally
    }

    mutating func settled(
        _ call: PlannedCall, outputTokens: Int64, _ settled: SettledAnswer, _ answer: LedgerAnswer
    ) {
        took(answer)
        settleLatency.add(answer.latency)
        add(settled.figures, minus: settled.replaced, to: call)
        customers[call.customer].figures.settled += 1
        customers[call.customer].figures.overrun.addClamped(settled.overrun)
        customers[call.customer].overruns += settled.overrun > .zero ? 1 : 0
        customers[call.customer].inputTokens += call.contextTokens
        customers[call.customer].outputTokens += outputTokens
        if settled.isLate {
            customers[call.customer].late += 1
            customers[call.customer].figures.expired += 1
        }
        models[call.model, default: ModelTally()].settled += 1
        models[call.model, default: ModelTally()].inputTokens += call.contextTokens
        models[call.model, default: ModelTally()].outputTokens += outputTokens
    }

    mutating func released(_ call: PlannedCall, _ answer: LedgerAnswer) {
        took(answer)
        customers[call.customer].figures.released += 1
    }

    /// A hold that nobody will resolve: it expires.
    ///
    /// - Parameter provisional: what its expiry charges; nil when it gives everything back.
    mutating func leftToExpire(
        _ call: PlannedCall, at expiry: ContinuousClock.Instant, provisional: ChargedFigures?
    ) {
        customers[call.customer].figures.expired += 1
        lastExpiry = max(lastExpiry ?? expiry, expiry)
        if let provisional { add(provisional, minus: ChargedFigures(), to: call) }
    }

    mutating func failed(_ what: String, isUnanswered: Bool = false) {
        let isKnown = failures[what] != nil || failures.count < Self.mostFailureKinds
        failures[isKnown ? what : "others", default: 0] += 1
        unansweredInARow = isUnanswered ? unansweredInARow + 1 : 0
    }

    private mutating func took(_ answer: LedgerAnswer) {
        unansweredInARow = 0
        for why in answer.retries { retries[why, default: 0] += 1 }
    }

    private mutating func add(
        _ figures: ChargedFigures, minus replaced: ChargedFigures, to call: PlannedCall
    ) {
        let cost = figures.cost.subtractingClamped(replaced.cost)
        let charge = figures.charge.subtractingClamped(replaced.charge)
        customers[call.customer].figures.cost.addClamped(cost)
        customers[call.customer].figures.charge.addClamped(charge)
        customers[call.customer].figures.tokens = customers[call.customer].figures.tokens
            .addingClamped(figures.tokens).subtractingClamped(replaced.tokens)
        models[call.model, default: ModelTally()].cost.addClamped(cost)
        models[call.model, default: ModelTally()].charge.addClamped(charge)
    }
}

/// The tally, shared by all calls under way.
final class Recorder: Sendable {
    private let tally: Mutex<Tally>

    init(customers: Int) { tally = Mutex(Tally(customers: customers)) }

    func record(_ change: (inout sending Tally) -> Void) { tally.withLock { change(&$0) } }

    var current: Tally { tally.withLock { $0 } }

    /// The server seems to be gone.
    var isHopeless: Bool { tally.withLock { $0.unansweredInARow >= 20 } }
}

// Figures come from outside: a sum beyond the range stays at its end, and the comparison with the
// server tells.

extension Money {
    mutating func addClamped(_ other: Money) { nanos = nanos.addingClamped(other.nanos) }

    func subtractingClamped(_ other: Money) -> Money {
        Money(nanos: nanos.subtractingClamped(other.nanos))
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
