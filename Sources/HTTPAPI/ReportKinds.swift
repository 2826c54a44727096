// What usage, refusals and revenue say, line by line.

import CanonicalJSON
import EventLog
import Projections

extension ReportKind {
    private static let tokenUnits = [
        "cache_read", "cache_read_audio", "cache_write_12h", "cache_write_1h", "cache_write_5m",
        "input", "input_audio", "input_image", "output", "output_audio", "output_image",
        "reasoning",
    ]

    private static let margin = ReportFigure(name: "margin", kind: .money) {
        $0["charge"] - $0["cost"]
    }

    static let usage = ReportKind(
        groups: [.customer, .project, .model, .day],
        figures: [.money("charge"), .money("cost"), margin, .money("overrun")]
            + ["requests", "reserved", "settled", "late", "released", "expired", "recorded"]
            .map { .count($0) }
            + ["adjusted", "tokens"].map { .count($0) } + tokenUnits.map { .count($0) }
            + ["unattributed", "web_searches", "estimates"].map { .count($0) }
            + [
                .money("actual_cost"), .money("expected_cost"), .money("bound_cost"),
                .money("absolute_error"), .count("above_expected"), .count("above_bound"),
            ],
        sums: { reader, query throws(StoreError) in try reader.sums(UsageRow.self, query) },
        write: { json, row, group in
            json.object("calls") { json in
                json.member("adjusted", count: row["adjusted"])
                json.member("expired", count: row["expired"])
                json.member("late", count: row["late"])
                json.member("recorded", count: row["recorded"])
                json.member("released", count: row["released"])
                json.member("requests", count: row["requests"])
                json.member("reserved", count: row["reserved"])
                json.member("settled", count: row["settled"])
            }
            json.member("charge", nanos: row["charge"])
            json.member("cost", nanos: row["cost"])
            json.member("customer", ifPresent: group(.customer))
            json.member("day", ifPresent: group(.day))
            json.estimate(row)
            json.member("margin", nanos: margin.value(row))
            json.member("model", ifPresent: group(.model))
            json.member("overrun", nanos: row["overrun"])
            json.member("project", ifPresent: group(.project))
            json.object("tokens") { json in
                for unit in tokenUnits where row[unit] != 0 {
                    json.key(dynamic: unit)
                    json.integer(Int64(clamping: row[unit]))
                }
                json.member("total", count: row["tokens"])
                if row["unattributed"] != 0 {
                    json.member("unattributed", count: row["unattributed"])
                }
            }
            json.member("web_searches", count: row["web_searches"])
        })

    static let refusals = ReportKind(
        groups: [.rule, .code, .budget, .customer, .project, .model, .day],
        figures: [
            .count("refused"), .count("unpriced"), .money("bound_cost"), .money("bound_charge"),
            .money("expected_cost"), .money("expected_charge"),
        ],
        sums: { reader, query throws(StoreError) in try reader.sums(RefusalRow.self, query) },
        write: { json, row, group in
            json.object("avoided") { json in
                json.object("bound") { json in
                    json.member("charge", nanos: row["bound_charge"])
                    json.member("cost", nanos: row["bound_cost"])
                }
                json.object("expected") { json in
                    json.member("charge", nanos: row["expected_charge"])
                    json.member("cost", nanos: row["expected_cost"])
                }
            }
            json.member("budget", ifPresent: group(.budget))
            json.member("code", ifPresent: group(.code))
            json.member("customer", ifPresent: group(.customer))
            json.member("day", ifPresent: group(.day))
            json.member("model", ifPresent: group(.model))
            json.member("project", ifPresent: group(.project))
            json.member("refused", count: row["refused"])
            json.member("rule", ifPresent: group(.rule))
            json.member("unpriced", count: row["unpriced"])
        })

    static let revenue = ReportKind(
        groups: [.customer, .project, .day],
        figures: [
            .money("charge"), .money("cost"), margin, .money("from_grants"), .money("billable"),
            .money("debt"), .money("absorbed"), .money("repaid_debt"),
            .money("from_promotional"), .money("paid"), .money("granted_paid"),
            .money("granted_promotional"),
        ],
        sums: { reader, query throws(StoreError) in try reader.sums(RevenueRow.self, query) },
        write: { json, row, group in
            json.member("absorbed", nanos: row["absorbed"])
            json.member("billable", nanos: row["billable"])
            json.member("charge", nanos: row["charge"])
            json.member("cost", nanos: row["cost"])
            json.member("customer", ifPresent: group(.customer))
            json.member("day", ifPresent: group(.day))
            json.member("debt", nanos: row["debt"])
            json.member("from_grants", nanos: row["from_grants"])
            json.member("from_promotional", nanos: row["from_promotional"])
            json.object("granted") { json in
                json.member("paid", nanos: row["granted_paid"])
                json.member("promotional", nanos: row["granted_promotional"])
            }
            json.member("margin", nanos: margin.value(row))
            json.member("paid", nanos: row["paid"])
            json.member("project", ifPresent: group(.project))
            json.member("repaid_debt", nanos: row["repaid_debt"])
        })
}

extension JSONWriter {
    fileprivate mutating func estimate(_ row: SummedRow) {
        object("estimate") { json in
            json.member("above_bound", count: row["above_bound"])
            json.member("above_expected", count: row["above_expected"])
            json.member("absolute_error", nanos: row["absolute_error"])
            json.member("actual_cost", nanos: row["actual_cost"])
            json.member("bound_cost", nanos: row["bound_cost"])
            json.member("calls", count: row["estimates"])
            json.member("expected_cost", nanos: row["expected_cost"])
            // Of all calls together, in parts per million, towards zero; nothing over nothing is
            // no ratio.
            if row["expected_cost"] > 0 {
                let (product, overflow) = row["actual_cost"].multipliedReportingOverflow(
                    by: 1_000_000)
                if !overflow {
                    json.member("expected_ratio_ppm", count: product / row["expected_cost"])
                }
            }
        }
    }
}
