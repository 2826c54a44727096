// The gateway's act as a section of the report.

extension GatewayActReport {
    /// - Parameter title: makes a title of a text.
    func section(width: Int, title: (String) -> String) -> [String] {
        var table = TextTable([
            .text("customer"), .text("dialect", shrinksTo: 12), .number("streams"),
            .number("left early"), .number("refused"), .number("tokens"), .number("charge"),
            .number("first byte, ms"),
        ])
        for row in rows {
            table.add(
                [row.id, row.dialect]
                    + [row.streamed, row.left, row.refused, row.tokens].map(NumberText.count)
                    + [
                        NumberText.amount(row.charge),
                        row.firstByte.map(NumberText.milliseconds) ?? "",
                    ])
        }
        var lines = [title("Through the gateway, to a simulated provider")]
        lines += table.lines(width: width)
        lines.append(
            "  the provider served \(NumberText.count(servedTokens)) tokens to "
                + "\(NumberText.count(servedRequests)) requests, those of streams that were left"
                + " early included")
        if let refusal {
            lines.append("  refused before any money was spent: 402 \(refusal)")
        }
        return lines
    }
}
