import Testing

@testable import faregate

/// Taking a stream of server-sent events apart.
@Suite struct EventFollowerTests {
    private func read(_ text: String, in pieces: Int) throws -> [ServerSentEvent] {
        var reader = ServerSentEventReader()
        var events: [ServerSentEvent] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            events += try reader.read(bytes[start..<min(start + pieces, bytes.count)])
        }
        return events
    }

    // Comments, every kind of line end, several lines of data, wherever the pieces are cut.
    @Test(arguments: [1, 2, 3, 7, 1_000]) func pieces(size: Int) throws {
        let text =
            "retry: 5\n\n: heartbeat\n\nid: 7\nevent: a.b\ndata: {\"x\":1}\n\n"
            + "id: 8\r\nevent: c\r\ndata:one\r\ndata: two\r\n\r\nid: 9\rdata: z\r\rdata: cut"
        let events = try read(text, in: size)
        #expect(
            events == [
                ServerSentEvent(id: "7", type: "a.b", data: "{\"x\":1}"),
                ServerSentEvent(id: "8", type: "c", data: "one\ntwo"),
                ServerSentEvent(id: "9", type: "message", data: "z"),
            ])
    }

    // What was cut off does not count as seen.
    @Test func position() throws {
        var reader = ServerSentEventReader(lastID: "3")
        #expect(try reader.read(Array("retry: 70\nid: 4\ndata: x".utf8)) == [])
        #expect(reader.lastID == "3")
        #expect(reader.retryMilliseconds == 70)
        #expect(try reader.read(Array("\n\n".utf8)).map(\.id) == ["4"])
        #expect(reader.lastID == "4")
    }
}
