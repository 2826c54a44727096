// Which pushes are planned, and what is due to be asked of Stripe.

import Billing
import Engine
import EventLog
import Money
import Projections
import StripeAPI

extension StripeSync {
    private static var planMax: Int { 1_000 }

    /// Plans pushes of usage, repairs, and the end of drifts that invoices have settled.
    func plan() async throws(StripeProblem) {
        var isMore = true
        while isMore {
            let requests = try planUsage()
            isMore = requests.count >= Self.planMax / 2
            try await record(requests)
        }
        try await record(try planRepairs())
        try await record(try giveBack())
    }

    /// What was pushed beyond a subscription's end goes back to what is to be billed.
    private func giveBack() throws(StripeProblem) -> [EngineRequest] {
        let now = clock.now()
        let pushes = try reading { (file: StripeFile) throws(StoreError) in
            try file.pushesAfterTheEnd(now: now, limit: Self.planMax)
        }
        return pushes.map { push in
            var event = StripePushRejected()
            event.identifier = push.identifier
            event.code = "subscription_ended"
            event.evidence = .invoice
            event.disposition = .reopened
            return StripeRequests.record(
                .pushRejected(event), push.customerKey, key: "rejected:\(push.identifier)")
        }
    }

    private func planUsage() throws(StripeProblem) -> [EngineRequest] {
        let file = try file()
        let now = clock.now()
        let planner = PushPlanner(settings)
        do throws(StoreError) {
            var requests: [EngineRequest] = []
            let customers = try file.customersToPlan(
                now: now, lateSeconds: settings.lateSeconds, limit: Self.planMax)
            for row in customers {
                let windows = try file.windows(of: row, endedBy: now)
                let plan = try planner.plan(row, windows, now: now) {
                    (span: Range<Int64>) throws(StoreError) -> Int64 in
                    try file.pushed(row.project, row.customer, span)
                }
                if let plan { requests.append(request(plan, row, file)) }
            }
            return requests
        } catch {
            throw .store(error)
        }
    }

    private func request(
        _ plan: PushPlan, _ row: StripeCustomerRow, _ file: StripeFile
    ) -> EngineRequest {
        var event = StripePushPlanned()
        event.kind = .usage
        event.billable = plan.billable
        event.windows = plan.windows
        event.carriedBefore = plan.carriedBefore
        event.carriedAfter = plan.carriedAfter
        return request(&event, row, file, plan.quantity, plan.stampMicroseconds)
    }

    private func request(
        _ event: inout StripePushPlanned, _ row: StripeCustomerRow, _ file: StripeFile,
        _ quantity: Int64, _ stamp: Int64
    ) -> EngineRequest {
        let identifier = identifier(row)
        event.identifier = identifier
        event.meter = settings.meter
        event.quantity = quantity
        event.stripeCustomer = row.stripeCustomer
        event.throughSequence = file.sequence
        event.timestamp = Instant(microseconds: stamp)
        event.body =
            MeterEventBody(
                eventName: settings.meter, stripeCustomer: row.stripeCustomer, value: quantity,
                identifier: identifier, timestampSeconds: stamp / 1_000_000
            ).text
        return StripeRequests.record(.pushPlanned(event), row.key, key: "plan:\(identifier)")
    }

    /// At most 100 characters; never the same for two pushes, whoever asks whenever.
    private func identifier(_ row: StripeCustomerRow) -> String {
        let whose = [
            store.identity.ledgerID, row.project, row.customer, settings.meter,
            row.stripeCustomer,
        ]
        let digest = Fingerprint(
            hashing: Array(whose.map { "\($0.utf8.count):\($0)" }.joined().utf8))
        return "faregate:\(digest.hex):\(row.pushes + 1)"
    }

