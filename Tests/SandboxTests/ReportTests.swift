import Money
import Testing

@testable import Sandbox

struct ReportTests {
    private func money(_ text: String) throws -> Money { try Money(decimal: text) }

    private func madeUp() throws -> SandboxReport {
        var report = SandboxReport()
        report.traceName = "made up"
        report.project = "sandbox-7"
        report.requests = 2_000
        report.traceTime = .seconds(424)
        report.speed = 48
        report.elapsed = .milliseconds(9_250)
        report.mostInFlight = 61
        report.customers = [try alder(), try birch(), .init()]
        report.customers[2].id = "yew"
        report.customers[2].plan = "free"
        report.customers[2].funding = "unfunded"
        report.refusals = [
            SandboxReport.RefusalRow(
                reason: RefusalReason(code: "exhausted", rule: "prepaid_funds"), count: 120,
                retried: 0, estimated: 120, avoidedCharge: try money("0.987654321")),
            SandboxReport.RefusalRow(
                reason: RefusalReason(code: "unknown_price", rule: "price"), count: 11, retried: 0,
                estimated: 0, avoidedCharge: .zero),
        ]
        var model = SandboxReport.ModelRow()
        model.model = "gpt-4o-mini"
        model.requests = 1_979
        model.settled = 1_801
        model.inputTokens = 2_034_567
        model.outputTokens = 456_789
        model.cost = try money("10.6789")
        model.charge = try money("12.25")
        report.models = [model]
        report.notes.overruns = 12
        report.notes.overrun = try money("0.0345")
        report.notes.clamped = 3
        report.notes.warned = 4
        report.notes.shadowed = 5
        report.notes.replayed = 32
        report.reserveLatency = LatencySummary(
            count: 2_016, p50: 812, p95: 2_345, p99: 9_876, longest: 15_000)
        report.settleLatency = LatencySummary(
            count: 1_801, p50: 700, p95: 2_000, p99: 8_000, longest: 1_234_567)
        return report
    }

    private func alder() throws -> SandboxReport.CustomerRow {
        var row = SandboxReport.CustomerRow()
        row.id = "alder"
        row.plan = "scale"
        row.funding = "postpaid"
        row.requests = 1_550
        row.figures = CustomerFigures(
            reserved: 1_548, settled: 1_530, released: 10, expired: 12, rejected: 2,
            tokens: 2_000_000, cost: try money("9.5"), charge: try money("11.000000049"))
        row.late = 4
        row.inputTokens = 1_600_000
        row.outputTokens = 400_000
        row.standing = .owed(try money("11.000000049"))
        row.topRefusal = RefusalReason(code: "unknown_price", rule: "price")
        return row
    }

    private func birch() throws -> SandboxReport.CustomerRow {
        var row = SandboxReport.CustomerRow()
        row.id = "birch"
        row.plan = "team"
        row.funding = "prepaid"
        row.requests = 450
        row.figures = CustomerFigures(
            reserved: 321, settled: 271, released: 20, expired: 30, rejected: 129,
            tokens: 491_356, cost: try money("1.1789"), charge: try money("1.25"))
        row.inputTokens = 434_567
        row.outputTokens = 56_789
        row.standing = .balance(try money("-0.0123"))
        row.topRefusal = RefusalReason(code: "exhausted", rule: "prepaid_funds")
        return row
    }

    // The whole report, character by character.
    @Test func rendersAsWritten() throws {
        #expect(try madeUp().rendered(width: 100) == golden)
    }

