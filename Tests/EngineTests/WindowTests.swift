// Budget windows as the engine keeps them: a call belongs to the window in which it was reserved,
// the next window starts at zero, and no window reaches into another. Instants are given in UTC.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Money
import Testing
import TimeZones

private func at(_ text: String) throws -> Instant {
    Instant(microseconds: try RFC3339.parse(text))
}

/// A window in the calendar of a zone that has a change of its clocks in it or beside it.
private struct WindowRow: Sendable {
    var window: BudgetWindow
    var zone: String
    /// Inside the window.
    var inside: String
    var start: String
    var end: String
    var hours: Int64
}

private let windowRows: [WindowRow] = [
    WindowRow(
        window: .day, zone: "Europe/Berlin", inside: "2026-03-29T12:00:00Z",
        start: "2026-03-28T23:00:00Z", end: "2026-03-29T22:00:00Z", hours: 23),
    WindowRow(
        window: .day, zone: "Europe/Berlin", inside: "2026-10-25T00:30:00Z",
        start: "2026-10-24T22:00:00Z", end: "2026-10-25T23:00:00Z", hours: 25),
    WindowRow(
        window: .day, zone: "America/New_York", inside: "2026-03-08T06:59:59Z",
        start: "2026-03-08T05:00:00Z", end: "2026-03-09T04:00:00Z", hours: 23),
    WindowRow(
        window: .day, zone: "America/New_York", inside: "2026-11-01T06:30:00Z",
        start: "2026-11-01T04:00:00Z", end: "2026-11-02T05:00:00Z", hours: 25),
    WindowRow(
        window: .day, zone: "Asia/Kolkata", inside: "2026-03-29T12:00:00Z",
        start: "2026-03-28T18:30:00Z", end: "2026-03-29T18:30:00Z", hours: 24),
    WindowRow(
        window: .day, zone: "America/Santiago", inside: "2026-09-06T12:00:00Z",
        start: "2026-09-06T04:00:00Z", end: "2026-09-07T03:00:00Z", hours: 23),
    WindowRow(
        window: .week, zone: "Europe/Berlin", inside: "2026-03-25T12:00:00Z",
        start: "2026-03-22T23:00:00Z", end: "2026-03-29T22:00:00Z", hours: 167),
    WindowRow(
        window: .week, zone: "America/New_York", inside: "2026-10-28T12:00:00Z",
        start: "2026-10-26T04:00:00Z", end: "2026-11-02T05:00:00Z", hours: 169),
    WindowRow(
        window: .month, zone: "Europe/Berlin", inside: "2026-10-31T22:59:59Z",
        start: "2026-09-30T22:00:00Z", end: "2026-10-31T23:00:00Z", hours: 745),
    WindowRow(
        window: .month, zone: "America/New_York", inside: "2026-03-08T07:00:00Z",
        start: "2026-03-01T05:00:00Z", end: "2026-04-01T04:00:00Z", hours: 743),
    WindowRow(
        window: .month, zone: "UTC", inside: "2028-02-29T23:59:59Z",
        start: "2028-02-01T00:00:00Z", end: "2028-03-01T00:00:00Z", hours: 696),
]

@Suite struct WindowTests {
    private func ledger(
        _ window: BudgetWindow, _ zone: String, from start: Instant, per: [BudgetDimension] = []
    ) async throws -> LedgerFixture {
        let ledger = try await PlainLedger.fixture(start: start)
        try await ledger.set(
            BudgetRule(
                id: "b", per: per, window: window, timeZone: zone, amount: 100))
        return ledger
    }

    // The window around an instant has the ends and the length that the zone's clocks give it.
    @Test(arguments: windowRows.indices)
    func ends(row: Int) async throws {
        let row = windowRows[row]
        let (start, end) = (try at(row.start), try at(row.end))
        #expect(end.microseconds - start.microseconds == row.hours * 3_600_000_000)
        let ledger = try await ledger(row.window, row.zone, from: try at(row.inside))
        let line = try await ledger.reserve("r", ledger.plain("c", 1))?.reservation?.lines.first
        #expect(line?.window == Window(start: start, end: end))
    }

    // Up to the last microsecond it is the old window, from its end on the new one, which starts at
    // zero; a call reserved before and settled after counts in the old.
    @Test(arguments: windowRows.indices)
    func acrossTheEnd(row: Int) async throws {
        let row = windowRows[row]
        let end = try at(row.end)
        let ledger = try await ledger(row.window, row.zone, from: try at(row.inside))
        try await ledger.record("u", ledger.plain("c", 0), 20)
        ledger.clock.set(Instant(microseconds: end.microseconds - 1))
        try await ledger.reserve("open", ledger.plain("c", 50))
        let refused = try await ledger.reserve("full", ledger.plain("c", 81))?.rejection
        #expect(refused?.code == .exhausted)
        #expect(refused?.freesAt == end)

        ledger.clock.set(end)
        let line = try await ledger.reserve("new", ledger.plain("c", 90))?.reservation?.lines.first
        #expect(line?.window.start == end)
        #expect([line?.spent, line?.held] == [0, 0])
        let over = ClosedCounterKey(scope: "", windowStart: try at(row.start))
        let before = try await ledger.engine.read { $0.state.budgets["b"]?.closedCounters[over] }
        #expect(before?.spent == 20)
        #expect(before?.held == 50)

        let settled = try await ledger.settle("open", 60)?.settlement
        #expect(settled?.overrun.nanos == 10)
        let counter = try await ledger.counter("b")
        #expect([counter?.spent, counter?.held] == [0, 90])
        try await ledger.adjust("open", -10)
        try await ledger.adjust("u", 5)
        #expect(try await ledger.counter("b")?.spent == 0)
        #expect(try await ledger.customer("c").totals.charge.nanos == 75)
        #expect(try await ledger.failedChecks() == [])
    }

