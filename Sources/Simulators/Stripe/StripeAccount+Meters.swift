// Meters, the events they count, and their sums.

import CanonicalJSON

extension StripeAccount {
    mutating func billing(
        _ rest: [String], _ request: StripeSimRequest, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        let isPost = request.method == "POST"
        switch rest[1] {
        case "meters":
            if isPost, rest.count == 2 { return try createMeter(form) }
            if isPost, rest.count == 4, ["deactivate", "reactivate"].contains(rest[3]) {
                guard meters[rest[2]] != nil else { throw .notFound("billing meter", rest[2]) }
                setMeter(rest[2], isActive: rest[3] == "reactivate")
                return meters[rest[2]]?.json ?? .null
            }
            if rest.count == 4, rest[3] == "event_summaries" { return try summaries(rest[2], form) }
            if rest.count == 3 {
                guard let meter = meters[rest[2]] else { throw .notFound("billing meter", rest[2]) }
                return meter.json
            }
            let found = meterOrder.reversed().compactMap { meters[$0] }.filter { meter in
                form["status"].map { ($0 == "active") == meter.isActive } ?? true
            }
            return try page(found.map { ($0.id, $0.json) }, "/v1/billing/meters", form)
        case "meter_events" where isPost && rest.count == 2:
            return try takeMeterEvent(form, key: request.header("idempotency-key"))
        case "meter_event_adjustments" where isPost && rest.count == 2: return try adjust(form)
        default:
            throw StripeSimError(
                status: 404, message: "Unrecognized request URL (\(request.path)).", isEarly: true)
        }
    }

    private mutating func createMeter(_ form: StripeParameters) throws(StripeSimError) -> JSONValue
    {
        try form.allow(
            "display_name", "event_name", "default_aggregation", "customer_mapping",
            "value_settings", "event_time_window")
        let name = try form.required("event_name")
        if meters.values.contains(where: { $0.eventName == name && $0.isActive }) {
            throw .invalid("An active meter already uses the event name \(name).", "event_name")
        }
        let meter = SimMeter(
            id: newID("mtr_test"), created: now, eventName: name,
            displayName: try form.required("display_name"),
            formula: try form.required("default_aggregation[formula]"),
            customerKey: form["customer_mapping[event_payload_key]"] ?? "stripe_customer_id",
            valueKey: form["value_settings[event_payload_key]"] ?? "value")
        guard meter.formula == "sum" else {
            throw .invalid("Only the formula 'sum' is simulated", "default_aggregation[formula]")
        }
        meters[meter.id] = meter
        meterOrder.append(meter.id)
        emit("billing.meter.created", meter.json)
        return meter.json
    }

    package mutating func setMeter(_ id: String, isActive: Bool) {
        guard meters[id] != nil, meters[id]?.isActive != isActive else { return }
        meters[id]?.isActive = isActive
        emit(
            isActive ? "billing.meter.reactivated" : "billing.meter.deactivated",
            meters[id]?.json ?? .null)
    }

    private mutating func takeMeterEvent(
        _ form: StripeParameters, key: String?
    ) throws(StripeSimError) -> JSONValue {
        try form.allow("event_name", "payload", "identifier", "timestamp")
        let name = try form.required("event_name")
        guard let meter = meters.values.first(where: { $0.eventName == name && $0.isActive }) else {
            throw .invalid("No active meter found for event name \(name).")
        }
        let customer = try form.required("payload[\(meter.customerKey)]")
        let text = try form.required("payload[\(meter.valueKey)]")
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard (1...15).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(text)
        else {
            throw StripeSimError(
                code: "meter_event_value_too_many_digits",
                message: "The value in the event payload can have at most 15 digits."
                    + " Received \(text).")
        }
        let timestamp = try form.integer("timestamp") ?? now / 1_000_000
        let oldest = now / 1_000_000 - 35 * 86_400
        guard timestamp >= oldest else {
            throw .invalid(
                "The event timestamp cannot be more than 35 days in past. Expected a timestamp"
                    + " greater than or equal to \(oldest).")
        }
        guard timestamp <= now / 1_000_000 + 300 else {
            throw .invalid("The event timestamp cannot be more than 5 minutes in the future.")
        }
        guard customers[customer]?.isDeleted == false else {
            throw StripeSimError(
                code: "resource_missing", message: "No such customer: '\(customer)'",
                param: "payload[\(meter.customerKey)]")
        }
        let identifier = form["identifier"] ?? newID("mev")
        guard identifier.utf8.count <= 100 else {
            throw .invalid("An identifier has at most 100 characters.", "identifier")
        }
        let answer = json([
            "object": .string("billing.meter_event"), "created": seconds(now),
            "event_name": .string(name), "identifier": .string(identifier),
            "livemode": .bool(false), "payload": map(form.map("payload")),
            "timestamp": .integer(timestamp),
        ])
        if let known = identifiers[identifier], known.receivedAt > now - 86_400_000_000 {
            if faults.duplicatesAreSilent { return answer }
            throw .invalid("An event already exists with identifier \(identifier).")
        }
        identifiers[identifier] = (meter.id, customer, now)
        var event = SimMeterEvent(
            identifier: identifier, value: value, timestamp: timestamp,
            visibleAt: now + random.within(faults.aggregationLag), receivedAt: now)
        if random.chance(faults.silentRejection) {
            event.isVoid = true
            timers.add(
                now + 60_000_000 * Int64(1 + random.next() % 120),
                .report(
                    meter: meter.id, code: "timestamp_in_future", keys: [key ?? identifier]))
        }
        meterEvents[Self.counter(meter.id, customer), default: []].append(event)
        return answer
    }

