import AsyncHTTPClient
import Billing
import EventLog
import FaregateTestSupport
import Money
import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

/// Every way in which a call can end, and what the ledger says of it.
@Suite struct EndingTests {
    private let stream = #","max_tokens":50,"stream":true"#

    private func released(_ fixture: GatewayFixture) async throws -> UsageReleased {
        try await fixture.settled()
        let events = try await fixture.history()
        #expect(events.count == 2)
        #expect(try await fixture.openHolds() == 0)
        guard case .usageReleased(let event)? = events.last else {
            Issue.record("\(events.count) events, none a release")
            throw NotReleased()
        }
        return event
    }

    private struct NotReleased: Error {}

    // An error of the provider's passes through as it is, with its headers, and costs nothing.
    @Test(arguments: [402, 429, 500, 503]) func declined(status: Int) async throws {
        try await GatewayFixture.with { fixture in
            let body = #"{"error":{"message":"no","type":"theirs","code":"theirs"}}"#
            var answer = FakeUpstream.Answer.json(body, status: status)
            answer.headers.append(("retry-after", "7"))
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat(stream)
            #expect(reply.status == status)
            #expect(reply.text == body)
            #expect(reply.header("retry-after") == "7")
            #expect(reply.header("x-should-retry") == nil)
            #expect(reply.header("x-faregate-charge") == nil)
            #expect(try await released(fixture).reason == "the upstream answered \(status)")
        }
    }

