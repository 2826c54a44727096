import Telemetry
import Testing

@Suite struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let valid = "00-\(trace)-00f067aa0ba902b7-01"

    // The standard's own example is read and written back.
    @Test func example() throws {
        let context = try #require(TraceContext(header: Self.valid))
        #expect(context.traceText == Self.trace)
        #expect(context.spanText == "00f067aa0ba902b7")
        #expect(context.isSampled)
        #expect(context.header == Self.valid)
    }

    // What is not exactly of the form is as good as no header.
    @Test(arguments: [
        "", "00", "00-\(trace)-00f067aa0ba902b7", "00-\(trace)-00f067aa0ba902b7-1",
        "00-\(trace)-00f067aa0ba902b7-01-", "00-\(trace)-00f067aa0ba902b7-01-extra",
        "00-\(trace)-00f067aa0ba902b7-0g", "ff-\(trace)-00f067aa0ba902b7-01",
        "0x-\(trace)-00f067aa0ba902b7-01", "00-\(trace.uppercased())-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-\(trace)-0000000000000000-01", "00_\(trace)_00f067aa0ba902b7_01",
        " 00-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-01 ",
        "01-\(trace)-00f067aa0ba902b7-01x", "00-\(trace)-00f067aa0ba902b7-é",
        "00-\(trace)-00f067aa0ba902b7-01, 00-\(trace)-00f067aa0ba902b7-01",
    ])
    func invalid(header: String) {
        #expect(TraceContext(header: header) == nil)
    }

    // A later version is read as far as this one goes, with or without more behind it, and flags
    // that are not known are dropped.
    @Test(arguments: ["", "-", "-what-the-future-brings"])
    func laterVersion(more: String) throws {
        let context = try #require(
            TraceContext(header: "cc-\(Self.trace)-00f067aa0ba902b7-fe" + more))
        #expect(context.header == "00-\(Self.trace)-00f067aa0ba902b7-00")
    }

    // A span continues the caller's trace under an id of its own, and keeps the flag.
    @Test func continuing() {
        let span = TraceIDs(seed: 1).span(continuing: Self.valid)
        #expect(span.traceText == Self.trace)
        #expect(span.spanText != "00f067aa0ba902b7")
        #expect(span.isSampled)
    }

    // Without a valid header a new trace begins, unsampled; ids do not repeat and are never zero.
    @Test func beginning() {
        let ids = TraceIDs(seed: 0)
        var seen: Set<String> = []
        for header in [nil, "nonsense"] + [String?](repeating: nil, count: 1_000) {
            let span = ids.span(continuing: header)
            #expect(!span.isSampled)
            #expect(TraceContext(header: span.header) == span)
            #expect(seen.insert(span.traceText).inserted && seen.insert(span.spanText).inserted)
        }
    }
}
