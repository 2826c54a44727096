// The report as text: sections of a title and a table or lines, in plain characters, at most as
// wide as asked for where the figures allow it.

import Money

extension SandboxReport {
    /// - Parameters:
    ///   - width: columns of the page.
    ///   - isColoured: for terminals: titles bold, the verdict green or red.
    package func rendered(width: Int, isColoured: Bool = false) -> String {
        let style = Style(isColoured: isColoured)
        var sections = [
            headline(style), callTable(width, style), moneyTable(width, style),
            modelTable(width, style),
        ]
        if !refusals.isEmpty { sections.append(refusalTable(width, style)) }
        sections += [totals(style), latencyTable(width, style)]
        if let gateway { sections.append(gateway.section(width: width, title: style.title)) }
        if !failures.isEmpty { sections.append(failureLines(style)) }
        sections.append(verdict(style))
        return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private struct Style {
        var isColoured: Bool

        func title(_ text: String) -> String { isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
        func good(_ text: String) -> String { isColoured ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
        func bad(_ text: String) -> String { isColoured ? "\u{1B}[31m\(text)\u{1B}[0m" : text }
    }

    private func headline(_ style: Style) -> [String] {
        var lines = [
            style.title("Faregate sandbox: \(NumberText.count(requests)) requests"),
            "  " + traceName,
            "  \(NumberText.clock(traceTime)) of traffic in \(NumberText.seconds(elapsed)), "
                + "\(NumberText.count(speed)) times as fast; up to \(mostInFlight) in flight",
            "  project \(project), amounts in \(currency)",
        ]
        if waits > 0 || lag >= .milliseconds(500) {
            lines.append(
                "  \(NumberText.count(Int64(waits))) requests had to wait for room; the latest was "
                    + "\(NumberText.seconds(lag)) behind its time")
        }
        return lines
    }

    // MARK: Customers

    private func callTable(_ width: Int, _ style: Style) -> [String] {
        var table = TextTable([
            .text("customer"), .number("calls"), .number("reserved"),
            .number("settled"), .number("late"), .number("released"), .number("expired"),
            .number("rejected"), .text("most refused by", shrinksTo: 12),
        ])
        func cells(_ requests: Int64, _ figures: CustomerFigures, _ late: Int64) -> [String] {
            [
                requests, figures.reserved, figures.settled, late, figures.released,
                figures.expired, figures.rejected,
            ].map(NumberText.count)
        }
        for row in customers {
            let reason = row.topRefusal.map { "\($0.code), \($0.rule)" } ?? ""
            table.add([row.id] + cells(row.requests, row.figures, row.late) + [reason])
        }
        let sum = sum
        table.setFooter(["total"] + cells(sum.requests, sum.figures, sum.late) + [""])
        return [style.title("Calls by customer")] + table.lines(width: width)
    }

    private func moneyTable(_ width: Int, _ style: Style) -> [String] {
        var table = TextTable([
            .text("customer"), .text("plan"), .text("funding"), .number("tokens in"),
            .number("tokens out"), .number("cost"), .number("charge"), .number("margin"),
            .number("balance"), .number("owed"),
        ])
        func cells(_ row: CustomerRow) -> [String] {
            [NumberText.count(row.inputTokens), NumberText.count(row.outputTokens)]
                + Self.money(row.figures.cost, row.figures.charge)
        }
        for row in customers {
            var standing = ["", ""]
            switch row.standing {
            case .none: break
            case .balance(let money): standing[0] = NumberText.amount(money)
            case .owed(let money): standing[1] = NumberText.amount(money)
            }
            table.add([row.id, row.plan, row.funding] + cells(row) + standing)
        }
        table.setFooter(["total", "", ""] + cells(sum) + ["", ""])
        return [style.title("Money by customer")] + table.lines(width: width)
    }

    private static func money(_ cost: Money, _ charge: Money) -> [String] {
        [cost, charge, charge.subtractingClamped(cost)].map(NumberText.amount)
    }

    /// All customers as one.
    private var sum: CustomerRow {
        customers.reduce(into: CustomerRow()) { sum, row in
            sum.requests += row.requests
            sum.late += row.late
            sum.inputTokens += row.inputTokens
            sum.outputTokens += row.outputTokens
            sum.figures.reserved += row.figures.reserved
            sum.figures.settled += row.figures.settled
            sum.figures.released += row.figures.released
            sum.figures.expired += row.figures.expired
            sum.figures.rejected += row.figures.rejected
            sum.figures.cost.addClamped(row.figures.cost)
            sum.figures.charge.addClamped(row.figures.charge)
        }
    }

    // MARK: Models and refusals

    private func modelTable(_ width: Int, _ style: Style) -> [String] {
        var table = TextTable([
            .text("model", shrinksTo: 16), .number("calls"), .number("settled"),
            .number("tokens in"), .number("tokens out"), .number("cost"), .number("charge"),
            .number("margin"),
        ])
        for row in models {
            let counts = [row.requests, row.settled, row.inputTokens, row.outputTokens]
            table.add(
                [row.model] + counts.map(NumberText.count) + Self.money(row.cost, row.charge))
        }
        return [style.title("Models")] + table.lines(width: width)
    }

    private func refusalTable(_ width: Int, _ style: Style) -> [String] {
        var table = TextTable([
            .text("refused by"), .text("because"), .number("refusals"), .number("tried again"),
            .number("charge avoided"), .text("of"),
        ])
        var avoided = Money.zero
        for row in refusals {
            avoided.addClamped(row.avoidedCharge)
            table.add([
                row.reason.rule, row.reason.code, NumberText.count(row.count),
                NumberText.count(row.retried),
                row.estimated > 0 ? NumberText.amount(row.avoidedCharge) : "",
                row.estimated > 0
                    ? "\(NumberText.count(row.estimated)) estimated" : "not estimated",
            ])
        }
        table.setFooter([
            "total", "", NumberText.count(refusals.reduce(0) { $0 + $1.count }),
            NumberText.count(refusals.reduce(0) { $0 + $1.retried }), NumberText.amount(avoided),
            "",
        ])
        return [style.title("Refusals, and the expected charge they avoided")]
            + table.lines(width: width)
    }

    // MARK: Totals

    private func totals(_ style: Style) -> [String] {
        let sum = sum
        let margin = sum.figures.charge.subtractingClamped(sum.figures.cost)
        let milliseconds = elapsed / .milliseconds(1)
        let rate = milliseconds > 0 ? Double(requests) * 1_000 / milliseconds : 0
        return [
            style.title("Totals"),
            "  cost \(NumberText.amount(sum.figures.cost)), "
                + "charge \(NumberText.amount(sum.figures.charge)), "
                + "margin \(NumberText.amount(margin)) "
                + "(\(NumberText.percent(margin.nanos, of: sum.figures.charge.nanos)) of the charge)",
            "  rejected \(NumberText.percent(sum.figures.rejected, of: sum.figures.rejected + sum.figures.reserved)) of all attempts",
            "  \(NumberText.count(notes.overruns)) calls came to more than their hold, by "
                + "\(NumberText.amount(notes.overrun)) in all",
            "  \(NumberText.count(notes.clamped)) calls had their output cap lowered by a clamp budget",
            "  \(NumberText.count(notes.warned)) calls passed a budget with a warning, "
                + "\(NumberText.count(notes.shadowed)) a shadow budget that would have refused",
            "  \(NumberText.count(notes.replayed)) requests sent twice got their first answer again",
            "  \(retryText)",
            "  \(NumberText.count(Int64(rate.rounded()))) requests/s",
        ]
    }

    private var retryText: String {
        if notes.retries.isEmpty { return "no request had to be sent again" }
        let causes = notes.retries.map { "\(NumberText.count($0.count)) x \($0.what)" }
        return "requests that had to be sent again: " + causes.joined(separator: ", ")
    }

    private func latencyTable(_ width: Int, _ style: Style) -> [String] {
        var table = TextTable([
            .text("answer"), .number("count"), .number("p50"), .number("p95"), .number("p99"),
            .number("longest"),
        ])
        for (name, summary) in [("reserve", reserveLatency), ("settle", settleLatency)] {
            guard let summary else { continue }
            let times = [summary.p50, summary.p95, summary.p99, summary.longest]
            table.add(
                [name, NumberText.count(summary.count)] + times.map(NumberText.milliseconds))
        }
        return [style.title("Latency as the client sees it, milliseconds")]
            + table.lines(width: width)
    }

    private func failureLines(_ style: Style) -> [String] {
        [style.bad("Unexpected answers")]
            + failures.map { "  \(NumberText.count($0.count)) x \($0.what)" }
    }

    private func verdict(_ style: Style) -> [String] {
        if differences.isEmpty {
            return [
                style.good("Cross-check OK:")
                    + " what the answers add up to is what the server has booked, to the last nano"
                    + " unit,", "for each of the \(customers.count) customers.",
            ] + (gateway == nil ? [] : ["What the provider served is what the gateway has booked."])
        }
        let noun = differences.count == 1 ? "difference" : "differences"
        return [style.bad("Cross-check: \(differences.count) \(noun)")]
            + differences.map { "  " + $0 }
    }
}
