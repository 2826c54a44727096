import CanonicalJSON
import StripeAPI
import Testing

struct StripeErrorTests {
    private static func error(
        _ status: Int, _ json: String, _ headers: [(name: String, value: String)] = []
    ) throws -> StripeError {
        try #require(
            StripeError(
                TransportResponse(status: status, headers: headers, body: Array(json.utf8))))
    }

    @Test(
        "Status and type lead to the families of Stripe's SDKs",
        arguments: [
            (400, #"{"error":{"type":"invalid_request_error"}}"#, "invalid_request"),
            (404, #"{"error":{"type":"invalid_request_error"}}"#, "invalid_request"),
            (400, #"{"error":{"type":"idempotency_error"}}"#, "idempotency"),
            (401, "{}", "authentication"), (403, "{}", "permission"), (402, "{}", "card"),
            (409, #"{"error":{"type":"invalid_request_error"}}"#, "conflict"),
            (429, "{}", "rate_limit"), (400, #"{"error":{"code":"rate_limit"}}"#, "rate_limit"),
            (400, #"{"error":{"type":"temporary_session_expired"}}"#, "session_expired"),
            (500, "<html>", "api"), (302, "", "api"), (503, #"{"error":"down"}"#, "api"),
            (418, "\u{0}", "invalid_request"),
        ])
    func namesFamilies(status: Int, body: String, kind: String) throws {
        #expect(try Self.error(status, body).kind.rawValue == kind)
    }

    @Test("An answer of 2xx is no error")
    func passesSuccess() {
        #expect(StripeError(TransportResponse(status: 200)) == nil)
    }

    @Test("The meter events' errors are told by their words where there is no code")
    func readsMeterErrors() throws {
        func says(_ message: String, code: String? = nil) throws -> StripeError {
            let code = code.map { #","code":"\#($0)""# } ?? ""
            return try Self.error(400, #"{"error":{"message":"\#(message)"\#(code)}}"#)
        }
        #expect(
            try says("An event already exists with identifier fg:1.").isDuplicateMeterEvent)
        #expect(try says("No such customer: 'cus_1'").isNoSuchCustomer)
        #expect(try says("No active meter found for event name x").isNoActiveMeter)
        #expect(
            try says(
                "The event timestamp cannot be more than 35 days in past. Expected a timestamp"
                    + " greater than or equal to 1."
            ).isTimestampTooOld)
        #expect(try says("x", code: "timestamp_in_future").isTimestampInFuture)
        let other = try says("Received unknown parameter: payloads")
        #expect(
            !other.isDuplicateMeterEvent && !other.isNoSuchCustomer && !other.isNoActiveMeter
                && !other.isTimestampTooOld && !other.isTimestampInFuture)
    }

    @Test("Advice in headers is read, nonsense in them is not")
    func readsHeaders() throws {
        let limited = try Self.error(
            429, "{}",
            [
                ("Stripe-Should-Retry", "false"), ("Retry-After", "7"), ("Request-Id", "req_1"),
                ("Stripe-Rate-Limited-Reason", "global-rate"),
            ])
        #expect(limited.shouldRetry == false)
        #expect(limited.retryAfterSeconds == 7)
        #expect(limited.requestID == "req_1")
        #expect(limited.rateLimitReason == "global-rate")
        let odd = try Self.error(
            429, "{}", [("stripe-should-retry", "maybe"), ("retry-after", "-3")])
        #expect(odd.shouldRetry == nil && odd.retryAfterSeconds == nil)
    }

    @Test("Whether a request is sent again follows Stripe's rules")
    func decidesRetries() throws {
        let rule = RetryRule()
        func delay(
            _ failure: AttemptFailure, attempt: Int = 1, isRepeatable: Bool = true
        ) -> Int64? {
            rule.delayMicroseconds(
                after: failure, attempt: attempt, isRepeatable: isRepeatable, jitter: 77)
        }
        func transport(_ kind: TransportError.Kind) -> AttemptFailure {
            .transport(TransportError(kind, ""))
        }
        #expect(delay(transport(.broken)) != nil)
        #expect(delay(transport(.broken), isRepeatable: false) == nil)
        #expect(delay(transport(.connection), isRepeatable: false) != nil)
        #expect(delay(transport(.tls)) == nil)
        #expect(delay(transport(.cancelled)) == nil)
        #expect(delay(transport(.timeout), attempt: 3) == nil)
        func stripe(
            _ status: Int, _ headers: [(name: String, value: String)] = []
        ) throws -> AttemptFailure {
            .stripe(try Self.error(status, "{}", headers))
        }
        #expect(delay(try stripe(400)) == nil)
        #expect(delay(try stripe(400, [("Stripe-Should-Retry", "true")])) != nil)
        #expect(delay(try stripe(409)) != nil)
        #expect(delay(try stripe(500)) != nil)
        #expect(delay(try stripe(500), isRepeatable: false) == nil)
        #expect(delay(try stripe(500, [("Stripe-Should-Retry", "false")])) == nil)
        #expect(
            try #require(delay(try stripe(429, [("Retry-After", "9")]))) == 9_000_000)
        #expect(
            try #require(delay(try stripe(429, [("Retry-After", "9999")]))) == 60_000_000)
        for attempt in 1...2 {
            let wait = try #require(delay(transport(.timeout), attempt: attempt))
            #expect((500_000...5_000_000).contains(wait))
        }
    }
}