    // An error in the stream before its first token costs nothing; the client sees it.
    @Test func errorBeforeTheFirstToken() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([
                    .text(#"data: {"error":{"message":"busy","type":"server_error"}}"# + "\n\n")
                ]))
            let reply = try await fixture.chat(stream)
            #expect(reply.text.contains("busy"))
            _ = try await released(fixture)
        }
    }

    // After output has passed nothing is free: what passed is charged, marked.
    @Test func errorAfterTheFirstToken() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([
                    ChatTests.chunk("Hello, this is some output"),
                    .text(#"data: {"error":{"message":"busy","type":"server_error"}}"# + "\n\n"),
                ]))
            let reply = try await fixture.chat(stream)
            #expect(reply.text.contains("Hello"))
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
            #expect(settled.rated.counts[.output] > 0)
            #expect(settled.rated.counts[.input] > 0)
        }
    }

    // A stream that breaks off: the client can tell, and what passed is charged.
    @Test func cut() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.stream([ChatTests.chunk("Hello there"), .pause(20), .cut]))
            let reply = try await fixture.chat(stream)
            #expect(reply.isBroken)
            #expect(reply.text.contains("Hello there"))
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
            #expect(settled.rated.counts[.output] >= 2)
        }
    }

    // A cut after the usage came is settled by it.
    @Test func cutAfterUsage() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([
                    ChatTests.chunk("Hi"), ChatTests.finish, ChatTests.usage, .pause(20), .cut,
                ]))
            _ = try await fixture.chat(stream)
            let settled = try await fixture.settlement()
            #expect(settled.rated.charge == (try Money(decimal: "0.000045")))
            #expect(settled.rated.marks == [])
        }
    }

    // To its end and without usage: estimated and marked, never free and never zero.
    @Test func missingUsage() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([ChatTests.chunk("Hello there, you"), ChatTests.finish, ChatTests.done]))
            let reply = try await fixture.chat(stream)
            #expect(!reply.isBroken)
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
            #expect(settled.rated.charge > .zero)
        }
    }

    // The client goes in the middle: the provider is read to its end, and the truth is charged.
    @Test func clientGoes() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([
                    ChatTests.chunk("Hi"), .hold, ChatTests.chunk("there"), .pause(50),
                    ChatTests.finish, ChatTests.usage, ChatTests.done,
                ]))
            try await fixture.openAndLeave(stream)
            fixture.upstream.release()
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [])
            #expect(settled.rated.charge == (try Money(decimal: "0.000045")))
        }
    }

    // The provider is not read for ever for a client that has gone: then what passed is charged,
    // and the provider is told by the end of the connection.
    @Test func clientGoesAndTheProviderGoesOn() async throws {
        try await GatewayFixture.with(limits: { $0.drainSeconds = 0 }) { fixture in
            fixture.upstream.answers(
                .stream([ChatTests.chunk("Hello there"), .hold, ChatTests.usage, ChatTests.done]))
            try await fixture.openAndLeave(stream)
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
        }
    }

    // Whoever leaves before anything came, and is not waited for, is charged what was held: else a
    // budget that holds the bound could be passed by leaving.
    @Test func clientGoesBeforeAnything() async throws {
        try await GatewayFixture.with(limits: { $0.drainSeconds = 0 }) { fixture in
            fixture.upstream.answers(FakeUpstream.Answer(steps: [.hold]))
            let request = fixture.request(
                "/openai/v1/chat/completions",
                GatewayFixture.chatBody(#","max_tokens":9,"stream":true"#))
            let asking = Task { try await fixture.open(request) }
            while fixture.upstream.received.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            asking.cancel()
            _ = await asking.result
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
            var held = Money.zero
            for case .usageReserved(let reserved) in try await fixture.history() {
                held = reserved.estimate.bound.charge
            }
            #expect(held > .zero && settled.rated.charge == held)
        }
    }

    // A provider that does not take the gateway's key says so to the operator: the caller's key is
    // another one, and parts of the gateway's may stand in the answer.
    @Test func refusedKey() async throws {
        try await GatewayFixture.with { fixture in
            var answer = FakeUpstream.Answer.json(
                #"{"error":{"message":"Incorrect API key provided: sk-canary","type":"x"}}"#)
            answer.status = 401
            answer.headers += [("www-authenticate", "canary")]
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat()
            #expect(reply.status == 502)
            #expect(reply.string("error.code") == "upstream_refuses_key")
            #expect(!reply.text.contains("canary") && reply.header("www-authenticate") == nil)
            #expect(try await fixture.ledger.customer("acme").totals.charge == .zero)
        }
    }

    // A 403 is about the request as often as about the key: it passes, without whose account it is.
    @Test func forbidden() async throws {
        try await GatewayFixture.with { fixture in
            var answer = FakeUpstream.Answer.json(
                #"{"error":{"message":"Your input was flagged","type":"x"}}"#, status: 403)
            answer.headers += [("openai-organization", "canary")]
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat()
            #expect(reply.status == 403)
            #expect(reply.text.contains("flagged"))
            #expect(reply.header("openai-organization") == nil)
            #expect(try await fixture.ledger.customer("acme").totals.charge == .zero)
        }
    }

    // The same by bytes.
    @Test func clientGoesAndTheProviderSendsMore() async throws {
        try await GatewayFixture.with(limits: { $0.drainBytes = 5_000 }) { fixture in
            let long = String(repeating: "word ", count: 400)
            fixture.upstream.answers(
                .stream([
                    ChatTests.chunk("Hello"), .hold, ChatTests.chunk(long), ChatTests.chunk(long),
                    .pause(100), ChatTests.chunk(long), .pause(1_000), ChatTests.usage,
                ]))
            try await fixture.openAndLeave(stream)
            fixture.upstream.release()
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [.usageEstimated])
            // More passed than was asked for: at most that is charged.
            #expect(settled.rated.counts[.output] == 50)
        }
    }

    // A client that goes before there is an answer: as any other that goes.
    @Test func clientGoesBeforeTheAnswer() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                FakeUpstream.Answer(steps: [.hold, .text(ChatTests.answer)]))
            let request = fixture.request(
                "/openai/v1/chat/completions", GatewayFixture.chatBody(#","max_tokens":9"#))
            let asking = Task { try await fixture.open(request) }
            while fixture.upstream.received.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            asking.cancel()
            _ = await asking.result
            try await Task.sleep(for: .milliseconds(50))
            fixture.upstream.release()
            let settled = try await fixture.settlement()
            #expect(settled.rated.charge == (try Money(decimal: "0.000065")))
        }
    }

    // Nobody there: nothing was sent, nothing is charged, and the caller may try again.
    @Test func unreachable() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].baseURL =
                        (try? BaseURL("http://127.0.0.1:1")) ?? settings.upstreams[place].baseURL
                }
            },
            { (fixture) async throws in
                let reply = try await fixture.chat()
                #expect(reply.status == 502)
                #expect(reply.string("error.code") == "upstream_unreachable")
                #expect(reply.header("x-should-retry") == "true")
                _ = try await released(fixture)
            })
    }

    // Sent and never answered: nobody knows, so what was expected is charged, and the library does
    // not send it again by itself.
    @Test func unanswered() async throws {
        try await GatewayFixture.with { fixture in
            var answer = FakeUpstream.Answer()
            answer.isSilent = true
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat()
            #expect(reply.status == 502)
            #expect(reply.string("error.code") == "upstream_failed")
            #expect(reply.header("x-should-retry") == "false")
            #expect(try await fixture.settlement().rated.marks == [.usageEstimated])
            #expect(fixture.upstream.received.count == 1)
        }
    }

    // A provider that says nothing: 504 before the answer, an event of the dialect within it.
    @Test func idle() async throws {
        try await GatewayFixture.with(limits: { $0.idleSeconds = 0 }) { fixture in
            fixture.upstream.answers(FakeUpstream.Answer(steps: [.hold]))
            let reply = try await fixture.chat()
            #expect(reply.status == 504)
            #expect(reply.string("error.code") == "upstream_timeout")
            #expect(try await fixture.settlement().rated.marks == [.usageEstimated])
        }
        try await GatewayFixture.with(limits: { $0.idleSeconds = 1 }) { fixture in
            fixture.upstream.answers(.stream([ChatTests.chunk("Hello"), .hold]))
            let reply = try await fixture.chat(stream)
            #expect(reply.text.contains("upstream_timeout"))
            #expect(!reply.isBroken)
            #expect(try await fixture.settlement().rated.marks == [.usageEstimated])
        }
    }

    // A call that lasts too long, whatever it is still doing.
    @Test func total() async throws {
        try await GatewayFixture.with(limits: { $0.totalSeconds = 8 }) { fixture in
            let steps = (0..<800).flatMap { _ in [ChatTests.chunk("tick "), .pause(50)] }
            fixture.upstream.answers(.stream(steps))
            let reply = try await fixture.chat(stream)
            #expect(reply.text.contains("upstream_timeout"))
            let settled = try await fixture.settlement()
            #expect(settled.rated.counts[.output] >= 1)
        }
    }

    // More than is passed on.
    @Test func tooLong() async throws {
        try await GatewayFixture.with(
            limits: { limits in
                limits.streamBytesMax = 3_000
                limits.answerBytesMax = 3_000
            },
            { (fixture) async throws in
                let long = String(repeating: "a", count: 2_000)
                fixture.upstream.answers(
                    .stream([ChatTests.chunk(long), .pause(50), ChatTests.chunk(long), .hold]))
                #expect(try await fixture.chat(stream).text.contains("answer_too_large"))
                _ = try await fixture.settlement()
            })
        try await GatewayFixture.with(limits: { $0.answerBytesMax = 3_000 }) { fixture in
            fixture.upstream.answers(.json(String(repeating: " ", count: 3_001)))
            let reply = try await fixture.chat()
            #expect(reply.status == 502)
            #expect(reply.string("error.code") == "answer_too_large")
            #expect(try await fixture.settlement().rated.marks == [.usageEstimated])
        }
    }

    // What cannot be read cannot be metered.
    @Test func compressed() async throws {
        try await GatewayFixture.with { fixture in
            var answer = FakeUpstream.Answer.json("\u{1f}\u{8b}")
            answer.headers.append(("content-encoding", "gzip"))
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat()
            #expect(reply.status == 502)
            #expect(reply.string("error.code") == "upstream_compressed")
            _ = try await fixture.settlement()
        }
    }

    // Another model and another tier than asked for: charged as served.
    @Test func servedModelAndTier() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .json(
                    ChatTests.answer
                        .replacing("gpt-4o-2024-08-06", with: "gpt-4o-mini-2024-07-18")
                        .replacing(#""usage":"#, with: #""service_tier":"priority","usage":"#)))
            _ = try await fixture.chat()
            let settled = try await fixture.settlement()
            #expect(settled.rated.tier == .priority)
            #expect(settled.rated.price?.entry.hasPrefix("gpt-4o-mini") == true)
        }
    }

    // A hold lives as long as its call.
    @Test func renewal() async throws {
        try await GatewayFixture.with(limits: { $0.holdSeconds = 1 }) { fixture in
            fixture.upstream.answers(
                .stream([ChatTests.chunk("Hi"), .pause(1_200), ChatTests.usage, ChatTests.done]))
            _ = try await fixture.chat(stream)
            _ = try await fixture.settlement()
            let extensions = try await fixture.history().filter {
                if case .usageExtended = $0 { true } else { false }
            }
            #expect(extensions.count >= 1)
        }
    }

    // The log cannot be written for a moment, and of one answer nobody knows: the settlement is
    // tried until it is there, once. The client does not wait for it for long.
    @Test(arguments: [InMemoryEventStore.FaultyBatch.dropped, .kept])
    func busyLedger(batch: InMemoryEventStore.FaultyBatch) async throws {
        let store = ReopenableStore(InMemoryEventStore(identity: LedgerFixture.identity))
        try await GatewayFixture.with(store: store) { fixture in
            fixture.upstream.answers(
                .stream([ChatTests.chunk("Hi"), .hold, ChatTests.usage, ChatTests.done]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions", GatewayFixture.chatBody(stream)))
            store.failNextAppend(with: StoreError(.full, "no room"), batch: batch)
            fixture.upstream.release()
            #expect(try await GatewayReply(response).isBroken == false)
            let settled = try await fixture.settlement()
            #expect(settled.rated.charge == (try Money(decimal: "0.000045")))
            #expect(settled.rated.marks == [])
        }
    }

    // The server stops: what is under way is settled by what has come of it, and the client told.
    @Test func shutdown() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.stream([ChatTests.chunk("Hello there"), .hold]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions", GatewayFixture.chatBody(stream)))
            var pieces = response.body.makeAsyncIterator()
            _ = try await pieces.next()
            fixture.gateway.close()
            let late = try await fixture.chat()
            #expect(late.status == 503)
            #expect(late.string("error.code") == "shutting_down")
            fixture.gateway.stopCalls()
            var text = ""
            while let piece = try await pieces.next() { text += String(buffer: piece) }
            #expect(text.contains("shutting_down"))
            try await fixture.settled()
            let settlements = try await fixture.history().compactMap(\.settlement)
            #expect(settlements.count == 1)
            #expect(settlements.first?.rated.marks == [.usageEstimated])
            #expect(try await fixture.openHolds() == 0)
        }
    }

    // The task that answers the client is cancelled: the settlement comes nevertheless.
    @Test func handlerCancelled() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([ChatTests.chunk("Hi"), .hold, ChatTests.usage, ChatTests.done]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions", GatewayFixture.chatBody(stream)))
            var pieces = response.body.makeAsyncIterator()
            _ = try await pieces.next()
            let stopping = Task { await fixture.app.stop() }
            try await Task.sleep(for: .milliseconds(100))
            fixture.upstream.release()
            let settled = try await fixture.settlement()
            #expect(settled.rated.marks == [])
            _ = try? await pieces.next()
            await stopping.value
        }
    }

    // A client that takes nothing holds the provider up, not our memory.
    @Test func slowClient() async throws {
        try await GatewayFixture.with { fixture in
            let long = String(repeating: "0123456789abcdef", count: 4_096)
            fixture.upstream.answers(
                .stream(
                    (0..<400).map { _ in ChatTests.chunk(long) } + [
                        ChatTests.usage, ChatTests.done,
                    ]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions", GatewayFixture.chatBody(stream)))
            try await Task.sleep(for: .milliseconds(1_500))
            let written = fixture.upstream.written
            // The system's buffers alone take up to a dozen megabytes.
            #expect(written < 22 << 20, "\(written) of 26 MB were sent to nobody")
            let reply = try await GatewayReply(response)
            #expect(!reply.isBroken)
            #expect(reply.text.utf8.count > 400 * 65_536)
            _ = try await fixture.settlement()
        }
    }
}

extension GatewayFixture {
    /// Begins a stream, reads its first piece, and closes the connection.
    func openAndLeave(_ more: String) async throws {
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
        do {
            let response = try await client.execute(
                request("/openai/v1/chat/completions", Self.chatBody(more)), timeout: .seconds(30))
            var pieces = response.body.makeAsyncIterator()
            _ = try await pieces.next()
        } catch {
            Issue.record("\(error)")
        }
        // Cuts what is under way.
        try? await client.shutdown()
    }
}
