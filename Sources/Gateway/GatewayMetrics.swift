// What the gateway counts: tables made once from the upstreams, so that a call costs a few
// additions.

import Billing
import Dialects
import Money
package import Telemetry

package final class GatewayMetrics: Sendable {
    private let names: [String]
    private let dialects: [String]
    private let rows: [String: Int]
    private let requests: CounterTable
    private let settlements: CounterTable
    private let firstBytes: HistogramTable
    private let overheads: HistogramTable
    private let live: CounterTable
    private let errors: CounterTable
    private let statedCosts: CounterTable
    private let ratedCosts: CounterTable
    private let marks: CounterTable

    /// How a settlement came about.
    enum Kind: Int, CaseIterable {
        /// By the provider's usage.
        case usage
        /// By what passed, or by what was expected.
        case estimated
        case released
        /// The hold had expired before: what it was charged is corrected.
        case expired
        /// Not at all: the ledger stopped first. The hold's expiry charges it.
        case failed
    }

    package init(_ settings: GatewaySettings) {
        names = settings.upstreams.map(\.name)
        dialects = settings.upstreams.map(\.dialect.rawValue)
        rows = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let count = max(names.count, 1)
        requests = CounterTable(count * CallResult.allCases.count)
        settlements = CounterTable(count * Kind.allCases.count)
        firstBytes = HistogramTable(bounds: Self.bounds, rows: count)
        overheads = HistogramTable(bounds: HistogramTable.latencyBounds, rows: count)
        live = CounterTable(count)
        errors = CounterTable(count)
        statedCosts = CounterTable(count)
        ratedCosts = CounterTable(count)
        marks = CounterTable(count * UsageMark.allCases.count)
    }

    /// Providers take seconds to their first byte.
    private static let bounds: [Int64] = [
        1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        60_000_000_000, 120_000_000_000,
    ]

    func ended(_ upstream: String, _ result: CallResult) {
        guard let row = rows[upstream] else { return }
        let column = CallResult.allCases.firstIndex(of: result) ?? 0
        requests.add(1, at: row * CallResult.allCases.count + column)
    }

    func settled(_ upstream: String, _ settlement: Settlement, _ result: Settler.Result) {
        guard let row = rows[upstream] else { return }
        let kind: Kind =
            switch (result, settlement) {
            case (.failed, _): .failed
            case (.settled(let event), _) where event.isLateSettlement: .expired
            case (_, .release): .released
            case (_, .usage): .usage
            case (_, .estimated), (_, .unknown), (_, .atMost): .estimated
            }
        settlements.add(1, at: row * Kind.allCases.count + kind.rawValue)
    }

    func firstByte(_ upstream: String, _ nanoseconds: Int64) {
        if let row = rows[upstream] { firstBytes.record(nanoseconds, row: row) }
    }

    func forwards(_ upstream: String, after nanoseconds: Int64) {
        if let row = rows[upstream] { overheads.record(nanoseconds, row: row) }
    }

    func began(_ upstream: String) { if let row = rows[upstream] { live.add(1, at: row) } }
    func finished(_ upstream: String) { if let row = rows[upstream] { live.add(-1, at: row) } }

    /// The upstream answered with an error, broke off, or could not be reached.
    func failed(_ upstream: String) { if let row = rows[upstream] { errors.add(1, at: row) } }

    /// What a provider's report says besides its counts.
    ///
    /// - Parameter cost: of the call, by the price book; nil: it was not rated.
    func reported(_ upstream: String, _ report: UsageReport, cost: Money?) {
        guard let row = rows[upstream] else { return }
        for (column, mark) in UsageMark.allCases.enumerated() where report.marks.contains(mark) {
            marks.add(1, at: row * UsageMark.allCases.count + column)
        }
        if let cost, let stated = report.statedCost.flatMap(StatedCost.nanos) {
            statedCosts.add(stated, at: row)
            ratedCosts.add(cost.nanos, at: row)
        }
    }

    var liveCount: Int64 { names.indices.reduce(0) { $0 + live[$1] } }

    /// Nothing where there are no upstreams.
    package func write(to text: inout PrometheusText) {
        if names.isEmpty { return }
        text.family(
            "faregate_gateway_requests_total", .counter,
            "Requests to the gateway that ended, by upstream and by what became of them.")
        forEachRow { row, labels in
            for (column, result) in CallResult.allCases.enumerated() {
                let count = requests[row * CallResult.allCases.count + column]
                text.sample(count, .one, labels + [("outcome", result.rawValue)])
            }
        }
        text.family(
            "faregate_gateway_settlements_total", .counter,
            "Calls of the gateway that were settled, by what they were settled by.")
        forEachRow { row, labels in
            for kind in Kind.allCases {
                let count = settlements[row * Kind.allCases.count + kind.rawValue]
                text.sample(count, .one, [labels[0], ("kind", "\(kind)")])
            }
        }
        text.family(
            "faregate_gateway_upstream_errors_total", .counter,
            "Answers of an upstream that were errors, broke off or did not come.")
        forEachRow { row, labels in text.sample(errors[row], .one, [labels[0]]) }
        text.family(
            "faregate_gateway_stated_cost_total", .counter,
            "What answers of an upstream that state a cost say that they cost, in its currency.")
        forEachRow { row, labels in text.sample(statedCosts[row], .nano, [labels[0]]) }
        text.family(
            "faregate_gateway_stated_cost_rated_total", .counter,
            "What the same calls cost by the price book.")
        forEachRow { row, labels in text.sample(ratedCosts[row], .nano, [labels[0]]) }
        text.family(
            "faregate_gateway_usage_marks_total", .counter,
            "Reports of usage with something odd about them.")
        forEachRow { row, labels in
            for (column, mark) in UsageMark.allCases.enumerated() {
                let count = marks[row * UsageMark.allCases.count + column]
                text.sample(count, .one, [labels[0], ("mark", mark.rawValue)])
            }
        }
        text.family(
            "faregate_gateway_calls_live", .gauge,
            "Calls under way, also those whose client has gone.")
        forEachRow { row, labels in text.sample(live[row], .one, [labels[0]]) }
        text.family(
            "faregate_gateway_first_byte_seconds", .histogram,
            "From forwarding a request to the first byte of its answer's body.")
        forEachRow { row, labels in text.histogram(firstBytes.reading(row), .nano, [labels[0]]) }
        text.family(
            "faregate_gateway_overhead_seconds", .histogram,
            "From the end of a request's body to forwarding it: sizing, reserving, rewriting.")
        forEachRow { row, labels in text.histogram(overheads.reading(row), .nano, [labels[0]]) }
    }

    private func forEachRow(_ body: (Int, PrometheusText.Labels) -> Void) {
        for (row, name) in names.enumerated() {
            body(row, [("upstream", name), ("dialect", dialects[row])])
        }
    }
}

extension RecordedEvent {
    fileprivate var isLateSettlement: Bool {
        if case .usageSettled(let settled) = event { settled.isLate } else { false }
    }
}
