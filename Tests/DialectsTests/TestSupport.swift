import Billing
import Dialects

/// Numbers that are the same in every run.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(bound, 1)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// A stream, metered.
struct MeteredStream {
    var meter: StreamMeter
    var relayed: [UInt8] = []
    /// What the sink was lent, by kind.
    var visible = ""
    var toolCalls = ""
    var reasoning = ""

    init(_ dialect: CallDialect, _ settings: MeterSettings = MeterSettings()) {
        meter = StreamMeter(dialect, settings: settings)
    }

    var reading: CallReading { meter.reading }
    var usage: ReportedUsage? { reading.report?.usage }

    mutating func receive(_ chunk: [UInt8]) throws(StreamFault) {
        var lent: [(OutputKind, [UInt8])] = []
        try chunk.withUnsafeBufferPointer { (buffer) throws(StreamFault) in
            try meter.receive(UnsafeRawBufferPointer(buffer), relayTo: &relayed) {
                lent.append(($0, Array($1)))
            }
        }
        keep(lent)
    }

    mutating func end(dropsPart: Bool = false) {
        var lent: [(OutputKind, [UInt8])] = []
        meter.end(relayTo: &relayed, dropsPart: dropsPart) { lent.append(($0, Array($1))) }
        keep(lent)
    }

    private mutating func keep(_ lent: [(OutputKind, [UInt8])]) {
        for (kind, piece) in lent {
            switch kind {
            case .visible: visible += text(piece)
            case .toolCall: toolCalls += text(piece)
            case .reasoning: reasoning += text(piece)
            }
        }
    }

    /// The whole stream in one piece.
    static func of(
        _ dialect: CallDialect, _ stream: String, _ settings: MeterSettings = MeterSettings()
    ) throws(StreamFault) -> MeteredStream {
        var metered = MeteredStream(dialect, settings)
        try metered.receive(bytes(stream))
        metered.end()
        return metered
    }
}

/// Data-only events, as OpenAI's servers write them.
func chatStream(_ chunks: String...) -> String {
    chunks.map { "data: \($0)\n\n" }.joined()
}

/// Events named by the type in their data.
func namedStream(_ events: (name: String, data: String)...) -> String {
    events.map { "event: \($0.name)\ndata: \($0.data)\n\n" }.joined()
}

/// A body, metered.
func meteredBody(
    _ dialect: CallDialect, _ body: String, status: Int = 200,
    _ settings: MeterSettings = MeterSettings()
) -> (reading: CallReading, text: String) {
    var seen: [UInt8] = []
    let reading = bytes(body).withUnsafeBytes { buffer in
        BodyMeter.read(buffer, status: status, dialect: dialect, settings: settings) {
            seen += Array($1)
        }
    }
    return (reading: reading, text: text(seen))
}
