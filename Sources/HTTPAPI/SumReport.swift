// Reports that are sums: usage, refusals, revenue. Each is lines of figures by some of its columns,
// as JSON or as CSV.

import Billing
import CanonicalJSON
import EventLog
import Money
import Projections

/// A column that figures can be summed by.
enum ReportGroup: String, Sendable {
    case project, customer, model, day, rule, code, budget

    var cursorPart: CursorPart { self == .day ? .number : .text }

    func text(_ value: ColumnValue) -> String {
        if case .integer(let day) = value { return dateText(day) }
        return value.text
    }
}

/// A figure of a report: a column of its own in CSV.
struct ReportFigure: Sendable {
    enum Kind: Sendable {
        case money, count
    }

    var name: String
    var kind: Kind
    var value: @Sendable (SummedRow) -> Int128

    static func money(_ name: String) -> ReportFigure {
        ReportFigure(name: name, kind: .money) { $0[name] }
    }

    static func count(_ name: String) -> ReportFigure {
        ReportFigure(name: name, kind: .count) { $0[name] }
    }

    func text(_ row: SummedRow) -> String {
        kind == .money ? decimalText(nanos: value(row)) : String(value(row))
    }
}

/// What a report is made of.
struct ReportKind: Sendable {
    var groups: [ReportGroup]
    var figures: [ReportFigure]
    var sums: @Sendable (borrowing ViewReader, ViewQuery) throws(StoreError) -> [SummedRow]
    /// Members of one line: the groups' values are asked for by name.
    var write: @Sendable (inout JSONWriter, SummedRow, (ReportGroup) -> String?) -> Void
}

/// A report as it was asked for.
struct SumReport: Sendable {
    let kind: ReportKind
    private let groups: [ReportGroup]
    private let from: Int64?
    private let to: Int64?
    private var query: ViewQuery

    /// Takes `group_by`, `from`, `to`, `limit`, `after` and the project from the call.
    init(_ kind: ReportKind, _ call: APICall, project: String?) throws(APIError) {
        self.kind = kind
        groups = try Self.groups(call, kind.groups)
        (from, to) = try call.daySpan()
        query = ViewQuery(
            order: groups.map(\.rawValue), after: try call.cursor(groups.map(\.cursorPart)),
            limit: try call.limit())
        if let project { query.require("project", .equal, .text(project)) }
        if let from { query.require("day", .atLeast, .integer(from)) }
        if let to { query.require("day", .below, .integer(to)) }
    }

    mutating func require(_ group: ReportGroup, _ value: String?) {
        if let value { query.require(group.rawValue, .equal, .text(value)) }
    }

    private static func groups(
        _ call: APICall, _ known: [ReportGroup]
    ) throws(APIError) -> [ReportGroup] {
        guard let text = call.queryText("group_by"), !text.isEmpty else { return [] }
        var groups: [ReportGroup] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let group = ReportGroup(rawValue: String(name)), known.contains(group),
                !groups.contains(group)
            else {
                throw .malformed(
                    "unknown_group",
                    "group_by takes each of \(known.map(\.rawValue).joined(separator: ", ")) once,"
                        + " separated by commas; not '\(name)'.", param: "group_by")
            }
            groups.append(group)
        }
        return groups
    }

    // MARK: Answer

    func answer(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (kind, query) = (kind, query)
        let (rows, position) = try await api.views { reader, position throws(StoreError) in
            (try kind.sums(reader, query), position)
        }
        let shown = Array(rows.prefix(query.limit))
        let next = rows.count > query.limit ? shown.last.map { CursorPart.cursor($0.group) } : nil
        return prefersCSV(call.request.accept)
            ? csv(shown, position, next: next)
            : json(shown, position, next: next, currency: api.currency)
    }

    private func json(
        _ rows: [SummedRow], _ position: ViewPosition, next: String?, currency: String
    ) -> APIResponse {
        let body = JSONWriter.document(reservingCapacity: 256 + rows.count * 512) { json in
            json.asOf(position)
            json.member("currency", currency)
            json.list("data", rows) { json, row in
                json.object { json in kind.write(&json, row) { value(of: $0, in: row) } }
            }
            json.member("from", ifPresent: from.map(dateText))
            json.member("group_by", groups.map(\.rawValue))
            json.member("has_more", next != nil)
            json.member("next", ifPresent: next)
            json.member("to", ifPresent: to.map(dateText))
        }
        return APIResponse(status: 200, headers: [("Vary", "Accept")], body: body)
    }

    /// What JSON says beside the lines stands in headers.
    private func csv(
        _ rows: [SummedRow], _ position: ViewPosition, next: String?
    ) -> APIResponse {
        var table = CSVTable()
        for group in groups { table.plain(group.rawValue) }
        for figure in kind.figures { table.plain(figure.name) }
        table.endRow()
        for row in rows {
            for (group, value) in zip(groups, row.group) { table.text(group.text(value)) }
            for figure in kind.figures { table.plain(figure.text(row)) }
            table.endRow()
        }
        var headers = [("Vary", "Accept"), ("X-Faregate-As-Of", String(position.sequence))]
        if let next { headers.append(("X-Faregate-Next", next)) }
        return APIResponse(
            status: 200, headers: headers, contentType: "text/csv; charset=utf-8",
            body: table.bytes)
    }

    private func value(of group: ReportGroup, in row: SummedRow) -> String? {
        groups.firstIndex(of: group).map { group.text(row.group[$0]) }
    }
}
