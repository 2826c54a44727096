import Billing
import EventLog
import Testing

/// `fixtures/events/` holds the stored bytes of one event of each type. Stored events never change,
/// so neither do these files: a test that fails here has found a change that breaks every log there
/// is.
///
/// FAREGATE_UPDATE_FIXTURES=1 writes the files that do not exist yet, and no others.
@Suite struct CodecGoldenTests {
    private static let folder = "fixtures/events"

    // There is one example of each type, and one file for each example.
    @Test func everyTypeHasAnExample() {
        let types = GoldenEvents.all.map(\.event.type)
        #expect(types == EventCatalog.entries.map(\.type))
        #expect(RepositoryFile.names(in: Self.folder) == types.map { "\($0).json" }.sorted())
    }

    // An event gives the bytes of its file, and the file gives the event.
    @Test(arguments: GoldenEvents.all)
    func pinnedBytes(event: RecordedEvent) throws {
        var bytes: [UInt8] = []
        EventCodec.encode(event, into: &bytes)
        let path = "\(Self.folder)/\(event.event.type).json"
        var pinned = RepositoryFile.read(path)
        if pinned == nil, RepositoryFile.isSet("FAREGATE_UPDATE_FIXTURES") {
            try RepositoryFile.write(bytes, to: path)
            pinned = bytes
        }
        let file = try #require(pinned, "no \(path)")
        #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: file, as: UTF8.self))
        #expect(try EventCodec.decode(file) == event)
    }
}
