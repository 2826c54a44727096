// Requests by route, method and status, and how long they took: tables made once from the routes,
// so that a request costs three additions.

import Telemetry

final class HTTPMetrics: Sendable {
    private let routes: [APIRoute]
    /// Row of requests that no route fits.
    private var noRoute: Int { routes.count }
    /// Statuses that the API has, and 0 for any other.
    private static let statuses = [
        200, 201, 202, 204, 304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429,
        500, 502, 503, 504, 0,
    ]
    private let responses: CounterTable
    private let latency: HistogramTable
    private let underWay = CounterTable(1)

    init(_ routes: [APIRoute]) {
        self.routes = routes
        responses = CounterTable((routes.count + 1) * Self.statuses.count)
        latency = HistogramTable(bounds: HistogramTable.latencyBounds, rows: routes.count + 1)
    }

    func began() { underWay.add(1) }

    func ended(_ route: APIRoute?, status: Int, _ duration: Duration) {
        underWay.add(-1)
        let row = route?.place ?? noRoute
        let column = Self.statuses.firstIndex(of: status) ?? Self.statuses.count - 1
        responses.add(1, at: row * Self.statuses.count + column)
        let (seconds, attoseconds) = duration.components
        latency.record(seconds * 1_000_000_000 + attoseconds / 1_000_000_000, row: row)
    }

    /// A request came to no answer: its connection broke.
    func abandoned() { underWay.add(-1) }

    func write(to text: inout PrometheusText) {
        text.family(
            "faregate_http_requests_total", .counter,
            "Requests answered. Unknown paths have an empty route.")
        forEachRow { row, labels in
            for (column, status) in Self.statuses.enumerated() {
                let count = responses[row * Self.statuses.count + column]
                let code = status == 0 ? "other" : String(status)
                if count > 0 { text.sample(count, .one, labels + [("status", code)]) }
            }
        }
        text.family(
            "faregate_http_request_duration_seconds", .histogram,
            "From the head of a request to its answer, without sending that.")
        forEachRow { row, labels in
            let reading = latency.reading(row)
            if reading.count > 0 { text.histogram(reading, .nano, labels) }
        }
        text.single(
            "faregate_http_requests_in_flight", .gauge, "Requests that are being answered.",
            underWay[0])
    }

    private func forEachRow(_ body: (Int, PrometheusText.Labels) -> Void) {
        for (row, route) in routes.enumerated() {
            body(row, [("route", route.template), ("method", route.method.rawValue)])
        }
        body(noRoute, [("route", ""), ("method", "")])
    }
}
