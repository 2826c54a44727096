import CanonicalJSON
import HTTPAPI

enum CloudEventProperties {
    static func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        guard let value = try? StrictJSON.parse(bytes) else { return false }
        let event: CloudEvent
        do throws(FieldError) {
            event = try readingFields { () throws(FieldError) in try CloudEvent(value, path: "") }
        } catch {
            try hold(error.message.contains(error.param), "a message names its field")
            try hold(
                error.message.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F },
                "a message has no control characters")
            return false
        }
        try hold(event.usageID.utf8.count <= 256, "an id has at most 256 bytes")
        try hold(
            event.usageID.utf8.count { $0 == UInt8(ascii: "|") } >= 1,
            "an id is source and id")
        let digested: [UInt8]
        do throws(JSONError) {
            digested = try CanonicalJSON.encode(.object(event.identity))
        } catch {
            throw Violation("what is accepted can be digested, not: \(error)")
        }
        try checkOrder(value, event, digested)
        try checkBinary(value, event, digested)
        return true
    }

    /// The order of members does not matter.
    private static func checkOrder(
        _ value: JSONValue, _ event: CloudEvent, _ digested: [UInt8]
    ) throws(Violation) {
        // Extensions may hold numbers that have no canonical form.
        guard let canonical = try? CanonicalJSON.encode(value) else { return }
        guard let tree = try? StrictJSON.parse(canonical),
            let again = try? CloudEvent(tree, path: "")
        else { throw Violation("an event in canonical order is accepted, too") }
        try compare(event, again, digested)
    }

    /// Headers say the same as members.
    private static func checkBinary(
        _ value: JSONValue, _ event: CloudEvent, _ digested: [UInt8]
    ) throws(Violation) {
        guard case .object(let object) = value, let data = object["data"] else { return }
        var headers: [(name: String, value: String)] = []
        for (name, value) in object.members where name != "data" && name != "datacontenttype" {
            switch value {
            case .string(let text):
                // A header has no NUL, however it is written.
                if text.utf8.contains(0) { return }
                headers.append((name, percentEncoded(text)))
            case .null where ["subject", "time", "dataschema"].contains(name):
                // An absent header; what must be repeated then lacks a null.
                return
            default: continue
            }
        }
        let again: CloudEvent
        do throws(APIError) {
            again = try CloudEvent(headers: headers, data: data)
        } catch {
            throw Violation("an event in binary mode is accepted, too, not: \(error)")
        }
        try compare(event, again, digested)
    }

    private static func compare(
        _ event: CloudEvent, _ again: CloudEvent, _ digested: [UInt8]
    ) throws(Violation) {
        try hold(event.usageID.utf8.elementsEqual(again.usageID.utf8), "the same event, one id")
        try hold(
            (try? CanonicalJSON.encode(.object(again.identity))) == digested,
            "the same event, one digest")
    }
}
