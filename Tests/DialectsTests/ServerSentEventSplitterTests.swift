import Dialects
import Testing

@Suite struct ServerSentEventSplitterTests {
    private struct Event: Equatable {
        var raw: String
        var name: String
        var data: String?
        var isTerminated: Bool

        init(_ raw: String, name: String = "", data: String?, isTerminated: Bool = true) {
            self.raw = raw
            self.name = name
            self.data = data
            self.isTerminated = isTerminated
        }

        init(_ event: ServerSentEvent) {
            raw = String(decoding: event.raw, as: UTF8.self)
            name = String(decoding: event.name, as: UTF8.self)
            data = event.data.map { String(decoding: $0, as: UTF8.self) }
            isTerminated = event.isTerminated
        }
    }

    private func split(
        _ chunks: [[UInt8]], maxEventBytes: Int = 1 << 20
    ) throws(StreamFault) -> [Event] {
        var splitter = ServerSentEventSplitter(maxEventBytes: maxEventBytes)
        var events: [Event] = []
        for chunk in chunks {
            try chunk.withUnsafeBufferPointer { (buffer) throws(StreamFault) in
                try splitter.receive(UnsafeRawBufferPointer(buffer)) { events.append(Event($0)) }
            }
        }
        splitter.end { events.append(Event($0)) }
        return events
    }

    // Lines end with LF, CR or CR LF; one space after the colon belongs to neither side; the last
    // `event` counts, and all `data`; anything else is no field of ours.
    @Test(arguments: [
        ("data: a\n\n", "", "a"),
        ("data:a\r\n\r\n", "", "a"),
        ("data:  a\r\r", "", " a"),
        ("data\n\n", "", ""),
        ("data:\n\n", "", ""),
        ("data: a\ndata: b\ndata\n\n", "", "a\nb\n"),
        ("event: x\ndata: a\nevent: y\n\n", "y", "a"),
        ("id: 1\nretry: 5\n: note\ndatum: z\ndata: a\n\n", "", "a"),
        ("\u{FEFF}data: a\n\n", "", "a"),
        ("data: {\"a\":1}\r\nevent: m\r\n\r\n", "m", "{\"a\":1}"),
    ])
    func fields(_ raw: String, _ name: String, _ data: String) throws {
        #expect(try split([bytes(raw)]) == [Event(raw, name: name, data: data)])
    }

    // Keep-alives and stray blank lines have no data, and are events: they must be relayed.
    @Test func eventsWithoutData() throws {
        let events = try split([bytes(": OPENROUTER PROCESSING\n\n\n\nevent: ping\n\n")])
        #expect(
            events == [
                Event(": OPENROUTER PROCESSING\n\n", data: nil), Event("\n", data: nil),
                Event("\n", data: nil), Event("event: ping\n\n", name: "ping", data: nil),
            ])
    }

    // A stream that breaks off gives the rest, marked; one that ends in the CR of a blank line is
    // whole.
    @Test func rest() throws {
        #expect(
            try split([bytes("data: a\n\ndata: b\n")]) == [
                Event("data: a\n\n", data: "a"),
                Event("data: b\n", data: "b", isTerminated: false),
            ])
        #expect(try split([bytes("data: a\r\r")]) == [Event("data: a\r\r", data: "a")])
        #expect(try split([]) == [])
    }

    // A byte order mark is one only at the start of the stream.
    @Test func laterByteOrderMark() throws {
        let events = try split([bytes("data: a\n\n\u{FEFF}data: b\n\n")])
        #expect(events.map(\.data) == ["a", nil])
    }

    // However a stream is cut, its events are the same, and put together they are the stream.
    @Test func anyChunks() throws {
        var numbers = SeededNumbers(seed: 0x55E)
        let parts = [
            "data: ", "data:", "event: x", "event", ": c", "\n", "\n", "\r", "\r\n", "\n\n",
            "\r\n\r\n", "\r\r", "a", "{\"x\":\"éß\"}", " ", ":", "\u{FEFF}", "id: 4", "data",
            String(repeating: "long", count: 9),
        ]
        for _ in 0..<3_000 {
            var stream: [UInt8] = []
            for _ in 0..<numbers.below(14) { stream += bytes(numbers.pick(parts)) }
            let whole = try split([stream])
            #expect(whole.map(\.raw).joined().utf8.elementsEqual(stream))
            var chunks: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let size = 1 + numbers.below(numbers.pick([1, 2, 9]))
                chunks.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(try split(chunks) == whole, "\(text(stream).debugDescription)")
        }
    }

    // An event larger than the limit is refused when the limit is passed, not kept growing; at the
    // limit it passes.
    @Test func limit() throws {
        let event = bytes("data: 0123456789\n\n")
        #expect(try split([event], maxEventBytes: event.count).count == 1)
        #expect(throws: StreamFault.eventTooLarge(limit: event.count - 1)) {
            try split([event], maxEventBytes: event.count - 1)
        }
        #expect(throws: StreamFault.eventTooLarge(limit: 12)) {
            try split(event.map { [$0] }, maxEventBytes: 12)
        }
        var splitter = ServerSentEventSplitter(maxEventBytes: 100)
        let many = bytes(String(repeating: "data: 0123456789\n\n", count: 50))
        try many.withUnsafeBytes { try splitter.receive($0) { _ in } }
        #expect(splitter.pendingBytes == 0)
    }
}
