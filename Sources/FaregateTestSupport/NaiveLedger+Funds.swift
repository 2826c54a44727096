// Grants, debt and where a charge goes, plainly: every balance is a sum over all calls.

import Billing
import Money

/// Where a charge, or a part of it taken back, goes.
struct NaiveSplit {
    var grants: [NaivePortion] = []
    var billable: Int64 = 0
    var debt: Int64 = 0
    var absorbed: Int64 = 0
}

/// What the funds say to a call.
struct NaiveFunding {
    var mode = FundingMode.unfunded
    var portions: [NaivePortion] = []
    var uncovered: Int64 = 0
    var refusal: (code: RejectionCode, rule: RejectionRule)?
    /// The most that would pass; nil: nothing would.
    var affordable: Int64?
}

extension NaiveLedger {
    // MARK: Balances

    func calls(of key: CustomerKey) -> [NaiveCall] {
        calls.filter { $0.subject.customerKey == key }
    }

    func burnt(_ index: Int, of key: CustomerKey) -> Int64 {
        let direct = calls(of: key).flatMap(\.burnt).filter { $0.index == index }
        return direct.reduce(repaid(index, of: key)) { $0 + $1.amount }
    }

    /// Debt that the grant has repaid.
    func repaid(_ index: Int, of key: CustomerKey) -> Int64 {
        let repayments = customers[key]?.repayments ?? []
        return repayments.filter { $0.index == index }.reduce(0) { $0 + $1.amount }
    }

    func held(_ index: Int, of key: CustomerKey) -> Int64 {
        calls(of: key).filter(\.isOpen).flatMap(\.heldGrants).filter { $0.index == index }
            .reduce(0) { $0 + $1.amount }
    }

    func remaining(_ index: Int, of key: CustomerKey) -> Int64 {
        guard let grant = customers[key]?.grants[index] else { return 0 }
        return grant.terms.amount.nanos - burnt(index, of: key) - grant.lostByExpiry
            - grant.lostByRevocation
    }

    func debt(of key: CustomerKey) -> Int64 {
        let repaid = customers[key]?.repayments.reduce(0) { $0 + $1.amount } ?? 0
        return calls(of: key).reduce(0) { $0 + $1.debt } - repaid
    }

    func heldUncovered(of key: CustomerKey) -> Int64 {
        calls(of: key).filter(\.isOpen).reduce(0) { $0 + $1.heldUncovered }
    }

    /// Billed and not paid.
    func owed(by key: CustomerKey) -> Int64 {
        let paid = customers[key]?.payments.reduce(0, +) ?? 0
        return calls(of: key).reduce(0) { $0 + $1.billable } - paid
    }

    // MARK: Paying

    /// Grants that may pay, in burn order: priority, then earlier expiry, then earlier creation.
    private func usable(_ key: CustomerKey, _ now: Instant, model: String?) -> [Int] {
        let grants = customers[key]?.grants ?? []
        let indexes = grants.indices.filter { index in
            let grant = grants[index]
            if grant.isEnded || !grant.isActive { return false }
            if let expiry = grant.terms.expiresAt, expiry <= now { return false }
            guard let model else { return grant.terms.models.isEmpty }
            return grant.terms.models.isEmpty
                || grant.terms.models.contains { Self.glob($0, model) }
        }
        func order(_ index: Int) -> (Int64, Int64, Int) {
            let terms = grants[index].terms
            return (terms.priority, terms.expiresAt?.microseconds ?? .max, index)
        }
        return indexes.sorted { order($0) < order($1) }
    }

    /// Takes up to `amount` out of what grants have free; model nil: unrestricted grants only.
    private func cover(
        _ amount: Int64, _ key: CustomerKey, _ now: Instant, model: String?
    ) -> (portions: [NaivePortion], rest: Int64) {
        var portions: [NaivePortion] = []
        var rest = amount
        for index in usable(key, now, model: model) {
            let portion = min(rest, remaining(index, of: key) - held(index, of: key))
            if portion > 0 { portions.append(NaivePortion(index: index, amount: portion)) }
            rest -= max(portion, 0)
        }
        return (portions, rest)
    }

