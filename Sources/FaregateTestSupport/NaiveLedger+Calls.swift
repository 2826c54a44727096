// A call's life, plainly.

import Billing
import Money

extension NaiveLedger {
    // MARK: Reserve

    mutating func reserve(_ request: ReserveRequest, _ now: Instant) throws -> NaiveAnswer {
        let subject = request.call.subject
        guard let project = projects[subject.project] else { throw NaiveRefusal(.notFound) }
        try sight(subject.customerKey)
        guard let customer = customers[subject.customerKey] else { throw NaiveRefusal(.notFound) }
        var call = NaiveCall(
            key: request.key, subject: subject, model: request.call.model, status: .rejected)
        defer { calls.append(call) }
        if let refusal = refusedByStatus(customer, subject) { return refusal }
        guard let size = size(of: request.call, customer) else {
            return Self.rejected(.unknownPrice, .price)
        }
        call.size = size
        var counters = counters(for: subject, customer: customer, model: call.model, now)
        call.cap = Self.clamp(size, &counters)
        let funding = fund(size, cap: call.cap, customer, model: call.model, now)
        if var refusal = refusal(size, counters, funding, now, subject.project) {
            if refusal.rule == .runCap, let run = subject.runKey {
                runs[run]?.wasCapExceeded = true
            }
            refusal.lines = counters.map(\.text)
            refusal.show(size, cap: call.cap)
            return refusal
        }
        call.status = .open
        call.wasReserved = true
        call.lines = counters.map(\.line)
        call.mode = funding.mode
        call.heldGrants = funding.portions
        call.heldUncovered = funding.uncovered
        call.expiresAt = now.advanced(bySeconds: request.holdSeconds ?? project.holdSeconds)
        call.onExpiry = request.onExpiry ?? project.onExpiry
        call.allowsAmount = project.allowsAmountSettlement || size.amount != nil
        var answer = NaiveAnswer("usage.reserved")
        answer.lines = counters.map(\.text)
        answer.holds = NaiveAnswer.portions(call.heldGrants)
        answer.uncovered = call.heldUncovered
        answer.maxOutput = call.cap
        answer.show(size, cap: call.cap)
        answer.expiresAt = call.expiresAt
        return answer
    }

    private func refusedByStatus(_ customer: NaiveCustomer, _ subject: Subject) -> NaiveAnswer? {
        if customer.status == .suspended { return Self.rejected(.suspended, .customerSuspended) }
        if customer.status == .closed { return Self.rejected(.policy, .customerClosed) }
        guard let key = subject.runKey, let run = runs[key] else { return nil }
        if run.status == .stopped { return Self.rejected(.policy, .runStopped) }
        if run.status == .ended { return Self.rejected(.policy, .runEnded) }
        return nil
    }

    private static func rejected(_ code: RejectionCode, _ rule: RejectionRule) -> NaiveAnswer {
        var answer = NaiveAnswer("usage.rejected")
        answer.rejection = code
        answer.rule = rule
        return answer
    }

    private func size(of call: CallRequest, _ customer: NaiveCustomer) -> NaiveSize? {
        switch call.size {
        case .amount(let amount): return NaiveSize(amount: amount.nanos)
        case .counts(let estimate):
            guard let tariff = tariff(call.model, customer) else { return nil }
            let cap = estimate.maxOutputTokens ?? 0
            return NaiveSize(
                inputTokens: estimate.inputTokens, maxOutput: cap,
                expectedOutput: min(estimate.expectedOutputTokens ?? cap, cap),
                completions: estimate.completions ?? 1, tariff: tariff)
        }
    }

