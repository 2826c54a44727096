import Billing
import CanonicalJSON
import EventLog
import Money

enum EventProperties {
    static func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        let envelope: EventEnvelope?
        do throws(CodecError) {
            envelope = try EventCodec.envelope(bytes)
        } catch {
            try hold((0...bytes.count).contains(error.offset), "an error lies within the bytes")
            envelope = nil
        }
        let event: RecordedEvent
        do throws(CodecError) {
            event = try EventCodec.decode(bytes)
        } catch {
            try hold((0...bytes.count).contains(error.offset), "an error lies within the bytes")
            try hold(!error.record.isEmpty, "an error names the record")
            return false
        }
        guard let envelope else { throw Violation("an event that is read has an envelope") }
        try hold(
            envelope.sequence == event.sequence && envelope.time == event.time
                && envelope.type == event.event.type, "event and envelope agree")
        try checkWriting(event, bytes)
        return true
    }

    private static func checkWriting(
        _ event: RecordedEvent, _ bytes: [UInt8]
    ) throws(Violation) {
        let written = encode(event)
        guard let again = try? EventCodec.decode(written) else {
            throw Violation("what is written can be read")
        }
        try hold(encode(again) == written, "an event has one form")
        guard let tree = try? StrictJSON.parse(written) else {
            throw Violation("what is written is JSON")
        }
        try hold(
            (try? CanonicalJSON.encode(tree)) == written, "what is written is canonical")
        if written == bytes { return }
        // The bytes were another writer's: with members that we do not know, with defaults that
        // we leave out, with 1.50 for 1.5. Nothing else may be between the two.
        try hold(
            String(reflecting: again).utf8.elementsEqual(String(reflecting: event).utf8),
            "written and read, an event is what it was, byte for byte")
        let read: JSONValue
        do throws(JSONError) {
            read = try StrictJSON.parse(bytes)
        } catch {
            try hold(
                [.duplicateKey, .tooDeep, .tooManyValues, .stringTooLong].contains(error.code),
                "an event that is read is JSON, not: \(error)")
            return
        }
        try hold(covers(read, tree), "nothing is written that was not read")
    }

    private static func encode(_ event: RecordedEvent) -> [UInt8] {
        var bytes: [UInt8] = []
        EventCodec.encode(event, into: &bytes)
        return bytes
    }

    /// Whether everything in `written` stands in `read`, where there may be more members.
    private static func covers(_ read: JSONValue, _ written: JSONValue) -> Bool {
        switch (read, written) {
        case (.object(let x), .object(let y)):
            return y.members.allSatisfy { member in
                x[member.key].map { covers($0, member.value) } ?? false
            }
        case (.array(let x), .array(let y)):
            return x.count == y.count && zip(x, y).allSatisfy(covers)
        case (.string(let x), .string(let y)):
            if x.utf8.elementsEqual(y.utf8) { return true }
            guard let amount = try? Money(decimal: x) else { return false }
            return (try? Money(decimal: y)) == amount
        // A quantity goes by its JSON type until its measure is known.
        case (.integer(let x), .string(let y)):
            return (try? Money(decimal: y)) == Money(nanos: x)
        case (.string(let x), .integer(let y)):
            return (try? Money(decimal: x)) == Money(nanos: y)
        default: return read == written
        }
    }
}
