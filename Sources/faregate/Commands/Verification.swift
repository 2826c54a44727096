// What `verify` found, however it looked.

import CanonicalJSON
import Engine
import EventLog

struct Verification {
    struct Check {
        var name: String
        var explanation: String
        var examined: UInt64 = 0
        var violations: [String] = []
        var violationCount: UInt64 = 0

        mutating func fail(_ text: String) {
            violationCount += 1
            if violations.count < 20 { violations.append(text) }
        }
    }

    var sequence: UInt64
    var root: String
    var checks: [Check]

    var passed: Bool { checks.allSatisfy { $0.violationCount == 0 } }

    init(_ report: VerificationReport) {
        sequence = report.eventCount
        root = report.head.root.hex
        checks = report.checks.map { check in
            Check(
                name: check.name, explanation: check.explanation, examined: check.examined,
                violations: check.violations, violationCount: check.violationCount)
        }
    }

    var text: String {
        var table = Table([
            .text("Check"), .number("Examined"), .text("Result"), .text("What it says"),
        ])
        for check in checks {
            let result =
                check.violationCount > 0
                ? "\(grouped(check.violationCount)) wrong"
                : check.examined == 0 ? "nothing to check" : "ok"
            table.add([check.name, grouped(check.examined), result, check.explanation])
        }
        var lines = ["\(grouped(sequence)) events, root \(root)", "", table.text()]
        for check in checks where check.violationCount > 0 {
            lines += ["", "\(check.name):"] + check.violations.map { "  " + Table.printable($0) }
            let left = check.violationCount - UInt64(check.violations.count)
            if left > 0 { lines.append("  and \(grouped(left)) more") }
        }
        lines += ["", passed ? "The ledger is sound." : "The ledger is NOT sound."]
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        let checks = checks.map { check -> JSONValue in
            .object(
                JSONObject([
                    ("examined", .integer(Int64(clamping: check.examined))),
                    ("explanation", .string(check.explanation)),
                    ("name", .string(check.name)),
                    ("violation_count", .integer(Int64(clamping: check.violationCount))),
                    ("violations", .array(check.violations.map { .string($0) })),
                ]))
        }
        return .object(
            JSONObject([
                ("checks", .array(checks)), ("passed", .bool(passed)),
                ("root", .string(root)), ("sequence", .integer(Int64(clamping: sequence))),
            ]))
    }
}
