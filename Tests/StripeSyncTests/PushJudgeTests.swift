import Billing
import StripeAPI
import StripeSync
import Testing

struct PushJudgeTests {
    private static func verdict(_ status: Int, _ json: String, rejections: Int64 = 0) throws
        -> PushVerdict
    {
        let error = try #require(
            StripeError(TransportResponse(status: status, body: Array(json.utf8))))
        return PushJudge().verdict(
            .failure(.stripe(error)), attempts: 0, rejections: rejections)
    }

    private static func word(_ verdict: PushVerdict) -> String {
        switch verdict {
        case .accepted(let isDuplicate, _): isDuplicate ? "duplicate" : "accepted"
        case .rejected(let code, let disposition, _, _): "\(disposition.rawValue) \(code)"
        case .again(_, let code, _, _): "again \(code)"
        }
    }

    @Test(
        "What an answer means for a push",
        arguments: [
            (
                400, #"{"error":{"message":"An event already exists with identifier x."}}"#,
                "duplicate"
            ),
            (
                400, #"{"error":{"message":"No such customer: 'cus_1'"}}"#,
                "blocked customer_missing"
            ),
            (
                400, #"{"error":{"message":"No active meter found for event name m."}}"#,
                "again no_active_meter"
            ),
            (
                400,
                #"{"error":{"message":"The event timestamp cannot be more than 35 days in past."}}"#,
                "reopened timestamp_too_old"
            ),
            (400, #"{"error":{"code":"timestamp_in_future"}}"#, "again timestamp_in_future"),
            (400, #"{"error":{"type":"idempotency_error"}}"#, "blocked idempotency_mismatch"),
            (
                400, #"{"error":{"code":"meter_event_value_too_many_digits"}}"#,
                "blocked meter_event_value_too_many_digits"
            ),
            (401, "{}", "again authentication"), (403, "{}", "again permission"),
            (
                409, #"{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}"#,
                "again idempotency_key_in_use"
            ),
            (429, #"{"error":{"code":"lock_timeout"}}"#, "again rate_limit"),
            (500, "", "again api"), (503, "<html>", "again api"),
        ])
    func judges(status: Int, body: String, wanted: String) throws {
        #expect(Self.word(try Self.verdict(status, body)) == wanted)
    }

    @Test("A stamp that fails again and again is left to a person")
    func givesUpRestamping() throws {
        let json = #"{"error":{"code":"timestamp_too_far_in_past"}}"#
        #expect(
            Self.word(try Self.verdict(400, json, rejections: 3)) == "blocked timestamp_too_old")
    }

    @Test("Whatever a broken connection says, the push is sent again as it was")
    func neverGivesUpOnTransport() {
        for kind in [
            TransportError.Kind.connection, .tls, .broken, .timeout, .tooLarge, .cancelled,
            .overloaded, .closed,
        ] {
            let verdict = PushJudge().verdict(
                .failure(.transport(TransportError(kind, ""))), attempts: 40, rejections: 0)
            guard case .again(let seconds, _, _, _) = verdict else {
                Issue.record("\(kind)")
                continue
            }
            #expect((1...300).contains(seconds))
        }
    }
}
