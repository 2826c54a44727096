import Telemetry
import Testing

@Suite struct PrometheusTextTests {
    private func text(
        _ format: PrometheusText.Format = .prometheus, _ body: (inout PrometheusText) -> Void
    ) -> String {
        var text = PrometheusText(format)
        body(&text)
        return String(decoding: text.finished(), as: UTF8.self)
    }

    // A family is its help, its type and its samples, in the form of the specification.
    @Test func family() {
        let text = text {
            $0.family("a_total", .counter, "Things.")
            $0.sample(3, .one, [("kind", "x"), ("why", "")])
            $0.sample(-4)
        }
        #expect(
            text == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total{kind="x",why=""} 3
                a_total -4

                """)
    }

    // Backslash, quote and line break are escaped as each place wants it; all else is UTF-8.
    @Test func escaping() {
        let text = text {
            $0.family("g", .gauge, "a\\b\"c\nd")
            $0.sample(1, .one, [("l", "a\\b\"c\nd é")])
        }
        #expect(
            text == #"""
                # HELP g a\\b"c\nd
                # TYPE g gauge
                g{l="a\\b\"c\nd é"} 1

                """#)
    }

    // A histogram's buckets are cumulative and end in +Inf; nanoseconds come out as seconds.
    @Test func histogram() {
        let table = HistogramTable(bounds: [500_000, 1_000_000_000])
        table.record(400_000)
        table.record(1_500_000_000)
        let text = text {
            $0.family("h", .histogram, "H.")
            $0.histogram(table.reading(), .nano, [("p", "q")])
        }
        #expect(
            text == """
                # HELP h H.
                # TYPE h histogram
                h_bucket{p="q",le="0.0005"} 1
                h_bucket{p="q",le="1.0"} 1
                h_bucket{p="q",le="+Inf"} 2
                h_sum{p="q"} 1.5004
                h_count{p="q"} 2

                """)
    }

    // OpenMetrics names a counter's family without its suffix, its samples with it, and has an end.
    @Test func openMetrics() {
        let text = text(.openMetrics) { $0.single("a_total", .counter, "A.", 1) }
        #expect(
            text == """
                # HELP a A.
                # TYPE a counter
                a_total 1
                # EOF

                """)
    }

    // Decimal text is exact at both ends of the range.
    @Test(arguments: [
        (Int64(0), "0"), (1, "0.000000001"), (-1_500, "-0.0000015"), (2_000_000_000, "2"),
        (Int64.max, "9223372036.854775807"), (Int64.min, "-9223372036.854775808"),
    ])
    func decimalText(value: Int64, text: String) {
        #expect(PrometheusText.text(value, .nano) == text)
    }

    // OpenMetrics only where it is asked for.
    @Test(arguments: [
        (nil, false), ("", false), ("*/*", false), ("text/plain;version=0.0.4", false),
        ("application/openmetrics-text", true),
        ("application/openmetrics-text;version=1.0.0;q=0.5, text/plain;q=0.4", true),
        ("text/html, Application/OpenMetrics-Text ; version=1.0.0", true),
    ])
    func negotiation(accept: String?, isOpenMetrics: Bool) {
        let format = PrometheusText.Format(accept: accept)
        #expect(format.contentType.hasPrefix("application/openmetrics-text") == isOpenMetrics)
    }
}
