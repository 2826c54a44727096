// Tables for people: columns as wide as their widest cell, two spaces between them, a header in
// capitals, no rules. Numbers stand at the right edge of their column and amounts under their
// decimal point, so that sizes can be compared at a glance.

struct Table {
    enum Alignment {
        case left, right
        /// Amounts: the points stand under each other.
        case point
    }

    struct Column {
        var title: String
        var alignment: Alignment

        static func text(_ title: String) -> Column { Column(title: title, alignment: .left) }
        static func number(_ title: String) -> Column { Column(title: title, alignment: .right) }
        static func money(_ title: String) -> Column { Column(title: title, alignment: .point) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    var isEmpty: Bool { rows.isEmpty }

    /// Missing cells at the end stay empty.
    mutating func add(_ cells: [String]) {
        precondition(cells.count <= columns.count, "a row has no more cells than the table columns")
        let padding = Array(repeating: "", count: columns.count - cells.count)
        rows.append((cells + padding).map(Self.printable))
    }

    /// The lines without a trailing line break; `whenEmpty` instead of a header with nothing under
    /// it.
    func text(whenEmpty: String = "(none)") -> String {
        if rows.isEmpty { return whenEmpty }
        var cells = columns.indices.map { index in aligned(rows.map { $0[index] }, columns[index]) }
        for index in columns.indices {
            let title = columns[index].title.uppercased()
            let width = max(title.count, cells[index].map(\.count).max() ?? 0)
            let isLeft = columns[index].alignment == .left
            cells[index] = ([title] + cells[index]).map {
                isLeft ? $0 + blanks(width - $0.count) : blanks(width - $0.count) + $0
            }
        }
        return (0...rows.count).map { row in
            trimmed(cells.map { $0[row] }.joined(separator: "  "))
        }.joined(separator: "\n")
    }

    /// Cells of one column, padded behind the decimal point where amounts meet.
    private func aligned(_ cells: [String], _ column: Column) -> [String] {
        guard column.alignment == .point else { return cells }
        let places = cells.map(Self.placesWithPoint).max() ?? 0
        return cells.map { cell in
            cell.isEmpty ? cell : cell + blanks(places - Self.placesWithPoint(cell))
        }
    }

    /// Characters from the decimal point to the end; zero when there is none.
    private static func placesWithPoint(_ cell: String) -> Int {
        guard let point = cell.lastIndex(of: ".") else { return 0 }
        return cell.distance(from: point, to: cell.endIndex)
    }

    /// Names come from callers: a line break or an escape sequence in one must not reach a
    /// terminal.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
                }))
    }

    private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}

/// Facts about one thing, a line each: the name, a colon, and the values under one another.
struct FactSheet {
    private var facts: [(name: String, value: String)] = []

    /// Does nothing without a value.
    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        facts.append((name, Table.printable(value)))
    }

    var text: String {
        let width = facts.map(\.name.count).max() ?? 0
        return facts.map { fact in
            fact.name + ":" + String(repeating: " ", count: width - fact.name.count + 2)
                + fact.value
        }.joined(separator: "\n")
    }
}
