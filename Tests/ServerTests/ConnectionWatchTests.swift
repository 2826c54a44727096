import Testing

@testable import Server

@Suite struct ConnectionWatchTests {
    private static let second: Int64 = 1_000_000_000
    private static let limits = ConnectionWatch.Limits(
        headSeconds: 10, idleSeconds: 60, bodySeconds: 30, writeSeconds: 20)

    private func seconds(_ count: Int64) -> Int64 { count * Self.second }

    // A new connection has to send a whole head in its time, whatever bytes of it arrive meanwhile.
    @Test func slowHead() {
        let watch = ConnectionWatch(Self.limits, now: 5)
        #expect(watch.fault(now: seconds(10)) == nil)
        #expect(watch.fault(now: seconds(10) + 5) == .head)
    }

    // A body has to be complete in its time, from the end of the head.
    @Test func slowBody() {
        var watch = ConnectionWatch(Self.limits, now: 0)
        watch.readHead(now: seconds(9))
        #expect(watch.fault(now: seconds(38)) == nil)
        #expect(watch.fault(now: seconds(39)) == .body)
        watch.readEnd(now: seconds(38))
        #expect(watch.fault(now: seconds(1_000)) == nil, "the server may take as long as it likes")
    }

    // An answer does not end the wait for a body that is still coming.
    @Test func answeredBeforeTheBody() {
        var watch = ConnectionWatch(Self.limits, now: 0)
        watch.readHead(now: 0)
        watch.wroteEnd(now: seconds(1))
        #expect(watch.fault(now: seconds(29)) == nil)
        #expect(watch.fault(now: seconds(30)) == .body)
        watch.readEnd(now: seconds(29))
        #expect(watch.fault(now: seconds(88)) == nil)
        #expect(watch.fault(now: seconds(89)) == .idle)
    }

    // Between requests there is the idle time, from the end of the answer.
    @Test func idle() {
        var watch = ConnectionWatch(Self.limits, now: 0)
        watch.readHead(now: 0)
        watch.readEnd(now: 0)
        watch.wroteEnd(now: seconds(5))
        #expect(watch.fault(now: seconds(64)) == nil)
        #expect(watch.fault(now: seconds(65)) == .idle)
        watch.readHead(now: seconds(64))
        watch.readEnd(now: seconds(64))
        #expect(watch.fault(now: seconds(500)) == nil)
    }

    // Each piece of an answer has to be taken in its time; a long answer may take longer.
    @Test func slowReader() {
        var watch = ConnectionWatch(Self.limits, now: 0)
        watch.readHead(now: 0)
        watch.readEnd(now: 0)
        watch.gavePiece(now: 0)
        watch.gavePiece(now: seconds(1))
        #expect(watch.fault(now: seconds(19)) == nil)
        watch.clientTookPiece(now: seconds(19))
        #expect(watch.fault(now: seconds(38)) == nil)
        #expect(watch.fault(now: seconds(39)) == .write)
        watch.clientTookPiece(now: seconds(38))
        watch.wroteEnd(now: seconds(38))
        #expect(watch.fault(now: seconds(90)) == nil)
    }

    // It looks often enough, and never all the time.
    @Test func tick() {
        let second = ConnectionWatch.Limits(
            headSeconds: 1, idleSeconds: 60, bodySeconds: 30, writeSeconds: 20)
        #expect(ConnectionWatch(second, now: 0).tick == Self.second / 2)
        #expect(ConnectionWatch(Self.limits, now: 0).tick == seconds(5))
    }
}
