import Billing
import CanonicalJSON
import EventLog
import Testing

/// Made-up registrations: no event has a second version yet.
@Suite struct CodecUpcasterTests {
    /// `reason` was called `why` at first, and `cause` after that.
    private let upcasters = Upcasters([
        .init(type: "customer.closed", fromVersion: 2) { renaming("cause", to: "reason", in: $0) },
        .init(type: "customer.closed", fromVersion: 1) { renaming("why", to: "cause", in: $0) },
    ])

    // An older payload passes through all steps from its own version on, in their order.
    @Test(arguments: [(1, "why"), (2, "cause"), (3, "reason")])
    func olderPayloadsAreMadeNew(version: Int, name: String) throws {
        let event = try EventCodec.decode(
            bytes("customer.closed", version, #"{"\#(name)":"bankrupt"}"#), upcasters: upcasters)
        guard case .customerClosed(let closed) = event.event else {
            Issue.record("another event: \(event.event.type)")
            return
        }
        #expect(closed.reason == "bankrupt")
        #expect(event.schemaVersion == 3)
        #expect(event.customer == "c")
    }

    // Types without steps stay at version 1.
    @Test func otherTypesAreUntouched() throws {
        let stored = bytes("customer.suspended", 1, #"{"reason":"fraud"}"#)
        let event = try EventCodec.decode(stored, upcasters: upcasters)
        #expect(event == (try EventCodec.decode(stored)))
        #expect(upcasters.currentVersion(of: "customer.suspended") == 1)
        #expect(upcasters.currentVersion(of: "customer.closed") == 3)
    }

    // A version that is newer than the program, or none at all, is refused by that name.
    @Test(arguments: [("customer.closed", 4), ("customer.closed", 0), ("run.ended", 2)])
    func otherVersionsAreRefused(type: String, version: Int) {
        let error = #expect(throws: CodecError.self) {
            try EventCodec.decode(bytes(type, version, "{}"), upcasters: upcasters)
        }
        #expect(error?.code == .unsupportedVersion)
        #expect(error?.record == type)
    }

    // A step that does not give what the description asks for is an error like any other.
    @Test func stepThatLosesAField() {
        let careless = Upcasters([
            .init(type: "customer.closed", fromVersion: 1) { _ in JSONObject() }
        ])
        let error = #expect(throws: CodecError.self) {
            try EventCodec.decode(
                bytes("customer.closed", 1, #"{"reason":"x"}"#), upcasters: careless)
        }
        #expect(error?.code == .missingField)
        #expect(error?.field == "reason")
    }

    private func bytes(_ type: String, _ version: Int, _ data: String) -> [UInt8] {
        Array(
            ("{\"customer\":\"c\",\"data\":\(data),\"seq\":1,"
                + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"\(type)\",\"v\":\(version)}")
                .utf8)
    }
}

private func renaming(_ old: String, to new: String, in object: JSONObject) -> JSONObject {
    JSONObject(object.members.map { ($0.key == old ? new : $0.key, $0.value) })
}
