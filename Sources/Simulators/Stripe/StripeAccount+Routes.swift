// Which path leads to what.

import CanonicalJSON

extension StripeAccount {
    mutating func route(_ request: StripeSimRequest) throws(StripeSimError) -> JSONValue {
        let parts = request.path.split(separator: "/").map { String($0) }
        guard parts.count >= 2 else { throw unknownPath(request) }
        let isGet = request.method == "GET"
        let text =
            isGet || request.method == "DELETE"
            ? request.query : String(decoding: request.body, as: UTF8.self)
        let form = StripeParameters(text)
        if parts.prefix(3) == ["v2", "core", "events"], parts.count == 4, isGet {
            guard let event = thinEvents[parts[3]] else { throw .notFound("event", parts[3]) }
            return event
        }
        if parts == ["v2", "core", "event_destinations"] {
            return isGet ? destinations : try createDestination(request.body)
        }
        guard parts[0] == "v1" else { throw unknownPath(request) }
        let rest = Array(parts.dropFirst())
        let isPost = request.method == "POST"
        switch rest[0] {
        case "customers": return try customers(rest, request.method, form)
        case "products":
            if isPost, rest.count == 1 { return try createProduct(form) }
            if isGet { return try find(rest, products.mapValues(\.json), productOrder, form) }
        case "prices":
            if isPost, rest.count == 1 { return try createPrice(form) }
            if isGet { return try findPrices(rest, form) }
        case "subscriptions": return try subscriptions(rest, request.method, form)
        case "invoices":
            if isGet { return try findInvoices(rest, form) }
        case "webhook_endpoints":
            if rest.count == 1 { return try webhookEndpoints(isPost, form) }
        case "events":
            if isGet, rest.count == 1 { return try listEvents(form) }
        case "checkout":
            if rest.count >= 2, rest[1] == "sessions" {
                if isPost, rest.count == 2 { return try createSession(form) }
                if isGet {
                    return try find(
                        Array(rest.dropFirst()), sessions.mapValues(\.json), sessionOrder, form)
                }
            }
        case "billing_portal":
            if isPost, rest == ["billing_portal", "sessions"] { return try createPortal(form) }
        case "billing":
            if rest.count >= 2 { return try billing(rest, request, form) }
        default: break
        }
        throw unknownPath(request)
    }

    private func unknownPath(_ request: StripeSimRequest) -> StripeSimError {
        StripeSimError(
            status: 404, message: "Unrecognized request URL (\(request.method): \(request.path)).",
            isEarly: true)
    }

    // MARK: Lists

    /// One object, or a page of them: the newest first.
    private func find(
        _ rest: [String], _ objects: [String: JSONValue], _ order: [String],
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        if rest.count == 2 {
            guard let object = objects[rest[1]] else {
                throw .notFound(String(rest[0].dropLast()), rest[1])
            }
            return object
        }
        return try page(
            order.reversed().compactMap { id in objects[id].map { (id, $0) } },
            "/v1/" + rest.joined(separator: "/"), form)
    }

    func page(
        _ objects: [(id: String, json: JSONValue)], _ url: String, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        let limit = Int(try form.integer("limit") ?? 10)
        guard (1...100).contains(limit) else {
            throw .invalid("limit must be between 1 and 100", "limit")
        }
        var rest = objects[...]
        if let after = form["starting_after"] {
            guard let place = rest.firstIndex(where: { $0.id == after }) else {
                throw .notFound("object", after, param: "starting_after")
            }
            rest = rest[(place + 1)...]
        } else if let before = form["ending_before"] {
            guard let place = rest.firstIndex(where: { $0.id == before }) else {
                throw .notFound("object", before, param: "ending_before")
            }
            rest = rest[..<place].suffix(limit)
        }
        return json([
            "object": .string("list"), "url": .string(url),
            "has_more": .bool(rest.count > limit),
            "data": .array(rest.prefix(limit).map(\.json)),
        ])
    }

    // MARK: Customers

    private mutating func customers(
        _ rest: [String], _ method: String, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        if method == "POST" {
            try form.allow("email", "name", "description", "test_clock", "payment_method")
            var customer: SimCustomer
            if rest.count == 1 {
                customer = SimCustomer(id: newID("cus"), created: now)
                customerOrder.append(customer.id)
            } else {
                customer = try live(rest[1])
            }
            customer.name = form["name"] ?? customer.name
            customer.email = form["email"] ?? customer.email
            for (key, value) in form.map("metadata") {
                customer.metadata.removeAll { $0.key == key }
                if !value.isEmpty { customer.metadata.append((key, value)) }
            }
            customers[customer.id] = customer
            emit(rest.count == 1 ? "customer.created" : "customer.updated", customer.json)
            return customer.json
        }
        if method == "DELETE", rest.count == 2 {
            _ = try live(rest[1])
            deleteCustomer(rest[1])
            return json([
                "id": .string(rest[1]), "object": .string("customer"), "deleted": .bool(true),
            ])
        }
        return try find(rest, customers.mapValues(\.json), customerOrder, form)
    }

    func live(_ id: String, param: String = "id") throws(StripeSimError) -> SimCustomer {
        guard let customer = customers[id], !customer.isDeleted else {
            throw .notFound("customer", id, param: param)
        }
        return customer
    }