    // Nothing is wider than the page, and colour adds nothing but colour.
    @Test(arguments: [100, 120, 200])
    func fitsThePage(width: Int) throws {
        let text = try madeUp().rendered(width: width)
        for line in text.split(separator: "\n") { #expect(line.count <= width) }
        let coloured = try madeUp().rendered(width: width, isColoured: true)
        #expect(coloured.contains("\u{1B}["))
        let plain = ["\u{1B}[1m", "\u{1B}[32m", "\u{1B}[31m", "\u{1B}[0m"].reduce(coloured) {
            $0.split(separator: $1, omittingEmptySubsequences: false).joined()
        }
        #expect(plain == text)
    }

    // What went wrong is said: both kinds, and the verdict is no longer good.
    @Test func rendersWhatWentWrong() throws {
        var report = try madeUp()
        #expect(report.isClean)
        report.failures = [.init(what: "settle: 409 already_settled: no", count: 2)]
        report.differences = ["birch: charge: 1.25 answered, 1.26 booked"]
        report.notes.retries = [
            .init(what: "503 overloaded", count: 7), .init(what: "no answer", count: 1),
        ]
        report.waits = 1_200
        report.lag = .milliseconds(2_340)
        #expect(!report.isClean)
        let text = report.rendered(width: 100)
        #expect(
            text.contains(
                "  requests that had to be sent again: 7 x 503 overloaded, 1 x no answer\n"))
        #expect(text.contains("Unexpected answers\n  2 x settle: 409 already_settled: no\n"))
        #expect(
            text.hasSuffix(
                "Cross-check: 1 difference\n  birch: charge: 1.25 answered, 1.26 booked\n"))
        #expect(
            text.contains(
                "  1,200 requests had to wait for room; the latest was 2.3 s behind its time\n"))
    }

    // Every figure that both sides have is compared, to the last nano unit.
    @Test func comparesEveryFigure() throws {
        let ours = CustomerFigures(
            reserved: 1, settled: 2, released: 3, expired: 4, rejected: 5, tokens: 6,
            cost: Money(nanos: 7), charge: Money(nanos: 8), overrun: Money(nanos: 9))
        #expect(Books.differences("birch", ours: CustomerFigures(), balance: nil).isEmpty)
        #expect(
            Books.differences("birch", ours: ours, balance: nil) == [
                "birch: reserved: 1 answered, 0 booked", "birch: settled: 2 answered, 0 booked",
                "birch: released: 3 answered, 0 booked", "birch: expired: 4 answered, 0 booked",
                "birch: rejected: 5 answered, 0 booked", "birch: tokens: 6 answered, 0 booked",
                "birch: cost: 0.000000007 answered, 0 booked",
                "birch: charge: 0.000000008 answered, 0 booked",
                "birch: overrun: 0.000000009 answered, 0 booked",
            ])
    }

    // A text column gives way to the page; figures never do.
    @Test func tableShrinksTextOnly() {
        var table = TextTable([.text("name", shrinksTo: 4), .number("figure")])
        table.add(["a long name", "1,234,567"])
        table.setFooter(["total", "1"])
        #expect(
            table.lines(width: 18) == [
                "name        figure", "-------  ---------", "a long…  1,234,567",
                "-------  ---------", "total            1",
            ])
        #expect(table.lines(width: 3)[2] == "a l…  1,234,567")
    }
}

private let golden = """
    Faregate sandbox: 2,000 requests
      made up
      7:04 of traffic in 9.2 s, 48 times as fast; up to 61 in flight
      project sandbox-7, amounts in USD

    Calls by customer
    customer  calls  reserved  settled  late  released  expired  rejected  most refused by
    --------  -----  --------  -------  ----  --------  -------  --------  ------------------------
    alder     1,550     1,548    1,530     4        10       12         2  unknown_price, price
    birch       450       321      271     0        20       30       129  exhausted, prepaid_funds
    yew           0         0        0     0         0        0         0
    --------  -----  --------  -------  ----  --------  -------  --------  ------------------------
    total     2,000     1,869    1,801     4        30       42       131

    Money by customer
    customer  plan   funding   tokens in  tokens out     cost   charge  margin  balance     owed
    --------  -----  --------  ---------  ----------  -------  -------  ------  -------  -------
    alder     scale  postpaid  1,600,000     400,000   9.5000  11.0000  1.5000           11.0000
    birch     team   prepaid     434,567      56,789   1.1789   1.2500  0.0711  -0.0123
    yew       free   unfunded          0           0   0.0000   0.0000  0.0000
    --------  -----  --------  ---------  ----------  -------  -------  ------  -------  -------
    total                      2,034,567     456,789  10.6789  12.2500  1.5711

    Models
    model        calls  settled  tokens in  tokens out     cost   charge  margin
    -----------  -----  -------  ---------  ----------  -------  -------  ------
    gpt-4o-mini  1,979    1,801  2,034,567     456,789  10.6789  12.2500  1.5711

    Refusals, and the expected charge they avoided
    refused by     because        refusals  tried again  charge avoided  of
    -------------  -------------  --------  -----------  --------------  -------------
    prepaid_funds  exhausted           120            0          0.9877  120 estimated
    price          unknown_price        11            0                  not estimated
    -------------  -------------  --------  -----------  --------------  -------------
    total                              131            0          0.9877

    Totals
      cost 10.6789, charge 12.2500, margin 1.5711 (12.8 % of the charge)
      rejected 6.6 % of all attempts
      12 calls came to more than their hold, by 0.0345 in all
      3 calls had their output cap lowered by a clamp budget
      4 calls passed a budget with a warning, 5 a shadow budget that would have refused
      32 requests sent twice got their first answer again
      no request had to be sent again
      216 requests/s

    Latency as the client sees it, milliseconds
    answer   count   p50   p95   p99   longest
    -------  -----  ----  ----  ----  --------
    reserve  2,016  0.81  2.34  9.88     15.00
    settle   1,801  0.70  2.00  8.00  1,234.57

    Cross-check OK: what the answers add up to is what the server has booked, to the last nano unit,
    for each of the 3 customers.

    """
