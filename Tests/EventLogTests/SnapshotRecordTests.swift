import FaregateTestSupport
import Testing

@testable import EventLog

@Suite struct SnapshotRecordTests {
    // Every payload, also of types that no snapshot holds yet, comes back from its binary form.
    @Test(arguments: EventCatalog.entries.map(\.type))
    func payloadRoundTrip(type: String) throws {
        var source = BinaryRoundTrip(random: RandomEvents(seed: 21))
        for _ in 0..<50 { _ = try EventCatalog.event(type, from: &source) }
        #expect(source.count == 50)
    }

    // Numbers at the ends of their ranges keep their values; a number has one form only.
    @Test func numbers() throws {
        let signed: [Int64] = [0, 1, -1, 63, 64, -64, -65, .max, .min]
        let unsigned: [UInt64] = [0, 1, 127, 128, 16_383, 16_384, 1 << 63, .max]
        var writer = SnapshotWriter(reservingCapacity: 0)
        for value in signed { writer.integer(value) }
        for value in unsigned { writer.unsigned(value) }
        try reading(writer.bytes) { (reader) throws(CodecError) in
            for value in signed { #expect(try reader.integer() == value) }
            for value in unsigned { #expect(try reader.unsigned() == value) }
            try reader.finish()
        }
        for (bytes, code) in [
            ([0x80, 0x00], CodecError.Code.malformed), ([0xFF], .truncated),
            ([UInt8](repeating: 0xFF, count: 9) + [0x02], .outOfRange),
        ] {
            let error = #expect(throws: CodecError.self) {
                try reading(bytes) { (reader) throws(CodecError) in _ = try reader.unsigned() }
            }
            #expect(error?.code == code)
        }
    }

    // Text that is not UTF-8 is refused, not repaired.
    @Test func invalidText() {
        let error = #expect(throws: CodecError.self) {
            try reading([2, 0xC3, 0x28]) { (reader) throws(CodecError) in _ = try reader.text() }
        }
        #expect(error?.code == .invalidText)
    }
}

private func reading(
    _ bytes: [UInt8], _ body: (inout SnapshotReader) throws(CodecError) -> Void
) throws(CodecError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(CodecError) in
        var reader = SnapshotReader(UnsafeRawBufferPointer(buffer))
        try body(&reader)
    }
}

/// Writes and reads each payload that it is asked for.
private struct BinaryRoundTrip: PayloadSource {
    var random: RandomEvents
    var count = 0

    mutating func payload<Payload: Record>() throws(CodecError) -> Payload {
        count += 1
        let payload: Payload = random.record()
        var writer = SnapshotWriter(reservingCapacity: 256)
        writer.record(payload)
        try reading(writer.bytes) { (reader) throws(CodecError) in
            #expect(try reader.record(Payload.self) == payload)
            try reader.finish()
        }
        return payload
    }
}