    private func planRepairs() throws(StripeProblem) -> [EngineRequest] {
        let file = try file()
        let now = clock.now()
        do throws(StoreError) {
            var requests: [EngineRequest] = []
            for drift in try file.standingDrifts() {
                guard let row = try file.customer(drift.project, drift.customer) else { continue }
                if drift.periodStart < row.closedEnd {
                    var event = StripeRepaired()
                    event.drift = drift.drift
                    event.how = .invoice
                    requests.append(
                        StripeRequests.record(
                            .repaired(event), row.key, key: "repaired:\(drift.drift)"))
                    continue
                }
                guard settings.repairsDrift, drift.push.isEmpty, row.openPush.isEmpty,
                    row.blocked.isEmpty, row.periodStart == drift.periodStart,
                    let place = PushPlanner(settings).openPlace(row, now)
                else { continue }
                let limit = MeterEventBody.valueMax
                var event = StripePushPlanned()
                event.kind = .repair
                event.drift = drift.drift
                event.carriedBefore = Money(nanos: row.carriedNanos)
                event.carriedAfter = event.carriedBefore
                requests.append(
                    request(
                        &event, row, file, min(max(drift.missing, -limit), limit), place.stamp))
            }
            return requests
        } catch {
            throw .store(error)
        }
    }

    // MARK: What is due

    func jobsDue() throws(StripeProblem) -> [(StripeJob, StripeFetch)] {
        let file = try file()
        let now = clock.now()
        var jobs: [(StripeJob, StripeFetch)] = []
        var room = settings.concurrentMax - busy.count
        func add(_ job: StripeJob, _ fetch: StripeFetch, again seconds: Int64) {
            guard room > 0, !busy.contains(job), nextAt[job] ?? .min <= now.microseconds else {
                return
            }
            nextAt[job] = now.advanced(bySeconds: seconds).microseconds
            jobs.append((job, fetch))
            room -= 1
        }
        if settings.meterID.isEmpty { add(.meter, .list(StripeMeter.list), again: 60) }
        do throws(StoreError) {
            let settled = settings.resolveSeconds * 1_000_000
            let youngest = settings.resendSecondsMax * 1_000_000
            var looked = 0
            try file.forEachOpenPush { push throws(StoreError) in
                looked += 1
                let job = StripeJob.push(push.identifier)
                if busy.contains(job) || dueAt[push.identifier] ?? .min > now.microseconds {
                    return room > 0
                }
                let age = now.microseconds - push.plannedAt
                if age < youngest {
                    guard let whole = try file.find(StripePushRow(push.identifier)) else {
                        return true
                    }
                    let body = MeterEventBody(text: whole.body)
                    jobs.append((job, .once(body.call(identifier: whole.identifier))))
                    room -= 1
                } else if age >= settled, !settings.meterID.isEmpty,
                    let whole = try file.find(StripePushRow(push.identifier))
                {
                    add(.resolve(whole.identifier), resolving(whole), again: 600)
                }
                return room > 0
            }
            if room > 0 { try forget(openCount: looked, file) }
            for row in try file.customersToRefresh(now: now, limit: 200)
            where !settings.meterID.isEmpty {
                add(
                    .subscriptions(row.key),
                    .list(StripeCalls.subscriptions(ofCustomer: row.stripeCustomer)), again: 1_800)
            }
            let ended = now.advanced(
                bySeconds: -min(settings.giveUpSeconds, settings.invoiceSearchSeconds))
            for period in try file.periodsToClose(endedBy: ended, limit: 200) {
                guard let row = try file.customer(period.project, period.customer),
                    !row.stripeCustomer.isEmpty
                else { continue }
                add(
                    .invoices(row.key, period.start),
                    .list(
                        StripeCalls.invoices(
                            ofCustomer: row.stripeCustomer,
                            subscription: period.subscription.isEmpty ? nil : period.subscription)),
                    again: 3_600)
            }
            if room > 0 { jobs += try sumsDue(file, now, room: room) }
        } catch {
            throw .store(error)
        }
        return jobs
    }

    /// Reads Stripe's sum of the minute that the push is stamped in.
    private func resolving(_ push: StripePushRow) -> StripeFetch {
        let minute = push.stamp / 60_000_000 * 60
        return .list(
            MeterSummaries.total(
                meter: settings.meterID, stripeCustomer: push.stripeCustomer,
                startSeconds: minute, endSeconds: minute + 60))
    }

    /// Keeps in memory what is still open, and no more.
    private func forget(openCount: Int, _ file: StripeFile) throws(StoreError) {
        guard dueAt.count > 2 * openCount + 64 || nextAt.count > 100_000 else { return }
        var names: Set<String> = []
        try file.forEachOpenPush { push in
            names.insert(push.identifier)
            return true
        }
        dueAt = dueAt.filter { names.contains($0.key) }
        attempts = attempts.filter { names.contains($0.key) }
        let now = clock.now().microseconds
        nextAt = nextAt.filter { $0.value > now }
    }
}