    /// Whether the funds carry a call of `size` at `cap`, and from where.
    func fund(
        _ size: NaiveSize, cap: Int64, _ customer: NaiveCustomer, model: String, _ now: Instant
    ) -> NaiveFunding {
        let terms = terms(of: customer)
        let holds = terms.fundingHolds ?? .bound
        let need = size.hold(holds, cap: cap).charge
        var result = NaiveFunding(mode: terms.funding ?? .postpaid, uncovered: need)
        let isPrepaid = result.mode == .prepaid
        // A customer that was prepaid once may have debt in any mode.
        let tolerated = isPrepaid ? terms.creditLimit?.nanos ?? 0 : 0
        if debt(of: customer.key) > tolerated {
            result.refusal = (.exhausted, .debt)
            return result
        }
        if result.mode == .unfunded { return result }
        (result.portions, result.uncovered) = cover(need, customer.key, now, model: model)
        let grants = usable(customer.key, now, model: model)
        let standing = grants.reduce(0) { $0 + remaining($1, of: customer.key) }
        let free = grants.reduce(standing) { $0 - held($1, of: customer.key) }
        guard let limit = terms.creditLimit?.nanos ?? (isPrepaid ? 0 : nil) else { return result }
        let used = isPrepaid ? debt(of: customer.key) : owed(by: customer.key)
        // What is free in grants is never lost to what is owed beyond them.
        let room = limit - used - heldUncovered(of: customer.key)
        let passes = Self.passes(need, free: free, room: room)
        if passes { return result }
        let wouldPass = Self.passes(need, free: standing, room: limit - used)
        result.refusal = (
            wouldPass ? .holdsFull : .exhausted, isPrepaid ? .prepaidFunds : .creditLimit
        )
        if free > 0 || room >= 0 {
            result.affordable = Self.highestCap(size, into: free + max(room, 0), holds, .charge)
        }
        return result
    }

    private static func passes(_ need: Int64, free: Int64, room: Int64) -> Bool {
        if need <= free, free > 0 { return true }
        return room >= 0 && need - free <= room
    }

    /// Where a charge goes: what its hold has taken, other usable grants, then the mode's own
    /// place.
    func split(
        _ charge: Int64, _ call: NaiveCall, holding: [NaivePortion], _ now: Instant
    ) -> NaiveSplit {
        var result = NaiveSplit()
        var rest = charge
        for portion in holding {
            let used = min(rest, portion.amount)
            if used > 0 { result.grants.append(NaivePortion(index: portion.index, amount: used)) }
            rest -= used
        }
        if call.mode != .unfunded, rest > 0 {
            let more = cover(rest, call.subject.customerKey, now, model: call.model)
            result.grants += more.portions
            rest = more.rest
        }
        switch call.mode {
        case .prepaid: result.debt = rest
        case .postpaid: result.billable = rest
        case .unfunded: result.absorbed = rest
        }
        return result
    }

    mutating func book(_ split: NaiveSplit, on index: Int) {
        for portion in split.grants {
            if let known = calls[index].burnt.firstIndex(where: { $0.index == portion.index }) {
                calls[index].burnt[known].amount += portion.amount
            } else {
                calls[index].burnt.append(portion)
            }
        }
        calls[index].billable += split.billable
        calls[index].debt += split.debt
        calls[index].absorbed += split.absorbed
    }

    // MARK: Debt

    /// Unrestricted grants repay what they can. Returns what they repaid.
    mutating func repay(_ key: CustomerKey, _ now: Instant) -> [NaivePortion] {
        let portions = cover(max(debt(of: key), 0), key, now, model: nil).portions
        customers[key]?.repayments += portions
        return portions
    }

    // MARK: Grants' lives

    mutating func give(_ terms: GrantTerms, to key: CustomerKey, _ now: Instant) {
        let isActive = terms.effectiveAt <= now
        customers[key]?.grants.append(NaiveGrant(terms: terms, isActive: isActive))
        repayWithNewest((customers[key]?.grants.count ?? 1) - 1, of: key)
    }