    /// Lowers the output cap until every `clamp` counter that can be met is met; then notes what
    /// each counter holds and how it took the call.
    private static func clamp(_ size: NaiveSize, _ counters: inout [NaiveCounter]) -> Int64 {
        var cap = size.maxOutput
        func hold(_ counter: NaiveCounter, _ cap: Int64) -> Int64 {
            size.hold(counter.holds, cap: cap).quantity(counter.line.measure)
        }
        for counter in counters
        where counter.onExceed == .clamp && !counter.fits(hold(counter, size.maxOutput)) {
            let most = highestCap(
                size, into: counter.available ?? .max, counter.holds, counter.line.measure)
            if let most, most > 0 { cap = min(cap, most) }
        }
        for index in counters.indices {
            let counter = counters[index]
            counters[index].line.hold = hold(counter, cap)
            let asked = hold(counter, size.maxOutput)
            if counter.limit == nil {
                counters[index].outcome = "counted"
            } else if counter.fits(hold(counter, cap)) {
                let wasClamped = counter.onExceed == .clamp && !counter.fits(asked)
                counters[index].outcome = wasClamped ? "clamped" : "fits"
            } else {
                switch counter.onExceed {
                case .reject, .clamp: counters[index].outcome = "refused"
                case .warn: counters[index].outcome = "warned"
                case .shadow: counters[index].outcome = "shadowed"
                }
            }
        }
        return cap
    }

    /// Of several rules that refuse, the one with the least hope is named: too large before
    /// exhausted before full; among equals the first counter, and the funds last.
    private func refusal(
        _ size: NaiveSize, _ counters: [NaiveCounter], _ funding: NaiveFunding, _ now: Instant,
        _ project: String
    ) -> NaiveAnswer? {
        var candidates: [NaiveAnswer] = []
        for counter in counters where counter.outcome == "refused" {
            candidates.append(refusal(by: counter, size, now, project))
        }
        if let refusal = funding.refusal {
            var answer = Self.rejected(refusal.code, refusal.rule)
            answer.affordableMaxTokens = funding.affordable
            candidates.append(answer)
        }
        for code in [RejectionCode.requestTooLarge, .exhausted, .holdsFull] {
            guard var answer = candidates.first(where: { $0.rejection == code }) else { continue }
            let caps = candidates.map(\.affordableMaxTokens)
            answer.affordableMaxTokens = caps.contains(nil) ? nil : caps.compactMap { $0 }.min()
            return answer
        }
        return nil
    }

    private func refusal(
        by counter: NaiveCounter, _ size: NaiveSize, _ now: Instant, _ project: String
    ) -> NaiveAnswer {
        let hold = counter.line.hold
        let limit = counter.limit ?? 0
        let isRun = counter.line.budget == Self.runCap
        var answer = Self.rejected(.holdsFull, isRun ? .runCap : .budget)
        answer.budget = isRun ? nil : counter.line.budget
        if hold > limit {
            answer.rejection = .requestTooLarge
        } else if hold > limit - counter.spent {
            answer.rejection = .exhausted
            answer.freesAt = counter.line.window.end
        } else {
            let inTheWay = calls.filter { call in
                call.isOpen && call.expiresAt > now && (!isRun || call.key.project == project)
                    && call.lines.contains { Self.isSame($0, counter.line) }
            }
            answer.freesAt = inTheWay.map(\.expiresAt).min()
        }
        answer.affordableMaxTokens = Self.highestCap(
            size, into: counter.available ?? 0, counter.holds, counter.line.measure)
        return answer
    }

    // MARK: Resolve

    /// The call behind an id that should be a reservation.
    private func reserved(_ key: ReservationKey) throws -> Int {
        guard let index = place(key) else { throw NaiveRefusal(.notFound) }
        if [.rejected, .recorded].contains(calls[index].status) {
            throw NaiveRefusal(.notReserved)
        }
        return index
    }

