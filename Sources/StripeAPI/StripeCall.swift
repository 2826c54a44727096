// One call of Stripe's API as data: what is sent, apart from the key and the headers that every
// request has. The bytes of the body are made once and sent again unchanged, because Stripe
// compares the parameters of requests that share an idempotency key.

package struct StripeCall: Sendable, Equatable {
    package enum Host: Sendable {
        case api
        /// Uploads.
        case files
    }

    package enum Content: String, Sendable {
        case form = "application/x-www-form-urlencoded"
        case json = "application/json"
    }

    package var method: TransportRequest.Method
    package var host: Host
    /// `/v1/…` or `/v2/…`, escaped, without a query.
    package var path: String
    /// Escaped, without the question mark.
    package var query: String
    /// A content type; nil without a body.
    package var contentType: String?
    package var body: [UInt8]
    /// At most 255 characters. Only POST and DELETE carry one.
    package var idempotencyKey: String?

    package init(
        _ method: TransportRequest.Method, _ path: String, host: Host = .api, query: String = "",
        contentType: String? = nil, body: [UInt8] = [], idempotencyKey: String? = nil
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.contentType = contentType
        self.body = body
        self.idempotencyKey = idempotencyKey
    }

    /// Sent twice, it does no more than sent once.
    package var isRepeatable: Bool { method != .post || idempotencyKey != nil }

    package static func get(_ path: String, _ query: FormBody = FormBody()) -> StripeCall {
        StripeCall(.get, path, query: query.text)
    }

    package static func post(
        _ path: String, _ form: FormBody, idempotencyKey: String?
    ) -> StripeCall {
        StripeCall(
            .post, path, contentType: Content.form.rawValue, body: form.bytes,
            idempotencyKey: idempotencyKey)
    }
}