    mutating func activate(_ index: Int, of key: CustomerKey) {
        customers[key]?.grants[index].isActive = true
        repayWithNewest(index, of: key)
    }

    /// A grant that has just begun repays debt, whatever else there is.
    private mutating func repayWithNewest(_ index: Int, of key: CustomerKey) {
        guard let grant = customers[key]?.grants[index], grant.isActive, grant.terms.models.isEmpty
        else { return }
        let amount = min(max(debt(of: key), 0), remaining(index, of: key))
        if amount > 0 {
            customers[key]?.repayments.append(NaivePortion(index: index, amount: amount))
        }
    }

    mutating func end(_ index: Int, of key: CustomerKey, isRevoked: Bool) {
        let lost = remaining(index, of: key) - held(index, of: key)
        customers[key]?.grants[index].isEnded = true
        if isRevoked {
            customers[key]?.grants[index].lostByRevocation += lost
        } else {
            customers[key]?.grants[index].lostByExpiry += lost
        }
    }

    /// An ended grant keeps only what open holds have of it.
    mutating func dropEnded(_ key: CustomerKey) {
        for (index, grant) in (customers[key]?.grants ?? []).enumerated() where grant.isEnded {
            let lost = remaining(index, of: key) - held(index, of: key)
            customers[key]?.grants[index].lostByExpiry += lost
        }
    }

    // MARK: Taking a charge back

    /// Gives `amount` of what the call was charged back to where it went: first the mode's own
    /// place, then grants that have repaid its debt, then the grants it burnt, last burnt first.
    /// What comes back to a grant that has ended becomes a new one.
    mutating func giveBack(
        _ amount: Int64, on index: Int, _ now: Instant
    ) -> (split: NaiveSplit, repaid: [NaivePortion]) {
        let call = calls[index]
        let key = call.subject.customerKey
        var split = NaiveSplit()
        var rest = amount
        func take(_ most: Int64) -> Int64 {
            let portion = min(rest, max(most, 0))
            rest -= portion
            return portion
        }
        split.billable = -take(call.billable)
        split.absorbed = -take(call.absorbed)
        let standing = take(min(call.debt, debt(of: key)))
        var undone: [NaivePortion] = []
        var repaidDebt = min(rest, max(call.debt - standing, 0))
        for grant in (customers[key]?.grants ?? []).indices.reversed() where repaidDebt > 0 {
            let portion = min(repaidDebt, repaid(grant, of: key))
            if portion > 0 { undone.append(NaivePortion(index: grant, amount: -portion)) }
            repaidDebt -= max(portion, 0)
        }
        let undoneDebt = undone.reduce(0) { $0 - $1.amount }
        rest -= undoneDebt
        split.debt = -standing - undoneDebt
        for portion in call.burnt.reversed() {
            let back = take(portion.amount)
            if back > 0 { split.grants.append(NaivePortion(index: portion.index, amount: -back)) }
        }
        book(split, on: index)
        customers[key]?.repayments += undone
        dropEnded(key)
        let repaidNow = repay(key, now)
        regrant(undone + split.grants, call.key.id, key, now)
        return (split, undone + repaidNow)
    }

    private mutating func regrant(
        _ back: [NaivePortion], _ reservation: String, _ key: CustomerKey, _ now: Instant
    ) {
        let indexes = back.map(\.index).reduce(into: [Int]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        for index in indexes {
            guard let grant = customers[key]?.grants[index], grant.isEnded else { continue }
            let amount = back.filter { $0.index == index }.reduce(0) { $0 - $1.amount }
            var terms = grant.terms
            terms.id = "\(terms.id)~correction \(customers[key]?.grants.count ?? 0)"
            terms.amount = Money(nanos: amount)
            terms.effectiveAt = now
            terms.expiresAt = nil
            terms.source = .correction
            terms.sourceReference = reservation
            give(terms, to: key, now)
        }
    }
}