    mutating func extend(
        _ key: ReservationKey, _ seconds: Int64, _ now: Instant
    ) throws -> NaiveAnswer {
        let index = try reserved(key)
        switch calls[index].status {
        case .open: break
        case .settled: throw NaiveRefusal(.alreadySettled)
        case .released: throw NaiveRefusal(.alreadyReleased)
        default: throw NaiveRefusal(.expired)
        }
        calls[index].expiresAt = now.advanced(bySeconds: seconds)
        var answer = NaiveAnswer("usage.extended")
        answer.expiresAt = calls[index].expiresAt
        return answer
    }

    mutating func release(_ key: ReservationKey, _ now: Instant) throws -> NaiveAnswer {
        let index = try reserved(key)
        switch calls[index].status {
        case .open: break
        case .settled: throw NaiveRefusal(.alreadySettled)
        case .charged: throw NaiveRefusal(.expiredCharged)
        default: return NaiveAnswer("nothing")
        }
        calls[index].status = .released
        var answer = NaiveAnswer("usage.released")
        answer.repaid = NaiveAnswer.portions(free(index, now))
        return answer
    }

    /// After a hold is over: what came back to an ended grant is lost, what came back to others
    /// repays debt first.
    private mutating func free(_ index: Int, _ now: Instant) -> [NaivePortion] {
        let key = calls[index].subject.customerKey
        dropEnded(key)
        return repay(key, now)
    }

    mutating func expire(_ index: Int, _ now: Instant) {
        calls[index].wasExpired = true
        if calls[index].onExpiry == .charge {
            let call = calls[index]
            let figures = call.size.hold(.expected, cap: call.cap)
            let split = split(figures.charge, call, holding: call.heldGrants, now)
            calls[index].status = .charged
            calls[index].actual = figures
            book(split, on: index)
        } else {
            calls[index].status = .expired
        }
        _ = free(index, now)
    }

    mutating func settle(_ request: SettleRequest, _ now: Instant) throws -> NaiveAnswer {
        let index = try reserved(request.key)
        let call = calls[index]
        if call.status == .settled { throw NaiveRefusal(.alreadySettled) }
        if call.status == .released { throw NaiveRefusal(.alreadyReleased) }
        let actual: NaiveFigures
        switch request.actual {
        case .missing: actual = call.size.hold(.expected, cap: call.cap)
        case .missingAtMost: actual = call.size.hold(.bound, cap: call.cap)
        case .amount(let amount):
            if !call.allowsAmount || amount.isNegative { throw NaiveRefusal(.invalid) }
            actual = NaiveFigures(cost: amount.nanos, charge: amount.nanos, requests: 1)
        case .usage(let usage): actual = try Self.figures(usage, call.size)
        }
        var answer = NaiveAnswer("usage.settled")
        answer.figures = actual
        if case .amount = request.actual {} else { answer.isCeiling = call.size.tariff.isCeiling }
        answer.isLate = !call.isOpen
        answer.overrun = max(actual.charge - call.heldInAll, 0)
        calls[index].status = .settled
        calls[index].actual = actual
        calls[index].overrun += answer.overrun
        if call.isOpen {
            // Its own hold still counts as held here: other calls' holds are what must not be
            // touched.
            calls[index].status = .open
            let split = split(actual.charge, call, holding: call.heldGrants, now)
            calls[index].status = .settled
            book(split, on: index)
            answer.show(split)
            answer.repaid = NaiveAnswer.portions(free(index, now))
        } else {
            correct(actual.charge - call.actual.charge, index, now, &answer)
        }
        return answer
    }

    /// The figures of stated usage; calls that were made by an amount have no price to rate it at.
    private static func figures(
        _ usage: ReportedUsage, _ size: NaiveSize
    ) throws -> NaiveFigures {
        if size.amount != nil { throw NaiveRefusal(.unknownPrice) }
        return size.tariff.figures(
            input: usage.inputTokens ?? 0, output: usage.outputTokens ?? 0)
    }