    /// Its subscriptions end at once, without an invoice.
    package mutating func deleteCustomer(_ id: String) {
        guard customers[id]?.isDeleted == false else { return }
        let before = customers[id]?.json ?? .null
        for subscription in subscriptionsOfCustomer[id] ?? [] {
            endSubscription(subscription, invoiceNow: false)
        }
        customers[id]?.isDeleted = true
        emit("customer.deleted", before)
    }

    // MARK: Catalogue

    private mutating func createProduct(
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow("id", "name", "description", "active", "unit_label", "tax_code")
        let product = SimProduct(
            id: form["id"] ?? newID("prod"), created: now, name: try form.required("name"),
            metadata: form.map("metadata"))
        guard products[product.id] == nil else {
            throw StripeSimError(
                code: "resource_already_exists",
                message: "Product already exists.", param: "id")
        }
        products[product.id] = product
        productOrder.append(product.id)
        return product.json
    }

    private mutating func createPrice(
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow(
            "currency", "product", "unit_amount", "unit_amount_decimal", "recurring",
            "billing_scheme", "lookup_key", "transfer_lookup_key", "nickname")
        let product = try form.required("product")
        guard products[product] != nil else {
            throw .notFound("product", product, param: "product")
        }
        let amount = form["unit_amount_decimal"] ?? form["unit_amount"] ?? ""
        let parts = amount.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ Int64($0) != nil || $0 == "0" }),
            parts.count == 1 || parts[1].utf8.count <= 12
        else { throw .invalid("Invalid decimal: \(amount)", "unit_amount_decimal") }
        if let meter = form["recurring[meter]"], meters[meter]?.isActive != true {
            throw .notFound("billing meter", meter, param: "recurring[meter]")
        }
        if let key = form["lookup_key"],
            prices.values.contains(where: { $0.lookupKey == key && $0.isActive }),
            form["transfer_lookup_key"] != "true"
        {
            throw .invalid("A price already uses that lookup key.", "lookup_key")
        }
        let price = SimPrice(
            id: newID("price"), created: now, product: product,
            currency: try form.required("currency"), unitAmountDecimal: amount,
            interval: try form.required("recurring[interval]"), meter: form["recurring[meter]"],
            lookupKey: form["lookup_key"])
        prices[price.id] = price
        priceOrder.append(price.id)
        return price.json
    }

    private func findPrices(
        _ rest: [String], _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        guard rest.count == 1 else {
            return try find(rest, prices.mapValues(\.json), priceOrder, form)
        }
        let keys = form.names.filter { $0.hasPrefix("lookup_keys[") }.compactMap { form[$0] }
        let found = priceOrder.reversed().compactMap { prices[$0] }.filter { price in
            keys.isEmpty || price.lookupKey.map { keys.contains($0) } == true
        }
        return try page(found.map { ($0.id, $0.json) }, "/v1/prices", form)
    }

    // MARK: Invoices, events, sessions

    private func findInvoices(
        _ rest: [String], _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        if rest.count >= 2 {
            guard let invoice = invoices[rest[1]] else { throw .notFound("invoice", rest[1]) }
            if rest.count == 2 { return invoice.json }
            return try page(
                invoice.lineDocuments, "/v1/invoices/\(invoice.id)/lines", form)
        }
        let found = invoiceOrder.reversed().compactMap { invoices[$0] }.filter { invoice in
            (form["customer"].map { $0 == invoice.customer } ?? true)
                && (form["subscription"].map { $0 == invoice.subscription } ?? true)
                && (form["status"].map { $0 == invoice.status } ?? true)
        }
        return try page(found.map { ($0.id, $0.json) }, "/v1/invoices", form)
    }

    private func listEvents(_ form: StripeParameters) throws(StripeSimError) -> JSONValue {
        let since = max(
            (try form.integer("created[gte]") ?? 0) * 1_000_000, now - 30 * 86_400_000_000)
        let found = events.reversed().prefix { $0.created >= since }.filter { event in
            form["type"].map { type in event.json["type"]?.text == type } ?? true
        }
        return try page(found.map { ($0.id, $0.json) }, "/v1/events", form)
    }

    private mutating func createSession(
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow(
            "mode", "customer", "line_items", "success_url", "cancel_url", "client_reference_id",
            "payment_intent_data", "invoice_creation", "expires_at", "ui_mode")
        guard try form.required("mode") == "payment" else {
            throw .invalid("Only payments are simulated", "mode")
        }
        if let id = form["customer"] { _ = try live(id, param: "customer") }
        _ = try form.required("success_url")
        guard let amount = try form.integer("line_items[0][price_data][unit_amount]"), amount > 0
        else { throw .missing("line_items[0][price_data][unit_amount]") }
        let quantity = try form.integer("line_items[0][quantity]") ?? 1
        let id = newID("cs_test")
        let session = SimSession(
            id: id, created: now, customer: form["customer"],
            amount: amount * quantity,
            currency: try form.required("line_items[0][price_data][currency]"),
            metadata: form.map("metadata"), reference: form["client_reference_id"],
            successURL: form["success_url"], url: pageBase + id)
        sessions[session.id] = session
        sessionOrder.append(session.id)
        return session.json
    }

    private mutating func createPortal(
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow("customer", "return_url", "configuration", "flow_data")
        let customer = try live(try form.required("customer"), param: "customer")
        let id = newID("bps")
        return json([
            "id": .string(id), "object": .string("billing_portal.session"),
            "created": seconds(now), "customer": .string(customer.id), "livemode": .bool(false),
            "return_url": optional(form["return_url"]),
            "url": .string("https://billing.stripe.test/p/session/\(id)"),
        ])
    }
}