    private mutating func adjust(_ form: StripeParameters) throws(StripeSimError) -> JSONValue {
        try form.allow("event_name", "type", "cancel")
        guard try form.required("type") == "cancel" else {
            throw .invalid("Invalid type: must be cancel", "type")
        }
        let identifier = try form.required("cancel[identifier]")
        guard let known = identifiers[identifier] else {
            throw .notFound("meter event", identifier, param: "cancel[identifier]")
        }
        guard known.receivedAt > now - 86_400_000_000 else {
            throw .invalid("Events can only be cancelled within 24 hours of being received.")
        }
        let counter = Self.counter(known.meter, known.customer)
        if let place = meterEvents[counter]?.lastIndex(where: { $0.identifier == identifier }) {
            meterEvents[counter]?[place].isVoid = true
        }
        return json([
            "object": .string("billing.meter_event_adjustment"),
            "cancel": json(["identifier": .string(identifier)]),
            "event_name": .string(try form.required("event_name")), "livemode": .bool(false),
            "status": .string("pending"), "type": .string("cancel"),
        ])
    }

    private func summaries(
        _ meter: String, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow(
            "customer", "start_time", "end_time", "value_grouping_window", "limit",
            "starting_after", "ending_before")
        guard meters[meter] != nil else { throw .notFound("billing meter", meter) }
        let customer = try form.required("customer")
        guard customers[customer] != nil else {
            throw .notFound("customer", customer, param: "customer")
        }
        guard let start = try form.integer("start_time") else { throw .missing("start_time") }
        guard let end = try form.integer("end_time") else { throw .missing("end_time") }
        let step: Int64
        switch form["value_grouping_window"] {
        case nil: step = 60
        case "hour": step = 3_600
        case "day": step = 86_400
        case let other?: throw .invalid("Invalid window: \(other)", "value_grouping_window")
        }
        for (name, time) in [("start_time", start), ("end_time", end)] where time % step != 0 {
            throw .invalid("\(name) must be aligned with \(step) seconds", name)
        }
        guard start < end else { throw .invalid("end_time must be after start_time", "end_time") }
        let spans =
            form["value_grouping_window"] == nil
            ? [start..<end] : stride(from: start, to: end, by: Int(step)).map { $0..<$0 + step }
        var items: [(id: String, json: JSONValue)] = []
        for span in spans.reversed() {
            let known = meterEvents[Self.counter(meter, customer)] ?? []
            let isAny = known.contains {
                !$0.isVoid && $0.visibleAt <= now && span.contains($0.timestamp)
            }
            guard isAny else { continue }
            let id = "mtrusg_\(customer)_\(span.lowerBound)"
            items.append(
                (
                    id,
                    json([
                        "id": .string(id), "object": .string("billing.meter_event_summary"),
                        // Stripe writes a float.
                        "aggregated_value": .number("\(total(meter, customer, span)).0"),
                        "start_time": .integer(span.lowerBound),
                        "end_time": .integer(span.upperBound), "livemode": .bool(false),
                        "meter": .string(meter),
                    ])
                ))
        }
        return try page(items, "/v1/billing/meters/\(meter)/event_summaries", form)
    }
}
