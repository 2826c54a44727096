// Events as bytes. The stored bytes are what the Merkle tree hashes and what the API returns,
// verbatim: RFC 8785 canonical JSON, one object, in the API's own forms (RecordForms.swift):
//
//     {"actor":"key_1","customer":"acme","data":{…},"project":"default","request_hash":"9c…",
//      "reservation":"r-1","seq":7,"time":"2026-11-22T14:45:19.123456Z","type":"usage.reserved","v":1}
//
// Absent is what is nil, and what a description says may be left out. Readers must step over
// members that they do not know: newer events of the same version may have more. What is not an
// additive change gets a new version and an upcaster (CodecUpcasters.swift).

package import Billing
import CanonicalJSON

package enum EventCodec {
    /// Appends the canonical bytes of `event`.
    package static func encode(_ event: RecordedEvent, into bytes: inout [UInt8]) {
        JSONRecordWriter.append(to: &bytes) { $0.envelope(of: event) }
    }

    /// Appends the canonical bytes of `events`, one after the other, and tells after each how many
    /// bytes there are in all. One buffer for all, and code that stays in the processor's cache.
    package static func encode(
        _ events: [RecordedEvent], into bytes: inout [UInt8], ended: (Int) -> Void
    ) {
        let before = bytes.count
        JSONRecordWriter.append(to: &bytes, expecting: 1_024 * events.count) { writer in
            for event in events {
                writer.envelope(of: event)
                ended(before + writer.count)
            }
        }
    }

    /// Reads one event.
    ///
    /// - Throws: `CodecError`; `.unknownType` and `.unsupportedVersion` for events of a newer
    /// program.
    package static func decode(
        _ bytes: [UInt8], upcasters: Upcasters = .current
    ) throws(CodecError) -> RecordedEvent {
        try bytes.withUnsafeBufferPointer { (buffer) throws(CodecError) in
            try decode(UnsafeRawBufferPointer(buffer), upcasters: upcasters)
        }
    }

    package static func decode(
        _ bytes: UnsafeRawBufferPointer, upcasters: Upcasters = .current
    ) throws(CodecError) -> RecordedEvent {
        var reader = JSONRecordReader(bytes, record: "event")
        var envelope = EventEnvelope()
        var event: Event?
        try reader.enterObject()
        try envelope.fieldsBeforeData(&reader)
        try reader.require("data")
        let ending = EventEnding(bytes)
        if let ending, ending.version == upcasters.currentVersion(of: ending.type) {
            event = try EventCatalog.event(ending.type, from: &reader)
            guard event != nil else { throw reader.error(.unknownType) }
        } else {
            try reader.skip()
        }
        try envelope.fieldsAfterData(&reader)
        try reader.leaveObject()
        try reader.finish()
        if let ending, ending.type != envelope.type || ending.version != envelope.schemaVersion {
            throw CodecError(.malformed, record: "event", field: "type", offset: reader.offset)
        }
        let decoded: Event
        if let event {
            decoded = event
        } else {
            decoded = try upcastPayload(of: envelope, in: bytes, upcasters)
        }
        return RecordedEvent(
            sequence: envelope.sequence, time: envelope.time,
            schemaVersion: upcasters.currentVersion(of: envelope.type),
            project: envelope.project, customer: envelope.customer,
            reservation: envelope.reservation, actor: envelope.actor,
            idempotencyKeyHash: envelope.idempotencyKeyHash, requestHash: envelope.requestHash,
            event: decoded)
    }

    /// The payload of an event of another version, or of one with unknown members at its end.
    private static func upcastPayload(
        of envelope: EventEnvelope, in bytes: UnsafeRawBufferPointer, _ upcasters: Upcasters
    ) throws(CodecError) -> Event {
        let data = try upcasters.upcast(
            bytes, type: envelope.type, from: envelope.schemaVersion)
        let event = try data.withUnsafeBufferPointer { (buffer) throws(CodecError) in
            var reader = JSONRecordReader(UnsafeRawBufferPointer(buffer), record: "event")
            return try EventCatalog.event(envelope.type, from: &reader)
        }
        if let event { return event }
        throw CodecError(.unknownType, record: "event", field: "type", offset: bytes.count)
    }

    /// Reads everything but the payload, which is only stepped over.
    package static func envelope(_ bytes: [UInt8]) throws(CodecError) -> EventEnvelope {
        try bytes.withUnsafeBufferPointer { (buffer) throws(CodecError) in
            var reader = JSONRecordReader(UnsafeRawBufferPointer(buffer), record: "event")
            var envelope = EventEnvelope()
            try reader.enterObject()
            try envelope.fieldsBeforeData(&reader)
            try reader.require("data")
            try reader.skip()
            try envelope.fieldsAfterData(&reader)
            try reader.leaveObject()
            try reader.finish()
            return envelope
        }
    }
}

