import Billing
import Money
import StripeAPI
import StripeSync
import Testing

struct PushPlannerTests {
    private static let hour: Int64 = 3_600_000_000
    private static let start: Int64 = 1_772_323_200_000_000

    private static func row(_ change: (inout StripeCustomerRow) -> Void = { _ in })
        -> StripeCustomerRow
    {
        var row = StripeCustomerRow("default", "acme")
        row.stripeCustomer = "cus_1"
        row.subscription = "sub_1"
        row.periodStart = start
        row.periodEnd = start + 24 * 31 * hour
        change(&row)
        return row
    }

    private static func window(_ number: Int64, nanos: Int64) -> StripeWindowRow {
        var window = StripeWindowRow()
        window.project = "default"
        window.customer = "acme"
        window.start = start + number * hour
        window.end = start + (number + 1) * hour
        window.nanos = nanos
        return window
    }

    private static func plan(
        _ row: StripeCustomerRow, _ windows: [StripeWindowRow], now: Int64, total: Int64 = 0
    ) -> PushPlan? {
        PushPlanner(StripeSettings()).plan(
            row, windows, now: Instant(microseconds: now)
        ) { _ in total }
    }

    @Test("Whole micro-units go, the rest is carried, nothing is lost")
    func conserves() throws {
        for (carried, nanos) in [(0, 1_000), (999, 1), (400, 12_345), (-400, 5_000), (0, 1_999)] {
            let row = Self.row { $0.carriedNanos = Int64(carried) }
            let plan = try #require(
                Self.plan(
                    row, [Self.window(3, nanos: Int64(nanos))], now: Self.start + 5 * Self.hour))
            #expect(plan.quantity * 1_000 + plan.carriedAfter.nanos == Int64(carried + nanos))
            #expect((0..<1_000).contains(plan.carriedAfter.nanos))
        }
    }

    @Test("A stamp lies inside its window and the period, whole seconds, a minute before the end")
    func stampsInside() throws {
        let plan = try #require(
            Self.plan(
                Self.row(), [Self.window(3, nanos: 5_000)], now: Self.start + 5 * Self.hour))
        #expect(plan.stampMicroseconds == Self.start + 4 * Self.hour - 60_000_000)
        #expect(
            plan.windows == [
                StripeWindow(
                    start: Instant(microseconds: Self.start + 3 * Self.hour),
                    billable: Money(nanos: 5_000))
            ])
    }

    @Test("What was billed too much comes off later windows where the period has nothing to give")
    func debtIsWorkedOff() throws {
        let row = Self.row { $0.carriedNanos = -1_350_000 }
        let windows = [
            Self.window(1, nanos: 500_000), Self.window(2, nanos: 700_000),
            Self.window(3, nanos: 2_000_000), Self.window(4, nanos: 9_000_000),
        ]
        let now = Self.start + 6 * Self.hour
        #expect(Self.plan(row, Array(windows.prefix(2)), now: now) == nil)
        let plan = try #require(Self.plan(row, windows, now: now))
        #expect(plan.windows.count == 3)
        #expect(plan.quantity == 1_850)
        // Where the period has enough, it goes at once.
        let early = try #require(Self.plan(row, windows, now: now, total: 5_000))
        #expect(early.windows.count == 1)
        #expect(early.quantity == -850)
    }

    @Test("Nothing is stamped into what an invoice has closed")
    func closedPartIsLeft() throws {
        // The subscription was ended after two hours, and that was not heard of yet.
        let row = Self.row { $0.closedEnd = Self.start + 2 * Self.hour + 600_000_000 }
        for number in [1, 2, 3] as [Int64] {
            let plan = try #require(
                Self.plan(
                    row, [Self.window(number, nanos: 5_000)], now: Self.start + 5 * Self.hour))
            #expect(plan.stampMicroseconds >= row.closedEnd)
        }
    }

    @Test("Windows below a micro-unit wait for the next that is not")
    func gathersCrumbs() throws {
        let windows = [Self.window(1, nanos: 300), Self.window(2, nanos: 300)]
        #expect(Self.plan(Self.row(), windows, now: Self.start + 5 * Self.hour) == nil)
        let plan = try #require(
            Self.plan(
                Self.row(), windows + [Self.window(3, nanos: 500)],
                now: Self.start + 5 * Self.hour))
        #expect(plan.windows.count == 3 && plan.quantity == 1 && plan.carriedAfter.nanos == 100)
    }

    @Test("Usage of a period that may be final goes into the open one")
    func restampsLate() throws {
        let row = Self.row()
        let early = Self.window(-1, nanos: 5_000)
        // Within the hour before Stripe finalizes, it still goes where it belongs.
        let inTime = try #require(
            Self.plan(row, [early], now: Self.start + 30 * 60_000_000))
        #expect(inTime.stampMicroseconds < Self.start)
        let late = try #require(Self.plan(row, [early], now: Self.start + 2 * Self.hour))
        #expect((Self.start..<Self.start + 2 * Self.hour).contains(late.stampMicroseconds))
        let closed = Self.row { $0.closedEnd = Self.start }
        let known = try #require(
            Self.plan(closed, [early], now: Self.start + 30 * 60_000_000))
        #expect(known.stampMicroseconds > Self.start)
    }

    @Test("A period is never pushed below zero")
    func staysAboveZero() throws {
        let windows = [Self.window(3, nanos: -9_000_000)]
        let now = Self.start + 5 * Self.hour
        #expect(Self.plan(Self.row(), windows, now: now, total: 0) == nil)
        let plan = try #require(Self.plan(Self.row(), windows, now: now, total: 4_000))
        #expect(plan.quantity == -4_000)
        #expect(plan.carriedAfter.nanos == -5_000_000)
    }

    @Test("Nothing is planned while a push is open, the customer is blocked or no period is known")
    func waits() {
        let windows = [Self.window(3, nanos: 5_000)]
        let now = Self.start + 5 * Self.hour
        #expect(Self.plan(Self.row { $0.openPush = "x" }, windows, now: now) == nil)
        #expect(Self.plan(Self.row { $0.blocked = "customer_missing" }, windows, now: now) == nil)
        #expect(Self.plan(Self.row { $0.periodStart = 0 }, windows, now: now) == nil)
        let ended = Self.row { $0.endedAt = Self.start + 2 * Self.hour }
        #expect(Self.plan(ended, windows, now: now) == nil)
    }

    @Test("More than Stripe takes at once is carried")
    func capsValues() throws {
        let plan = try #require(
            Self.plan(
                Self.row { $0.carriedNanos = 2_000_000_000_000_000_000 },
                [], now: Self.start + 5 * Self.hour))
        #expect(plan.quantity == MeterEventBody.valueMax)
        #expect(
            plan.carriedAfter.nanos
                == 2_000_000_000_000_000_000 - MeterEventBody.valueMax * 1_000)
    }
}