    /// More is charged like a settlement without a hold, less goes back to where it came from.
    private mutating func correct(
        _ change: Int64, _ index: Int, _ now: Instant, _ answer: inout NaiveAnswer
    ) {
        if change > 0 {
            let split = split(change, calls[index], holding: [], now)
            book(split, on: index)
            answer.show(split)
        } else if change < 0 {
            let (split, repaid) = giveBack(-change, on: index, now)
            answer.show(split)
            answer.repaid = NaiveAnswer.portions(repaid)
        }
    }

    // MARK: Correct and record

    mutating func adjust(_ request: AdjustRequest, _ now: Instant) throws -> NaiveAnswer {
        guard let index = place(request.key) else { throw NaiveRefusal(.notFound) }
        let call = calls[index]
        if call.isOpen { throw NaiveRefusal(.invalid) }
        if ![.settled, .charged, .recorded].contains(call.status) {
            throw NaiveRefusal(.notReserved)
        }
        var actual = call.actual
        switch request.correction {
        case .usage(let usage):
            let figures = try Self.figures(usage, call.size)
            (actual.cost, actual.charge, actual.tokens) = (
                figures.cost, figures.charge, figures.tokens
            )
        case .delta(let cost, let charge):
            actual.cost += cost.nanos
            actual.charge += charge.nanos
        }
        if actual.cost < 0 || actual.charge < 0 { throw NaiveRefusal(.invalid) }
        var answer = NaiveAnswer("usage.adjusted")
        answer.figures = NaiveFigures(
            cost: actual.cost - call.actual.cost, charge: actual.charge - call.actual.charge,
            tokens: actual.tokens - call.actual.tokens)
        if case .usage = request.correction { answer.isCeiling = call.size.tariff.isCeiling }
        calls[index].actual = actual
        correct(answer.figures.charge, index, now, &answer)
        return answer
    }

    mutating func record(_ request: UsageRequest, _ now: Instant) throws -> NaiveAnswer {
        try sight(request.subject.customerKey)
        guard let customer = customers[request.subject.customerKey] else {
            throw NaiveRefusal(.notFound)
        }
        var call = NaiveCall(
            key: request.key, subject: request.subject, model: request.model, status: .recorded)
        call.mode = terms(of: customer).funding ?? .postpaid
        switch request.actual {
        case .missing, .missingAtMost: throw NaiveRefusal(.invalid)
        case .amount(let amount):
            if amount.isNegative { throw NaiveRefusal(.invalid) }
            call.size.amount = amount.nanos
            call.actual = NaiveFigures(cost: amount.nanos, charge: amount.nanos, requests: 1)
        case .usage(let usage):
            guard let tariff = tariff(request.model, customer) else {
                throw NaiveRefusal(.unknownPrice)
            }
            call.size.tariff = tariff
            call.actual = try Self.figures(usage, call.size)
        }
        var counters = counters(for: call.subject, customer: customer, model: call.model, now)
        for index in counters.indices { counters[index].outcome = "counted" }
        call.lines = counters.map(\.line)
        let split = split(call.actual.charge, call, holding: [], now)
        calls.append(call)
        book(split, on: calls.count - 1)
        var answer = NaiveAnswer("usage.recorded")
        answer.figures = call.actual
        answer.isCeiling = call.size.tariff.isCeiling
        answer.lines = counters.map(\.text)
        answer.show(split)
        return answer
    }
}

extension NaiveAnswer {
    mutating func show(_ size: NaiveSize, cap: Int64) {
        rating = size.rating
        bound = size.hold(.bound, cap: cap)
        expected = size.hold(.expected, cap: cap)
    }

    mutating func show(_ split: NaiveSplit) {
        // One grant may give twice: out of the hold and out of what it has free.
        var portions: [NaivePortion] = []
        for portion in split.grants {
            if let known = portions.firstIndex(where: { $0.index == portion.index }) {
                portions[known].amount += portion.amount
            } else {
                portions.append(portion)
            }
        }
        burnt = Self.portions(portions)
        billable = split.billable
        debt = split.debt
        absorbed = split.absorbed
    }
}
