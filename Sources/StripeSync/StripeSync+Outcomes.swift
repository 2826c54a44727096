// What came of requests.

import Billing
import CanonicalJSON
import Engine
import EventLog
import StripeAPI

extension StripeSync {
    func takeOutcomes() async throws(StripeProblem) {
        while !outcomes.isEmpty {
            let taken = outcomes
            outcomes = []
            do throws(StripeProblem) {
                // What came of pushes is recorded together: a commit for each would be the limit.
                var requests: [EngineRequest] = []
                for outcome in taken {
                    guard case .push(let identifier) = outcome.job else { continue }
                    if let request = try takePush(identifier, outcome.result) {
                        requests.append(request)
                    }
                }
                try await record(requests)
                for outcome in taken { try await take(outcome) }
            } catch {
                // Asked for again: what was not recorded is still open.
                for outcome in taken { nextAt[outcome.job] = nil }
                throw error
            }
        }
    }

    private func take(_ outcome: StripeOutcome) async throws(StripeProblem) {
        switch outcome.job {
        case .push, .price: break
        case .meter: takeMeters(outcome.result)
        case .webhook(let id):
            if case .success(let answer) = outcome.result { fetched[id] = answer.body }
        case .resolve(let identifier):
            guard case .success(let answer) = outcome.result else { return }
            try await resolve(identifier, answer.body.elements)
        case .subscriptions(let key):
            guard case .success(let answer) = outcome.result else { return }
            try await takeSubscriptions(key, answer.body.elements)
        case .invoices(let key, let start):
            guard case .success(let answer) = outcome.result else { return }
            try await takeInvoices(key, start, answer.body.elements)
        case .sum(let key, let through):
            try await takeSum(key, through, outcome.result)
        }
    }

    private func takeMeters(_ result: Result<StripeAnswer, AttemptFailure>) {
        switch result {
        case .failure(let failure):
            meterProblem = "the meters cannot be read: \(failure.words)"
            log("Stripe: the meters cannot be read: \(failure.words)")
        case .success(let answer):
            let meters = answer.body.elements.compactMap { StripeMeter($0) }
            let found = meters.first { $0.eventName == settings.meter && $0.isActive }
            if let found {
                settings.meterID = found.id
                meterProblem = nil
            } else {
                let problem = "there is no active meter '\(settings.meter)'"
                if meterProblem != problem {
                    log("Stripe: \(problem); `faregate stripe setup` makes it")
                }
                meterProblem = problem
            }
        }
    }

    private func push(_ identifier: String) throws(StripeProblem) -> StripePushRow? {
        try reading { (file: StripeFile) throws(StoreError) in
            let row = try file.find(StripePushRow(identifier))
            return row?.state == StripePushState.open.rawValue ? row : nil
        }
    }

    /// What is to be recorded of an attempt; nil: nothing new.
    private func takePush(
        _ identifier: String, _ result: Result<StripeAnswer, AttemptFailure>
    ) throws(StripeProblem) -> EngineRequest? {
        guard let push = try push(identifier) else { return nil }
        let row = try customerRow(push.customerKey)
        let before = attempts[identifier] ?? push.attempts
        let verdict = judge.verdict(
            result, attempts: before, rejections: row?.rejections ?? 0)
        switch verdict {
        case .accepted(let isDuplicate, let requestID):
            counts.add(.pushesAccepted)
            return accept(push, .answer, isDuplicate: isDuplicate, requestID)
        case .rejected(let code, let disposition, let message, let requestID):
            counts.add(.pushesRejected)
            var event = StripePushRejected()
            event.identifier = identifier
            event.code = code
            event.disposition = disposition
            event.message = message
            event.requestID = requestID
            if disposition == .blocked { log("Stripe refuses a push: \(code)") }
            return StripeRequests.record(
                .pushRejected(event), push.customerKey, key: "rejected:\(identifier)")
        case .again(let seconds, let code, let message, let requestID):
            counts.add(.pushAttemptsFailed)
            attempts[identifier] = before + 1
            dueAt[identifier] = clock.now().advanced(bySeconds: seconds).microseconds
            // A day without Stripe is one event for each push, not one for each attempt.
            guard push.code != code else { return nil }
            var event = StripePushFailed()
            event.identifier = identifier
            event.attempts = before + 1
            event.code = code
            event.message = message
            event.requestID = requestID
            return StripeRequests.record(.pushFailed(event), push.customerKey, key: nil)
        }
    }

    private func accept(
        _ push: StripePushRow, _ evidence: StripeEvidence, isDuplicate: Bool, _ requestID: String?
    ) -> EngineRequest {
        var event = StripePushAccepted()
        event.identifier = push.identifier
        event.evidence = evidence
        event.isDuplicate = isDuplicate
        event.requestID = requestID
        attempts[push.identifier] = nil
        dueAt[push.identifier] = nil
        return StripeRequests.record(
            .pushAccepted(event), push.customerKey, key: "accepted:\(push.identifier)")
    }

