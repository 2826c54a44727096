// Tables of plain text: a heading line, a rule, rows, and a footer below another rule. Columns are
// two blanks apart, numbers stand at the right, and a text column that may shrink gives way when
// the table is wider than the page.

struct TextTable {
    struct Column {
        enum Side { case left, right }

        var title: String
        var side: Side
        /// Least width to which the column may be cut; nil: never cut.
        var shrinksTo: Int?

        static func text(_ title: String, shrinksTo: Int? = nil) -> Column {
            Column(title: title, side: .left, shrinksTo: shrinksTo)
        }

        static func number(_ title: String) -> Column {
            Column(title: title, side: .right, shrinksTo: nil)
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    private var footer: [String]?

    init(_ columns: [Column]) { self.columns = columns }

    /// - Parameter cells: one for each column.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell for each column")
        rows.append(cells)
    }

    mutating func setFooter(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell for each column")
        footer = cells
    }

    /// Lines without blanks at their end.
    func lines(width: Int) -> [String] {
        let widths = widths(page: width)
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        var lines = [line(columns.map(\.title), widths), rule]
        lines += rows.map { line($0, widths) }
        if let footer { lines += [rule, line(footer, widths)] }
        return lines
    }

    private func widths(page: Int) -> [Int] {
        var widths = columns.map(\.title.count)
        for row in rows + (footer.map { [$0] } ?? []) {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - page
        for index in columns.indices where excess > 0 {
            guard let least = columns[index].shrinksTo else { continue }
            let cut = min(excess, max(widths[index] - least, 0))
            widths[index] -= cut
            excess -= cut
        }
        return widths
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let width = widths[index]
            let fitting = cell.count <= width ? cell : cell.prefix(max(width - 1, 0)) + "…"
            let blanks = String(repeating: " ", count: max(width - fitting.count, 0))
            text += index == 0 ? "" : "  "
            text += columns[index].side == .left ? fitting + blanks : blanks + fitting
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
