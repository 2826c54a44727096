import Testing

@testable import faregate

@Suite struct TableTests {
    // Text stands left, numbers right, and amounts under their decimal points.
    @Test func alignment() {
        var table = Table([.text("Name"), .number("Count"), .money("Amount"), .text("Note")])
        table.add(["a", "1", "12.5", "x"])
        table.add(["longer", "1,000", "0.004175", ""])
        table.add(["c", "22", "3"])
        #expect(
            table.text() == """
                NAME    COUNT     AMOUNT  NOTE
                a           1  12.5       x
                longer  1,000   0.004175
                c          22   3
                """)
    }

    // Negative amounts and a title wider than the cells keep the points in line.
    @Test func wideTitlesAndNegativeAmounts() {
        var table = Table([.money("Available"), .text("Z")])
        table.add(["-2.5", "a"])
        table.add(["10", "b"])
        #expect(
            table.text() == """
                AVAILABLE  Z
                     -2.5  a
                     10    b
                """)
    }

    // No rows: a sentence, not a header over nothing.
    @Test func emptyTable() {
        #expect(Table([.text("A")]).text(whenEmpty: "No events.") == "No events.")
    }

    // A line break or an escape sequence in somebody's id does not reach the terminal.
    @Test func controlCharactersAreShown() {
        var table = Table([.text("Id")])
        table.add(["a\u{1B}[31mred\nb"])
        #expect(table.text() == "ID\na\u{FFFD}[31mred\u{FFFD}b")
        var sheet = FactSheet()
        sheet.add("Name", "x\ty")
        #expect(sheet.text == "Name:  x\u{FFFD}y")
    }

    // Facts without a value are left out; the values stand under one another.
    @Test func factSheet() {
        var sheet = FactSheet()
        sheet.add("Plan", "pro")
        sheet.add("Reason", nil)
        sheet.add("Billing day", "1")
        #expect(sheet.text == "Plan:         pro\nBilling day:  1")
    }

    // Digits in groups of three, signs included.
    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"),
    ])
    func grouping(number: Int, text: String) {
        #expect(grouped(number) == text)
    }

    // The bar says how far it is, in cells, per cent and counts.
    @Test func progressLine() {
        #expect(
            ProgressBar.line("Verifying", 512, of: 1_024)
                == "Verifying  [##########..........]   50%  512 of 1,024")
        #expect(ProgressBar.line("V", 0, of: 3) == "V  [....................]    0%  0 of 3")
    }

    // Progress is for a terminal: nothing is written where there is none.
    @Test func noBarWithoutTerminal() async {
        let silent = Console(
            writeOut: { _ in }, writeError: { _ in Issue.record("wrote") }, isErrorTerminal: false,
            isOutTerminal: false, width: 80, environment: [:])
        let bar = ProgressBar("V", console: silent)
        bar.update(1, of: 2)
        bar.finish()
    }

    // A share in per cent is kept exactly, in parts per million.
    @Test(arguments: [("20", 200_000), ("12.5%", 125_000), ("0.0001%", 1), ("-5", -50_000)])
    func percentages(text: String, partsPerMillion: Int64) {
        #expect(Percentage(argument: text)?.partsPerMillion == partsPerMillion)
    }

    @Test(arguments: ["", "%", "1.00001", "a", "1e3"])
    func malformedPercentages(text: String) {
        #expect(Percentage(argument: text) == nil)
    }
}
