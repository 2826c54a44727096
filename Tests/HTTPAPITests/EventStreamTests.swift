import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

/// The log as server-sent events, without sockets.
@Suite struct EventStreamTests {
    private func open(
        _ fixture: APIFixture, _ query: String = "", last: String? = nil, secret: KeyRole = .read
    ) async -> APIResponse {
        await fixture.api.respond(
            to: APIRequest(
                "GET", path: "/v1/events", query: query,
                authorization: "Bearer " + (APIFixture.secrets[secret] ?? ""),
                accept: "text/event-stream", lastEventID: last))
    }

    private func stream(
        _ fixture: APIFixture, _ query: String = "", last: String? = nil
    ) async throws -> Reader {
        let response = await open(fixture, query, last: last)
        #expect(response.status == 200)
        #expect(response.contentType == "text/event-stream")
        var reader = Reader(try #require(response.stream).makeAsyncIterator())
        #expect(try #require(await reader.chunk()).hasPrefix("retry: "))
        return reader
    }

    /// Reads a stream event by event.
    struct Reader {
        private var chunks: EventStream.Iterator
        private var lines: [Substring] = []

        init(_ chunks: EventStream.Iterator) { self.chunks = chunks }

        @concurrent
        mutating func chunk() async -> String? {
            await chunks.next().map { String(decoding: $0, as: UTF8.self) }
        }

        /// The next event as `id type data`; a comment as itself; nil at the end.
        @concurrent
        mutating func next() async -> String? {
            while lines.count < 4 {
                guard let chunk = await chunk() else { return nil }
                if chunk.hasPrefix(":") { return chunk }
                lines += chunk.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            }
            defer { lines.removeFirst(4) }
            return "\(lines[0].dropFirst(4)) \(lines[1].dropFirst(7)) \(lines[2].dropFirst(6))"
        }
    }

    private func line(_ fixture: APIFixture, _ sequence: Int) async -> String {
        let answer = await fixture.get("/v1/events/\(sequence)")
        return "\(sequence) \(answer.string("type") ?? "") \(answer.text)"
    }

    // All events from the beginning, byte for byte as in the log, and then what is appended.
    @Test func liveTail() async throws {
        let fixture = try await APIFixture()
        var reader = try await stream(fixture)
        let head = Int(fixture.ledger.store.head.sequence)
        for sequence in 1...head { #expect(await reader.next() == line(fixture, sequence)) }
        for number in 1...20 {
            await fixture.reserve("r\(number)", "c", amount: "0.01")
            var found = await reader.next()
            // The first call opens its customer too.
            if found?.contains("customer.opened") == true { found = await reader.next() }
            #expect(found?.contains(#""reservation":"r\#(number)""#) == true)
        }
    }

    // Last-Event-ID goes before after; the filters are those of the pages.
    @Test func resumesAndFilters() async throws {
        let fixture = try await APIFixture()
        for number in 1...5 { await fixture.reserve("r\(number)", "c\(number)", amount: "0.01") }
        let head = Int(fixture.ledger.store.head.sequence)
        var resumed = try await stream(fixture, "after=1", last: String(head - 1))
        #expect(await resumed.next() == line(fixture, head))
        var filtered = try await stream(fixture, "type=usage.reserved&customer=c3")
        #expect(await filtered.next()?.contains(#""reservation":"r3""#) == true)
        await fixture.reserve("more", "c3", amount: "0.01")
        #expect(await filtered.next()?.contains(#""reservation":"more""#) == true)
    }

    // While nothing happens, a comment says now and then that the stream lives.
    @Test func heartbeats() async throws {
        let fixture = try await APIFixture { $0.eventHeartbeat = .milliseconds(30) }
        let head = fixture.ledger.store.head.sequence
        var reader = try await stream(fixture, "after=\(head)")
        #expect(await reader.next() == ": heartbeat\n\n")
        await fixture.reserve("a", "c", amount: "0.01")
        var found = await reader.next()
        while found?.hasPrefix(":") == true { found = await reader.next() }
        #expect(found?.contains("customer.opened") == true)
    }

    // There are so many streams and no more; a place is given back with its stream.
    @Test func limit() async throws {
        let fixture = try await APIFixture { $0.eventStreamsMax = 2 }
        var responses = [await open(fixture), await open(fixture)]
        let refused = Answer(await open(fixture))
        #expect(refused.code == "503 too_many_streams")
        #expect(refused.response.header("Retry-After") == "10")
        responses.removeLast()
        #expect(await open(fixture).status == 200)
        #expect(responses.count == 1)
    }

    // When the server is about to stop, streams end and no new ones begin.
    @Test func closing() async throws {
        let fixture = try await APIFixture()
        let head = fixture.ledger.store.head.sequence
        var reader = try await stream(fixture, "after=\(head)")
        fixture.api.closeStreams()
        #expect(await reader.next() == nil)
        #expect(Answer(await open(fixture)).code == "503 shutting_down")
    }

    // A key that is revoked sees no more.
    @Test func revokedKey() async throws {
        let fixture = try await APIFixture()
        let head = fixture.ledger.store.head.sequence
        var reader = try await stream(fixture, "after=\(head)")
        #expect(await fixture.post("/v1/keys/key_read/revoke").status == 200)
        #expect(await reader.next() == nil)
    }

    // What makes no sense is refused by name; without the header's wish there are pages.
    @Test func refusals() async throws {
        let fixture = try await APIFixture.shared.value
        #expect(Answer(await open(fixture, "limit=5")).string("error.param") == "limit")
        for last in ["x", "-1", "1.5", "99999999999999999999"] {
            let answer = Answer(await open(fixture, last: last))
            #expect(answer.code == "400 invalid_header")
            #expect(answer.string("error.param") == "Last-Event-ID")
        }
        #expect(await open(fixture, last: "").stream != nil)
        for accept in ["*/*", "application/json", "application/json, text/event-stream;q=0.5"] {
            let answer = await fixture.ask("GET", "/v1/events", accept: accept)
            #expect(answer.response.stream == nil)
            #expect(answer.count("data") != nil)
        }
    }

    // An open stream shows in the metrics; one that has ended does not.
    @Test func metrics() async throws {
        let fixture = try await APIFixture()
        func gauge() async -> String? {
            await fixture.get("/metrics").text.split(separator: "\n")
                .first { $0.hasPrefix("faregate_event_streams ") }.map(String.init)
        }
        var response: APIResponse? = await open(fixture)
        #expect(response?.stream != nil)
        #expect(await gauge() == "faregate_event_streams 1")
        response = nil
        #expect(await gauge() == "faregate_event_streams 0")
    }
}
