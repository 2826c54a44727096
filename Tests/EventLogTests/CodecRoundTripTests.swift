import Billing
import CanonicalJSON
import EventLog
import FaregateTestSupport
import Testing

@Suite struct CodecRoundTripTests {
    // What is written can be read, and is the same: event and bytes.
    @Test(arguments: EventCatalog.entries.map(\.type))
    func roundTrip(type: String) throws {
        var random = RandomEvents(seed: 1)
        for _ in 0..<200 {
            let event = random.event(of: type)
            let bytes = encode(event)
            let decoded = try EventCodec.decode(bytes)
            #expect(decoded == event)
            #expect(encode(decoded) == bytes)
        }
    }

    // The bytes are RFC 8785: writing them again from a parsed tree changes nothing.
    @Test(arguments: EventCatalog.entries.map(\.type))
    func bytesAreCanonical(type: String) throws {
        var random = RandomEvents(seed: 2)
        for _ in 0..<100 {
            let bytes = encode(random.event(of: type))
            #expect(try CanonicalJSON.encode(StrictJSON.parse(bytes)) == bytes)
        }
    }

    // An encoder that is given bytes appends to them.
    @Test func encodeAppends() {
        var random = RandomEvents(seed: 3)
        let first = random.event()
        let second = random.event()
        var bytes: [UInt8] = []
        EventCodec.encode(first, into: &bytes)
        EventCodec.encode(second, into: &bytes)
        #expect(bytes == encode(first) + encode(second))
    }

    // The envelope alone says what the event says, without its payload being understood.
    @Test func envelopeWithoutPayload() throws {
        var random = RandomEvents(seed: 4)
        for _ in 0..<500 {
            let event = random.event()
            let envelope = try EventCodec.envelope(encode(event))
            #expect(envelope.sequence == event.sequence)
            #expect(envelope.time == event.time)
            #expect(envelope.type == event.event.type)
            #expect(envelope.schemaVersion == event.schemaVersion)
            #expect(envelope.project == event.project)
            #expect(envelope.customer == event.customer)
            #expect(envelope.reservation == event.reservation)
            #expect(envelope.actor == event.actor)
            #expect(envelope.idempotencyKeyHash == event.idempotencyKeyHash)
            #expect(envelope.requestHash == event.requestHash)
        }
    }

    // The catalogue has every type once, under the name that the event itself has.
    @Test func catalogueNamesEveryType() {
        var random = RandomEvents(seed: 5)
        let types = EventCatalog.entries.map(\.type)
        #expect(Set(types).count == types.count)
        for type in types { #expect(random.event(of: type).event.type == type) }
        #expect(EventCatalog.event("usage.invented", from: &random) == nil)
        #expect(EventCatalog.event("invented", from: &random) == nil)
    }

    // Damaged bytes are an error or another event, never a trap.
    @Test func damagedBytesNeverTrap() {
        var random = RandomEvents(seed: 6)
        var damage = Damage(seed: 7)
        var errors = 0
        for _ in 0..<4_000 {
            let bytes = damage.damaged(encode(random.event()))
            do {
                _ = try EventCodec.decode(bytes)
            } catch {
                errors += 1
                #expect((0...bytes.count).contains(error.offset))
            }
            _ = try? EventCodec.envelope(bytes)
        }
        #expect(errors > 1_000)
    }

    // Every beginning of an event but the whole is an error.
    @Test func everyPrefixIsRefused() {
        var random = RandomEvents(seed: 8)
        for entry in EventCatalog.entries {
            let bytes = encode(random.event(of: entry.type))
            for count in 0..<bytes.count {
                #expect(throws: CodecError.self) {
                    try EventCodec.decode(Array(bytes[..<count]))
                }
            }
        }
    }

    private func encode(_ event: RecordedEvent) -> [UInt8] {
        var bytes: [UInt8] = []
        EventCodec.encode(event, into: &bytes)
        return bytes
    }
}
