import CanonicalJSON
import StripeAPI
import Testing

struct StripeEventTests {
    @Test("Snapshot and thin events are read")
    func readsBothForms() throws {
        let snapshot = try StripeEvent(
            body: Array(
                #"{"id":"evt_1","object":"event","type":"invoice.paid","created":1795332300,"livemode":true,"account":"acct_1","api_version":"2026-10-28.endive","data":{"object":{"id":"in_1"},"previous_attributes":{"status":"open"}}}"#
                    .utf8))
        #expect(snapshot.object.objectID == "in_1")
        #expect(snapshot.previous.member("status")?.stringValue == "open")
        #expect(snapshot.createdMicroseconds == 1_795_332_300_000_000)
        #expect(snapshot.isLive && !snapshot.isThin && snapshot.account == "acct_1")
        let thin = try StripeEvent(
            body: Array(
                #"{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","created":"2026-11-22T07:00:00.000Z","livemode":false}"#
                    .utf8))
        #expect(thin.isThin && thin.object == .null)
        #expect(thin.createdMicroseconds == 1_795_330_800_000_000)
    }

    @Test(
        "What is wrong with a body is named",
        arguments: [
            ("[]", "not an object"), ("{", "not JSON"), (#"{"object":"list"}"#, "'object'"),
            (#"{"object":"event"}"#, "'id'"), (#"{"object":"event","id":"e"}"#, "'type'"),
            (#"{"object":"event","id":"e","type":"t","created":-1}"#, "'created'"),
            (#"{"object":"event","id":"e","type":"t","created":1}"#, "'data.object'"),
            (#"{"object":"v2.core.event","id":"e","type":"t","created":"x"}"#, "'created'"),
        ])
    func namesFaults(body: String, words: String) {
        #expect {
            _ = try StripeEvent(body: Array(body.utf8))
        } throws: { error in
            (error as? StripeEvent.Fault)?.description.contains(words) == true
        }
    }

    @Test(
        "Sums are whole numbers however they are written, or none",
        arguments: [
            ("2500", 2_500), ("2500.0", 2_500), ("2.5e3", 2_500), ("25E+2", 2_500), ("-0.0", 0),
            ("-7", -7), ("1e15", 1_000_000_000_000_000), ("2.5", nil), ("1e-1", nil),
            ("1e400", nil), ("9223372036854775808", nil), ("10.50e1", 105), ("0e9", 0),
        ] as [(String, Int64?)])
    func readsSums(text: String, number: Int64?) throws {
        let value = try StrictJSON.parse(text)
        #expect(MeterSummaries.wholeNumber(value) == number)
    }
}
