import Gateway
import Testing

/// One call as a value: what it does at which time, without sockets.
@Suite struct GatewayCallTests {
    private static let second: Int64 = 1_000_000_000

    /// For what changes the call, which the macro cannot look into.
    private func expect(_ holds: Bool, _ place: SourceLocation = #_sourceLocation) {
        #expect(holds, sourceLocation: place)
    }

    private func call(
        isStream: Bool = true, _ change: (inout UpstreamLimits) -> Void = { _ in }
    ) -> GatewayCall {
        var limits = UpstreamLimits()
        limits.idleSeconds = 30
        limits.totalSeconds = 300
        limits.drainSeconds = 20
        limits.drainBytes = 1_000
        limits.holdSeconds = 120
        limits.streamBytesMax = 10_000
        limits.answerBytesMax = 5_000
        limits.retries = 1
        change(&limits)
        return GatewayCall(.init(limits, isStream: isStream), now: 0)
    }

    // From the hold over the request and the answer to its end, in this order.
    @Test func ordinaryCall() {
        var call = call()
        #expect(call.state == .held)
        #expect(call.ending == .unreachable)
        call.sends(now: 1)
        #expect(call.state == .sent)
        #expect(call.ending == .unanswered(nil))
        call.answered(status: 200)
        #expect(call.state == .answering(status: 200))
        call.waits(now: 2)
        expect(call.received(100))
        call.answerEnded()
        #expect(call.state == .ended(.answered(nil)))
        expect(call.due(now: 400 * Self.second) == .nothing)
    }

    // Only a connection that could not be made is tried again, and at most as often as configured.
    @Test func retries() {
        var call = call()
        call.sends(now: 0)
        expect(call.failedToConnect())
        #expect(call.state == .held)
        call.sends(now: 1)
        expect(!call.failedToConnect())
        #expect(call.state == .ended(.unreachable))
    }

    // Nobody waits for the second attempt of a client that has gone.
    @Test func noRetryWithoutClient() {
        var call = call()
        call.sends(now: 0)
        call.clientLeft(now: 0)
        expect(!call.failedToConnect())
    }

    // What was sent and not answered is never taken for unsent.
    @Test func unanswered() {
        var call = call()
        call.sends(now: 0)
        expect(call.due(now: 29 * Self.second) == .nothing)
        expect(call.due(now: 30 * Self.second) == .nothing)
        expect(call.due(now: 30 * Self.second) == .stop(.idle))
        call.failedToAnswer()
        #expect(call.state == .ended(.unanswered(.idle)))
    }

    // A status that says no is kept as such, also when its body is cut.
    @Test func declined() {
        var call = call()
        call.sends(now: 0)
        call.answered(status: 429)
        #expect(call.ending == .declined(status: 429))
        call.stops(.total)
        call.answerEnded()
        #expect(call.state == .ended(.declined(status: 429)))
    }

    // Idle time is the provider's: while the client is slow to take what came, it does not count.
    @Test func slowClientIsNotTheProvidersSilence() {
        var call = call()
        call.sends(now: 0)
        call.answered(status: 200)
        call.waits(now: 0)
        expect(call.received(10))
        expect(call.due(now: 59 * Self.second) == .nothing)
        call.waits(now: 59 * Self.second)
        expect(call.due(now: 88 * Self.second) == .renewHold)
        expect(call.due(now: 89 * Self.second) == .nothing)
        // What came between two looks was only read late.
        expect(call.received(10))
        call.waits(now: 90 * Self.second)
        expect(call.due(now: 120 * Self.second) == .nothing)
        expect(call.due(now: 121 * Self.second) == .stop(.idle))
    }

    // The total counts from the beginning, whatever goes on, and stops once.
    @Test func total() {
        var call = call { $0.holdSeconds = 86_400 }
        call.sends(now: 0)
        call.answered(status: 200)
        expect(call.due(now: 299 * Self.second) == .nothing)
        expect(call.due(now: 300 * Self.second) == .stop(.total))
        expect(call.due(now: 301 * Self.second) == .nothing)
        call.answerEnded()
        #expect(call.state == .ended(.answered(.total)))
    }

    // A hold is renewed at each half of its life, for as long as the call lives.
    @Test func renewal() {
        var call = call {
            $0.idleSeconds = 10_000; $0.totalSeconds = 10_000
        }
        call.sends(now: 0)
        expect(call.due(now: 59 * Self.second) == .nothing)
        expect(call.due(now: 60 * Self.second) == .renewHold)
        expect(call.due(now: 61 * Self.second) == .nothing)
        expect(call.due(now: 120 * Self.second) == .renewHold)
        call.failedToAnswer()
        expect(call.due(now: 180 * Self.second) == .nothing)
    }

    // When the client has gone the provider is listened to, so long and so far.
    @Test func drainLimits() {
        var slow = call()
        slow.sends(now: 0)
        slow.answered(status: 200)
        slow.clientLeft(now: 5 * Self.second)
        slow.clientLeft(now: 15 * Self.second)
        slow.waits(now: 24 * Self.second)
        expect(slow.due(now: 24 * Self.second) == .nothing)
        expect(slow.due(now: 25 * Self.second) == .stop(.drained))

        var long = call()
        long.sends(now: 0)
        long.answered(status: 200)
        expect(long.received(5_000))
        long.clientLeft(now: 0)
        expect(long.received(1_000))
        expect(!long.received(1))
        long.answerEnded()
        #expect(long.state == .ended(.answered(.drained)))
    }

    // What a whole answer cost is known at its end only: it is waited for, whoever leaves.
    @Test func wholeAnswersAreReadToTheEnd() {
        var limits = UpstreamLimits()
        limits.idleSeconds = 5_000
        limits.totalSeconds = 900
        limits.drainSeconds = 1
        limits.holdSeconds = 80_000
        var call = GatewayCall(GatewayCall.Limits(limits, isStream: false), now: 0)
        call.sends(now: 0)
        call.clientLeft(now: 0)
        expect(call.due(now: 899 * Self.second) == .nothing)
        expect(call.due(now: 900 * Self.second) == .stop(.total))
    }

    // Answers have a length, streams another one.
    @Test func tooLong() {
        var stream = call()
        stream.sends(now: 0)
        stream.answered(status: 200)
        expect(stream.received(10_000))
        expect(!stream.received(1))
        #expect(stream.stop == .tooLong)
        var whole = call(isStream: false)
        whole.sends(now: 0)
        whole.answered(status: 200)
        expect(!whole.received(5_001))
    }

    // The first reason to stop is the one that counts.
    @Test func firstStopCounts() {
        var call = call()
        call.sends(now: 0)
        call.stops(.shutdown)
        call.stops(.idle)
        expect(call.due(now: 1_000 * Self.second) != .stop(.total))
        call.failedToAnswer()
        #expect(call.state == .ended(.unanswered(.shutdown)))
    }
}