    // Before a new call opens the next window, a late settlement still counts in the old one, and
    // the new one starts at zero all the same.
    @Test func settledAfterTheEndWithoutANewCall() async throws {
        let ledger = try await ledger(
            .day, "Europe/Berlin", from: try at("2026-03-28T22:59:00Z"))
        try await ledger.reserve("r", ledger.plain("c", 50), seconds: 7200)
        ledger.clock.advance(seconds: 120)
        try await ledger.settle("r", 70)
        #expect(try await ledger.counter("b")?.spent == 70)
        #expect(try await ledger.counter("b")?.window.end == (try at("2026-03-28T23:00:00Z")))
        #expect(try await ledger.reserve("n", ledger.plain("c", 100))?.reservation != nil)
        #expect(try await ledger.counter("b")?.spent == 0)
    }

    // An hour that happens twice is two windows, one that never happens is none; each begins where
    // the one before it ends, through both changes of the clocks.
    @Test(arguments: [
        ("Europe/Berlin", "2026-10-24T12:00:00Z"), ("Europe/Berlin", "2026-03-28T12:00:00Z"),
        ("America/New_York", "2026-10-31T12:00:00Z"), ("America/New_York", "2026-03-07T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
    ])
    func windowsTouchAndNeverOverlap(_ zone: String, _ start: String) async throws {
        for window in [BudgetWindow.hour, .day] {
            let ledger = try await ledger(window, zone, from: try at(start))
            var last: Window?
            for step in 0..<250 {
                let call = ledger.plain("c", 0)
                let event = try await ledger.reserve("r\(step)", call, seconds: 1)?.reservation
                let now = try #require(event?.lines.first?.window)
                let end = try #require(now.end)
                #expect(now.start <= ledger.clock.now() && ledger.clock.now() < end)
                if let last, last != now { #expect(last.end == now.start) }
                last = now
                ledger.clock.advance(seconds: 900)
            }
        }
    }

    // A billing period starts on the customer's own day, on the last day of shorter months; a
    // changed day counts from the next period on, which does not reach back into the present one.
    @Test func billingPeriods() async throws {
        let ledger = try await ledger(
            .billingPeriod, "Europe/Berlin", from: try at("2026-02-10T12:00:00Z"), per: [.customer])
        let key = ledger.customerKey("c")
        try await ledger.ask(.openCustomer(CustomerSettings(key: key, billingDay: 31)))
        func window(_ id: String) async throws -> Window? {
            try await ledger.reserve(id, ledger.plain("c", 0), seconds: 1)?.reservation?.lines
                .first?
                .window
        }
        #expect(
            try await window("r1")
                == Window(
                    start: try at("2026-01-30T23:00:00Z"), end: try at("2026-02-27T23:00:00Z")))
        try await ledger.ask(.updateCustomer(CustomerSettings(key: key, billingDay: 15)))
        ledger.clock.set(try at("2026-02-20T12:00:00Z"))
        #expect(try await window("r2")?.end == (try at("2026-02-27T23:00:00Z")))
        ledger.clock.set(try at("2026-03-01T12:00:00Z"))
        #expect(
            try await window("r3")
                == Window(
                    start: try at("2026-02-27T23:00:00Z"), end: try at("2026-03-14T23:00:00Z")))
        ledger.clock.set(try at("2026-03-31T12:00:00Z"))
        #expect(
            try await window("r4")
                == Window(
                    start: try at("2026-03-14T23:00:00Z"), end: try at("2026-04-14T22:00:00Z")))
    }

    // A clock that goes back moves no event back: the ledger's time stands still until it catches
    // up.
    @Test func clockGoesBack() async throws {
        let ledger = try await ledger(.day, "UTC", from: try at("2026-03-03T00:00:00Z"))
        try await ledger.reserve("r1", ledger.plain("c", 1))
        ledger.clock.set(try at("2026-03-02T23:00:00Z"))
        let request = ledger.request("r2", ledger.plain("c", 1), seconds: 60)
        let event = try await ledger.engine.submit(request).event
        #expect(event?.time == (try at("2026-03-03T00:00:00Z")))
        #expect(event?.event.reservation?.expiresAt == (try at("2026-03-03T00:01:00Z")))
        #expect(
            event?.event.reservation?.lines.first?.window.start == (try at("2026-03-03T00:00:00Z")))
        #expect(try await ledger.failedChecks() == [])
    }

    // The same windows after a restart: they are on the log, not in a cache.
    @Test func windowsSurviveARestart() async throws {
        let store = ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        let ledger = try await PlainLedger.fixture(
            store: store, start: try at("2026-10-25T00:30:00Z"))
        try await ledger.set(
            BudgetRule(id: "b", window: .day, timeZone: "Europe/Berlin", amount: 100))
        try await ledger.record("u", ledger.plain("c", 0), 70)
        await ledger.engine.shutdown()
        let again = try await PlainLedger.reopened(store)
        again.clock.set(try at("2026-10-25T22:59:59Z"))
        #expect(try await again.reserve("r", again.plain("c", 31))?.rejection != nil)
        again.clock.set(try at("2026-10-25T23:00:00Z"))
        #expect(try await again.reserve("n", again.plain("c", 100))?.reservation != nil)
        await again.engine.shutdown()
    }
}
