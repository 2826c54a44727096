// The text that Prometheus reads, exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/):
//
//   # HELP faregate_events_appended_total Events made durable.
//   # TYPE faregate_events_appended_total counter
//   faregate_events_appended_total{type="usage.reserved"} 1027
//
// and OpenMetrics 1.0, which names a counter's family without `_total` and ends with `# EOF`.
//
// Values are written from integers as decimal text, seconds from nanoseconds and money from nano
// units: the reader makes floating point of them, not we.

package struct PrometheusText: Sendable {
    package enum Format: Sendable {
        case prometheus
        case openMetrics

        package var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// OpenMetrics where an Accept header names it, else Prometheus.
        package init(accept: String?) {
            let isOpenMetrics = (accept ?? "").split(separator: ",").contains { range in
                range.split(separator: ";").first.map {
                    $0.filter { $0 != " " }.lowercased() == "application/openmetrics-text"
                } ?? false
            }
            self = isOpenMetrics ? .openMetrics : .prometheus
        }
    }

    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// What the integers of a sample count.
    package enum Unit: Sendable {
        case one
        /// Nanoseconds, written as seconds; nano units of money, written as major ones.
        case nano
    }

    package typealias Labels = [(name: StaticString, value: String)]

    package let format: Format
    private var bytes: [UInt8] = []
    private var name = ""

    package init(_ format: Format = .prometheus) {
        self.format = format
        bytes.reserveCapacity(32_768)
    }

    /// Begins a family; its samples follow.
    ///
    /// - Parameter name: a counter's ends in `_total`.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        precondition(
            (kind == .counter) == name.hasSuffix("_total"), "counters and only they end in _total")
        self.name = name
        let shown =
            format == .openMetrics && kind == .counter ? String(name.dropLast(6)) : name
        append("# HELP \(shown) ")
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
        append("\n# TYPE \(shown) \(kind.rawValue)\n")
    }

    /// One sample of the family begun last.
    package mutating func sample(_ value: Int64, _ unit: Unit = .one, _ labels: Labels = []) {
        line("", labels, nil, value, unit)
    }

    /// A family with one sample.
    package mutating func single(
        _ name: String, _ kind: Kind, _ help: String, _ value: Int64, _ unit: Unit = .one
    ) {
        family(name, kind, help)
        sample(value, unit)
    }

    /// A histogram's samples: its buckets, its sum and its count.
    package mutating func histogram(
        _ reading: HistogramReading, _ unit: Unit = .one, _ labels: Labels = []
    ) {
        for (bound, count) in zip(reading.bounds, reading.cumulative) {
            var text = Self.text(bound, unit)
            // The canonical form of OpenMetrics; Prometheus takes both.
            if !text.utf8.contains(UInt8(ascii: ".")) { text += ".0" }
            line("_bucket", labels, text, count, .one)
        }
        line("_bucket", labels, "+Inf", reading.count, .one)
        line("_sum", labels, nil, reading.sum, unit)
        line("_count", labels, nil, reading.count, .one)
    }

    /// All of it.
    package consuming func finished() -> [UInt8] {
        if format == .openMetrics { append("# EOF\n") }
        return bytes
    }

    private mutating func line(
        _ suffix: String, _ labels: Labels, _ bound: String?, _ value: Int64, _ unit: Unit
    ) {
        append(name)
        append(suffix)
        if !labels.isEmpty || bound != nil {
            var separator = "{"
            for label in labels {
                append("\(separator)\(label.name)=\"")
                appendEscaped(label.value)
                append("\"")
                separator = ","
            }
            if let bound { append("\(separator)le=\"\(bound)\"") }
            append("}")
        }
        append(" ")
        append(Self.text(value, unit))
        append("\n")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendEscaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
    }

    /// Decimal text, exact: `-0.0000015` for -1,500 nanos.
    package static func text(_ value: Int64, _ unit: Unit) -> String {
        guard unit == .nano else { return String(value) }
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text = (value < 0 ? "-" : "") + String(whole)
        guard rest > 0 else { return text }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while digits.last == "0" { digits.removeLast() }
        text += "." + digits
        return text
    }
}