/// Type and version of an event, read backwards from its end: `"type":"…","v":1}`.
///
/// Without them the payload cannot be read, and they come after it; stepping over it first costs a
/// quarter of all decoding. In well-formed bytes this can be nothing else: after the version the
/// event ends, and inside a string each quote of the pattern would have a backslash before it. The
/// decoder compares with what it then finds on its way.
struct EventEnding {
    let type: String
    let version: Int64

    init?(_ bytes: UnsafeRawBufferPointer) {
        func ends(_ end: Int, with text: StaticString) -> Bool {
            let start = end - text.utf8CodeUnitCount
            guard start >= 0 else { return false }
            for index in start..<end where bytes[index] != text.utf8Start[index - start] {
                return false
            }
            return true
        }
        func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
        func isTypeCharacter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".")
        }
        guard ends(bytes.count, with: "}") else { return nil }
        let versionEnd = bytes.count - 1
        var index = versionEnd
        var version: Int64 = 0
        var unit: Int64 = 1
        while index > 0, versionEnd - index < 9, isDigit(bytes[index - 1]) {
            index -= 1
            version += unit * Int64(bytes[index] - UInt8(ascii: "0"))
            unit *= 10
        }
        guard index < versionEnd, ends(index, with: #"","v":"#) else { return nil }
        let typeEnd = index - 6
        index = typeEnd
        while index > 0, isTypeCharacter(bytes[index - 1]) { index -= 1 }
        guard ends(index, with: #""type":""#) else { return nil }
        type = String(
            decoding: UnsafeRawBufferPointer(rebasing: bytes[index..<typeEnd]), as: UTF8.self)
        self.version = version
    }
}

extension JSONRecordReader: PayloadSource {
    package mutating func payload<Payload: Record>() throws(CodecError) -> Payload {
        try record(Payload.self)
    }
}

extension JSONRecordWriter {
    fileprivate mutating func payload(of event: Event) {
        switch event {
        case .usageReserved(let payload): record(payload)
        case .usageSettled(let payload): record(payload)
        case .usageRejected(let payload): record(payload)
        case .usageEstimated(let payload): record(payload)
        case .usageExtended(let payload): record(payload)
        case .usageReleased(let payload): record(payload)
        case .usageExpired(let payload): record(payload)
        case .usageAdjusted(let payload): record(payload)
        case .usageRecorded(let payload): record(payload)
        case .stripe(let fact): self.payload(of: fact)
        case .ledgerOpened(let payload): record(payload)
        case .clockAdvanced(let payload): record(payload)
        case .projectSet(let payload): record(payload)
        case .planSet(let payload): record(payload)
        case .budgetSet(let payload): record(payload)
        case .budgetRemoved(let payload): record(payload)
        case .priceBookPublished(let payload): record(payload)
        case .keyCreated(let payload): record(payload)
        case .keyRevoked(let payload): record(payload)
        case .customerOpened(let payload): record(payload)
        case .customerUpdated(let payload): record(payload)
        case .customerSuspended(let payload): record(payload)
        case .customerResumed(let payload): record(payload)
        case .customerClosed(let payload): record(payload)
        case .customerLinked(let payload): record(payload)
        case .creditGranted(let payload): record(payload)
        case .creditActivated(let payload): record(payload)
        case .creditExpired(let payload), .creditRevoked(let payload): record(payload)
        case .paymentReceived(let payload): record(payload)
        case .runStarted(let payload): record(payload)
        case .runStopped(let payload): record(payload)
        case .runEnded(let payload): record(payload)
        }
    }
}

extension JSONRecordWriter {
    fileprivate mutating func payload(of fact: StripeFact) {
        switch fact {
        case .pushPlanned(let payload): record(payload)
        case .pushAccepted(let payload): record(payload)
        case .pushFailed(let payload): record(payload)
        case .pushRejected(let payload): record(payload)
        case .subscriptionSeen(let payload): record(payload)
        case .periodClosed(let payload): record(payload)
        case .driftFound(let payload): record(payload)
        case .repaired(let payload): record(payload)
        case .reconciled(let payload): record(payload)
        case .webhookReceived(let payload): record(payload)
        case .webhookHandled(let payload): record(payload)
        case .disputeOpened(let payload): record(payload)
        case .paymentRefunded(let payload): record(payload)
        case .disputeClosed(let payload): record(payload)
        }
    }

    fileprivate mutating func envelope(of event: RecordedEvent) {
        var envelope = EventEnvelope(event)
        beginObject()
        envelope.fieldsBeforeData(&self)
        key("data")
        payload(of: event.event)
        envelope.fieldsAfterData(&self)
        endObject()
    }
}

extension AppendBatch {
    /// Appends the envelopes of `events`, of which the last is the newest.
    package mutating func append(_ events: [RecordedEvent]) {
        guard let newest = events.last else { return }
        append { (bytes, ended) in EventCodec.encode(events, into: &bytes, ended: ended) }
        timeMicroseconds = newest.time.microseconds
    }
}