    /// A push that may not be sent again: Stripe's sum of its minute says whether it arrived.
    private func resolve(
        _ identifier: String, _ summaries: [JSONValue]
    ) async throws(StripeProblem) {
        guard let push = try push(identifier) else { return }
        let minute = push.stamp / 60_000_000 * 60_000_000
        let known = try reading { (file: StripeFile) throws(StoreError) in
            try file.pushed(
                push.project, push.customer, minute..<minute + 60_000_000,
                states: [.accepted, .settled])
        }
        guard let sum = StripeSum.total(summaries) else { return }
        if sum == known + push.quantity {
            try await record([accept(push, .summary, isDuplicate: false, nil)])
        } else if sum == known {
            var event = StripePushRejected()
            event.identifier = identifier
            event.code = "not_recorded"
            event.evidence = .summary
            event.disposition = .reopened
            try await record([
                StripeRequests.record(
                    .pushRejected(event), push.customerKey, key: "rejected:\(identifier)")
            ])
        } else {
            log("Stripe: a push of unknown end does not fit Stripe's sum of its minute")
        }
    }

    func customerRow(_ key: CustomerKey) throws(StripeProblem) -> StripeCustomerRow? {
        try reading { (file: StripeFile) throws(StoreError) in
            try file.customer(key.project, key.id)
        }
    }

    private func takeSubscriptions(
        _ key: CustomerKey, _ subscriptions: [JSONValue]
    ) async throws(StripeProblem) {
        guard let row = try customerRow(key) else { return }
        let now = clock.now()
        let seen = subscriptions.compactMap {
            StripeObjects.subscription(
                StripeObjects.reader($0, type: "customer.subscription.updated"),
                meterID: settings.meterID, seenAt: now)
        }
        // Its own, if it goes on; else any that does; else the last.
        let own = seen.first { $0.subscription == row.subscription }
        let live = seen.filter { $0.endedAt == nil }.max { $0.periodEnd < $1.periodEnd }
        let best = own?.endedAt == nil ? own ?? live : live ?? own
        guard let best else { return }
        let isNews =
            best.subscription != row.subscription || best.status != row.status
            || best.periodStart.microseconds != row.periodStart
            || best.periodEnd.microseconds != row.periodEnd
            || (best.endedAt == nil) != (row.endedAt == 0)
        if isNews { try await record([WebhookActions.record(best, row)]) }
    }

    private func takeInvoices(
        _ key: CustomerKey, _ start: Int64, _ invoices: [JSONValue]
    ) async throws(StripeProblem) {
        guard let row = try customerRow(key) else { return }
        for invoice in invoices {
            let reader = StripeObjects.reader(invoice, type: "invoice.finalized")
            while let price = try actions().unknownPrice(reader, row) {
                guard await learn(price) else {
                    let soon = clock.now().advanced(bySeconds: 60).microseconds
                    nextAt[.invoices(key, start)] = soon
                    return
                }
            }
        }
        let actions = try actions()
        let requests = try reading { (file: StripeFile) throws(StoreError) -> [EngineRequest] in
            guard let period = try file.find(StripePeriodRow(key.project, key.id, start: start)),
                period.isClosed == 0
            else { return [] }
            var requests: [EngineRequest] = []
            var isDrafted = false
            for invoice in invoices {
                let reader = StripeObjects.reader(invoice, type: "invoice.finalized")
                if reader["status"] == "draft" { isDrafted = true }
                let lines =
                    StripeObjects.lines(reader, prices: actions.ourPrices(row)) ?? []
                for line in lines where line.start.microseconds == start {
                    if let id = invoice.objectID,
                        let request = try actions.close(line, invoice: id, row, reader)
                    {
                        requests.append(request)
                    }
                }
            }
            // An ended subscription makes no more invoices; a period that is followed by another
            // has one, if only of nothing.
            let isOver = row.endedAt > 0 || row.subscription != period.subscription
            if requests.isEmpty, !isDrafted, isOver {
                requests.append(try Self.giveUp(period, row, file))
            }
            return requests
        }
        try await record(requests)
    }

    /// A period that nobody will invoice any more: what was pushed into it is billed nowhere.
    private static func giveUp(
        _ period: StripePeriodRow, _ row: StripeCustomerRow, _ file: StripeFile
    ) throws(StoreError) -> EngineRequest {
        var closed = StripePeriodClosed()
        closed.periodStart = Instant(microseconds: period.start)
        closed.periodEnd = Instant(microseconds: period.end)
        closed.subscription = period.subscription
        closed.pushed = try file.pushed(
            row.project, row.customer, period.start..<period.end, kind: .usage)
        let whose = "\(row.project.utf8.count):\(row.project):\(row.customer)"
        return StripeRequests.record(
            .periodClosed(closed), row.key, key: "period:none:\(whose):\(period.start)")
    }
}

extension AttemptFailure {
    var words: String {
        switch self {
        case .transport(let error): "\(error)"
        case .stripe(let error): "\(error)"
        }
    }
}

enum StripeSum {
    /// Σ of summaries; an empty list is zero. Nil: one of them is no whole number.
    static func total(_ summaries: [JSONValue]) -> Int64? {
        var sum: Int64 = 0
        for summary in summaries {
            guard let value = MeterSummaries.wholeNumber(summary.member("aggregated_value")) else {
                return nil
            }
            sum.add(value)
        }
        return sum
    }
}
