// Questions to the read models. They follow the log at their own pace, so every answer says as of
// which event it is. Whoever asks right after a write sees it all the same: the answer waits a
// moment for what was durable when it was asked.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Money
import Projections
import TimeZones

extension API {
    /// How long an answer waits for events that are durable and not folded in yet: two seconds.
    /// With more than some thousand missing it does not: `as_of` says how old it is.
    private static let waitSteps = 400
    private static let waitStep = Duration.milliseconds(5)
    private static let lagMax: UInt64 = 10_000

    /// Runs `body` in one read transaction of the views' file.
    func views<T: Sendable>(
        _ body:
            @escaping @Sendable (borrowing ViewReader, ViewPosition) throws(StoreError) -> T
    ) async throws(APIError) -> T {
        guard let readModels else { throw .noReadModels("This server keeps none.") }
        let head = engine.store.head.sequence
        for _ in 0..<Self.waitSteps {
            if readModels.hasFolded(upTo: head) { break }
            let status = readModels.status
            if status.state != .starting, status.lagEvents > Self.lagMax { break }
            try? await Task.sleep(for: Self.waitStep)
        }
        return try await viewReader.run { () throws(APIError) in
            do throws(StoreError) {
                return try readModels.read(body)
            } catch {
                throw .noReadModels("They cannot be read (\(error.code.rawValue)).")
            }
        }
    }
}

extension APIError {
    static func noReadModels(_ reason: String) -> APIError {
        .unavailable(
            "projections_unavailable",
            "The read models are not available. \(reason) See /v1/projections.")
    }
}

extension APICall {
    /// The project that a report is limited to: the one asked for, else the key's own; nil: all.
    func reportProject() throws(APIError) -> String? {
        guard let wanted = try queryID("project") else { return principal.project }
        try require(project: wanted)
        return wanted
    }

    /// A day of UTC, as `2026-11-22` or as the instant at which it begins. Figures are kept by day:
    /// an instant within one cannot be answered.
    func queryDay(_ name: String) throws(APIError) -> Int64? {
        guard let text = queryText(name) else { return nil }
        // A plus sign that was not encoded has become a space.
        let time = String(text.map { $0 == " " ? "+" : $0 })
        let full = time.utf8.count == 10 ? time + "T00:00:00Z" : time
        guard let microseconds = try? RFC3339.parse(full) else {
            throw .invalid(
                "\(name) must be a date as 2026-11-22, or a time as 2026-11-22T00:00:00Z",
                param: name)
        }
        let day = ViewDay.day(of: Instant(microseconds: microseconds))
        guard ViewDay.start(of: day).microseconds == microseconds else {
            throw .invalid(
                "\(name) must be the beginning of a day of UTC: figures are kept by day",
                param: name)
        }
        return day
    }

    /// `from` and `to`: the first day, and the first day that no longer counts.
    func daySpan() throws(APIError) -> (from: Int64?, to: Int64?) {
        let (from, to) = (try queryDay("from"), try queryDay("to"))
        if let from, let to, to < from {
            throw .invalid("to must not be before from", param: "to")
        }
        return (from, to)
    }

    /// The values that `next` of the page before was made of.
    func cursor(_ kinds: [CursorPart]) throws(APIError) -> [ColumnValue]? {
        guard let text = queryText("after") else { return nil }
        var values: [ColumnValue] = []
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        for (kind, part) in zip(kinds, parts) {
            if let value = kind.value(part) { values.append(value) }
        }
        guard parts.count == kinds.count, values.count == kinds.count else {
            throw .invalid("after must be next of the page before", param: "after")
        }
        return values
    }
}

/// One value of a cursor. A cursor is the values of a page's last row, percent-encoded, with
/// slashes between them.
enum CursorPart: Sendable {
    case text, number

    fileprivate func value(_ part: Substring) -> ColumnValue? {
        switch self {
        case .text: percentDecoded(part.utf8).map { .text($0) }
        case .number: Int64(part).map { .integer($0) }
        }
    }

    static func cursor(_ values: [ColumnValue]) -> String {
        values.map { percentEncoded($0.text) }.joined(separator: "/")
    }
}

/// `2026-11-22` of a day counted from 1970-01-01.
func dateText(_ day: Int64) -> String {
    String(RFC3339.text(microseconds: ViewDay.start(of: day).microseconds).prefix(10))
}

extension JSONWriter {
    mutating func asOf(_ position: ViewPosition) {
        object("as_of") { json in
            json.member("sequence", position.sequence)
            json.member("time", position.time)
        }
    }

    /// A sum of amounts.
    mutating func member(_ name: StaticString, nanos: Int128) {
        key(name)
        string(decimalText(nanos: nanos))
    }

    /// A sum of counts.
    mutating func member(_ name: StaticString, count: Int128) {
        member(name, Int64(clamping: count))
    }
}

/// One page of rows as of an event.
func viewPage<Row: Sendable>(
    _ rows: [Row], limit: Int, _ position: ViewPosition, next: (Row) -> [ColumnValue],
    _ write: (inout JSONWriter, Row) -> Void
) -> APIResponse {
    let shown = rows.prefix(limit)
    let hasMore = rows.count > limit
    let body = JSONWriter.document(reservingCapacity: 128 + shown.count * 256) { json in
        json.asOf(position)
        json.list("data", shown) { json, row in json.object { json in write(&json, row) } }
        json.member("has_more", hasMore)
        if hasMore {
            json.member("next", ifPresent: shown.last.map { CursorPart.cursor(next($0)) })
        }
    }
    return APIResponse(status: 200, body: body)
}
