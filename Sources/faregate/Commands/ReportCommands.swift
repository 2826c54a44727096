import ArgumentParser
import CanonicalJSON
import HTTPAPI

/// What the reports have in common: which days, by what, in which form.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("One line for each of these, separated by commas.", valueName: "columns")
    )
    var groupBy: String?

    @Option(help: ArgumentHelp("First day of UTC that counts.", valueName: "date"))
    var from: String?

    @Option(help: ArgumentHelp("First day of UTC that no longer counts.", valueName: "date"))
    var to: String?

    @Flag(help: "Print all lines as comma-separated values.")
    var csv = false

    var parameters: [(name: String, value: String?)] {
        [("group_by", groupBy), ("from", from), ("to", to)]
    }
}

/// A command that prints lines of figures.
protocol ReportCommand: LedgerCommand {
    var report: ReportOptions { get }
    var page: PageOptions { get }

    /// What is asked, without the options that all reports have.
    var request: APIRequest { get }

    /// Columns of the table after those grouped by.
    static var columns: [(column: Table.Column, path: [String])] { get }
}

extension ReportCommand {
    func run(_ ledger: LedgerSession) async throws {
        if report.csv, ledger.wantsJSON {
            throw CommandFailure(.usage, "--csv and --json exclude each other")
        }
        await ledger.client.freshenReadModels()
        let request = request.asking(report.parameters)
        if report.csv {
            try await printCSV(request, ledger)
        } else {
            try await ledger.showPage(request, page, Self.text)
        }
    }

    /// All pages as one table: the row of names once.
    private func printCSV(_ request: APIRequest, _ ledger: LedgerSession) async throws {
        var after: String?
        while true {
            var asked = request.asking([("limit", "1000"), ("after", after)])
            asked.accept = "text/csv"
            let response = try await ledger.client.send(asked)
            guard response.isSuccess else {
                throw CommandFailure(refusing: try response.json(), response.status)
            }
            guard response.contentType.hasPrefix("text/csv") else {
                throw CommandFailure(.inputOutput, "the server does not answer with CSV")
            }
            var rows = response.body[...]
            if after != nil, let end = rows.firstIndex(of: 0x0A) { rows = rows[(end + 1)...] }
            ledger.console.writeOut(String(decoding: rows, as: UTF8.self))
            guard let next = response.header("X-Faregate-Next"), next != after else { return }
            after = next
        }
    }

    static func text(_ answer: JSONValue) -> String {
        let groups = answer["group_by"].items.compactMap(\.text)
        var table = Table(groups.map { .text($0) } + columns.map(\.column))
        for line in answer["data"].items {
            let cells = columns.map { column -> String in
                var value: JSONValue? = line
                for name in column.path { value = value[name] }
                return quantity(value)
            }
            table.add(groups.map { line[$0].word } + cells)
        }
        let asOf =
            "As of event \(quantity(answer["as_of"]["sequence"])),"
            + " \(shortTime(answer["as_of"]["time"])); amounts in \(answer["currency"].word)"
        return table.text() + "\n\n" + asOf
    }
}

/// Of `faregate usage`.
struct UsageReport: ReportCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What was used, by customer, project, model or day.",
        discussion: """
            Tokens, cost, charge and margin from the read models, as of the event named below the
            table. A day is a day of UTC; corrections and late usage are booked on the day on which
            they came.

            Examples:
              faregate usage show --group-by customer
              faregate usage --customer acme --group-by model,day --from 2026-11-01
              faregate usage --group-by customer,day --csv
            """)

    @Option(help: ArgumentHelp("Only this customer's.", valueName: "id")) var customer: String?
    @Option(help: ArgumentHelp("Only this model's.", valueName: "name")) var model: String?
    @OptionGroup var report: ReportOptions
    @OptionGroup var page: PageOptions
    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    var request: APIRequest {
        .get("usage").within(project.name).asking([("customer", customer), ("model", model)])
    }

    static let columns: [(column: Table.Column, path: [String])] = [
        (.number("Calls"), ["calls", "requests"]), (.number("Tokens"), ["tokens", "total"]),
        (.money("Charge"), ["charge"]), (.money("Cost"), ["cost"]), (.money("Margin"), ["margin"]),
        (.money("Expected"), ["estimate", "expected_cost"]),
        (.money("Actual"), ["estimate", "actual_cost"]),
    ]
}

struct RefusalsCommand: ReportCommand {
    static let configuration = CommandConfiguration(
        commandName: "refusals",
        abstract: "What was refused, by which rule, and the cost avoided.",
        discussion: """
            Columns to group by: rule, code, budget, customer, project, model, day. Of each refused
            call the bound and the expected estimate are added up; calls without a price have none.

            Examples:
              faregate refusals --group-by rule,code
              faregate refusals --group-by budget --from 2026-11-01 --to 2026-12-01
            """)

    @Option(help: ArgumentHelp("Only this customer's.", valueName: "id")) var customer: String?
    @OptionGroup var report: ReportOptions
    @OptionGroup var page: PageOptions
    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    var request: APIRequest {
        .get("refusals").within(project.name).asking([("customer", customer)])
    }

    static let columns: [(column: Table.Column, path: [String])] = [
        (.number("Refused"), ["refused"]), (.number("Unpriced"), ["unpriced"]),
        (.money("Expected cost"), ["avoided", "expected", "cost"]),
        (.money("Bound cost"), ["avoided", "bound", "cost"]),
        (.money("Bound charge"), ["avoided", "bound", "charge"]),
    ]
}

struct RevenueCommand: ReportCommand {
    static let configuration = CommandConfiguration(
        commandName: "revenue",
        abstract: "What was charged, and who bears it.",
        discussion: """
            Columns to group by: customer, project, day. A charge comes from grants, is billed, is
            debt, or is absorbed; payments received stand beside it.

            Examples:
              faregate revenue --group-by day --from 2026-11-01
              faregate revenue --customer acme --group-by day --csv
            """)

    @Option(help: ArgumentHelp("Only this customer's.", valueName: "id")) var customer: String?
    @OptionGroup var report: ReportOptions
    @OptionGroup var page: PageOptions
    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    var request: APIRequest {
        .get("revenue").within(project.name).asking([("customer", customer)])
    }

    static let columns: [(column: Table.Column, path: [String])] = [
        (.money("Charge"), ["charge"]), (.money("Cost"), ["cost"]), (.money("Margin"), ["margin"]),
        (.money("From grants"), ["from_grants"]), (.money("Billable"), ["billable"]),
        (.money("Debt"), ["debt"]), (.money("Absorbed"), ["absorbed"]), (.money("Paid"), ["paid"]),
    ]
}
