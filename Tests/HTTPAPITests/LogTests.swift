import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct LogTests {
    // Events come out byte for byte as they were stored, in pages, filtered.
    @Test func events() async throws {
        let fixture = try await APIFixture()
        for number in 0..<10 {
            await fixture.reserve("r\(number)", "c\(number % 2)", amount: "1")
        }
        _ = await fixture.post("/v1/reservations/r3/settle", #"{"amount":"1"}"#)
        let store = fixture.ledger.store
        let stored = try store.read(after: 0, limit: 1_000, maxBytes: .max)
        var bytes: [UInt8] = Array(#"{"data":["#.utf8)
        for (place, event) in stored.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += event.bytes
        }
        bytes += Array(#"],"has_more":false,"next":\#(stored.count)}"#.utf8)
        let all = await fixture.get("/v1/events?limit=1000")
        #expect(all.response.body == bytes)
        let one = await fixture.get("/v1/events/5")
        #expect(one.response.body == stored[4].bytes)

        let settled = await fixture.get("/v1/events?type=usage.settled")
        #expect(settled.count("data") == 1)
        #expect(settled.string("data[0].reservation") == "r3")
        #expect(settled.bool("has_more") == false)
        let reservation = await fixture.get("/v1/events?reservation=r3")
        #expect(reservation.count("data") == 2)
        let customer = await fixture.get("/v1/events?customer=c0&limit=3")
        #expect(customer.count("data") == 3)
        #expect(customer.bool("has_more") == true)
        let rest = await fixture.get(
            "/v1/events?customer=c0&limit=100&after=\(customer.integer("next") ?? 0)")
        #expect(rest.count("data") == 3)
        let none = await fixture.get("/v1/events?project=none")
        #expect(none.count("data") == 0)
        let beyond = await fixture.get("/v1/events?after=99999")
        #expect(beyond.count("data") == 0)
        #expect(beyond.bool("has_more") == false)
    }

    // The newest checkpoint is the head of the log.
    @Test func checkpoint() async throws {
        let fixture = try await APIFixture()
        await fixture.reserve("r", "acme", amount: "1")
        let answer = await fixture.get("/v1/checkpoints/latest")
        let head = fixture.ledger.store.head
        #expect(answer.integer("sequence") == Int64(head.sequence))
        #expect(answer.string("root") == head.root.hex)
        #expect(answer.string("ledger_id") == "test-ledger")
        #expect(answer.string("time") == "2026-03-02T12:00:00.000000Z")
    }

    // The test clock is set and advanced, and everything follows it.
    @Test func testClock() async throws {
        let fixture = try await APIFixture()
        #expect(
            await fixture.get("/v1/test_clock").string("now") == "2026-03-02T12:00:00.000000Z")
        await fixture.reserve("r", "acme", amount: "1")
        let advanced = await fixture.post("/v1/test_clock", #"{"advance_seconds":601}"#, key: "k")
        #expect(advanced.string("now") == "2026-03-02T12:10:01.000000Z")
        #expect(await fixture.get("/v1/reservations/r").string("status") == "expired")
        let replayed = await fixture.post("/v1/test_clock", #"{"advance_seconds":601}"#, key: "k")
        #expect(replayed.response.body == advanced.response.body)
        let set = await fixture.post("/v1/test_clock", #"{"now":"2026-04-01T00:00:00Z"}"#)
        #expect(set.status == 200)
        #expect(
            await fixture.get("/v1/test_clock").string("now") == "2026-04-01T00:00:00.000000Z")
        let both = await fixture.post(
            "/v1/test_clock", #"{"now":"2026-05-01T00:00:00Z","advance_seconds":1}"#)
        #expect(both.code == "422 invalid_request")
    }

    // A ledger that follows the real clock has no test clock.
    @Test func noTestClock() async throws {
        let store = InMemoryEventStore(
            identity: LedgerIdentity(ledgerID: "real", currency: "EUR", isTestClock: false))
        let fixture = try await APIFixture(store: store)
        #expect(await fixture.get("/v1/test_clock").code == "404 no_test_clock")
        let set = await fixture.post("/v1/test_clock", #"{"advance_seconds":1}"#)
        #expect(set.code == "404 no_test_clock")
        await fixture.reserve("r", "acme", amount: "1")
        #expect(await fixture.get("/v1/customers/acme/balance").string("currency") == "EUR")
    }

    // Ready means that writes are taken, and says how far the log is.
    @Test func readiness() async throws {
        let fixture = try await APIFixture()
        let answer = await fixture.get("/readyz")
        #expect(answer.string("state") == "healthy")
        #expect(answer.integer("sequence") == Int64(fixture.ledger.store.head.sequence))
        #expect(answer.integer("queue_depth") == 0)
        #expect(await fixture.get("/healthz").string("status") == "ok")
        let file = await fixture.get("/openapi.yaml")
        #expect(file.response.contentType == "application/yaml")
        #expect(file.text == "openapi: 3.1.0\n")
    }

    // The log as a file holds every event byte for byte, and with since only those after it.
    @Test func logFile() async throws {
        let fixture = try await APIFixture()
        for number in 0..<10 { await fixture.reserve("r\(number)", "c", amount: "1") }
        let store = fixture.ledger.store
        let head = store.head
        for since in [0, 5, head.sequence] {
            let answer = await fixture.get("/v1/log?since=\(since)")
            #expect(answer.response.status == 200)
            #expect(answer.response.contentType == "application/x-ndjson")
            var bytes: [UInt8] = []
            let pieces = try #require(answer.response.pieces)
            while let piece = try await pieces() { bytes += piece }
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            let events = lines.filter { $0.starts(with: Array(#"{"event":"#.utf8)) }
            let stored = try store.read(after: since, limit: 1_000, maxBytes: .max)
            #expect(events.count == stored.count)
            for (line, event) in zip(events, stored) {
                #expect(line.dropFirst(9).starts(with: event.bytes))
            }
            let first = String(decoding: lines[0], as: UTF8.self)
            #expect(first.contains(head.root.hex))
            #expect(lines[lines.count - 1].starts(with: Array(#"{"end":"#.utf8)))
        }
    }

    // It is for administrators who see all projects, and begins within the log.
    @Test func logFileRefusals() async throws {
        let fixture = try await APIFixture()
        try await fixture.addKey("bound", "fg_bound", .admin, project: "default")
        let meter = await fixture.get("/v1/log", secret: APIFixture.secrets[.meter])
        #expect(meter.response.status == 403)
        let bound = await fixture.get("/v1/log", secret: "fg_bound")
        #expect(bound.response.status == 403)
        let beyond = await fixture.get("/v1/log?since=99999")
        #expect(beyond.response.status == 422)
        #expect(beyond.string("error.param") == "since")
    }
}
