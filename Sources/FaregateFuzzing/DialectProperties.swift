import Billing
import CanonicalJSON
import Dialects

/// The same bytes as a stream, as a body, as a request and as machine fields, in every dialect.
enum DialectProperties {
    static func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        try checkSplitting(bytes)
        var isReported = false
        for dialect in CallDialect.allCases {
            isReported = try checkStream(bytes, dialect) || isReported
            isReported = try checkBody(bytes, dialect) || isReported
        }
        try checkRefusal(bytes)
        try checkRoute(bytes)
        return try checkRequest(bytes) || isReported
    }

    // MARK: Streams

    /// Cuts the bytes into pieces that depend on them.
    private static func chunks(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var chunks: [ArraySlice<UInt8>] = []
        var state = UInt64(bytes.count) &+ 1
        var rest = bytes[...]
        while !rest.isEmpty {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let size = 1 + Int(state >> 60)
            chunks.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return chunks
    }

    private static func checkSplitting(_ bytes: [UInt8]) throws(Violation) {
        func split(_ chunks: [ArraySlice<UInt8>]) -> [[UInt8]]? {
            var splitter = ServerSentEventSplitter(maxEventBytes: bytes.count)
            var events: [[UInt8]] = []
            do throws(StreamFault) {
                for chunk in chunks {
                    try chunk.withUnsafeBufferPointer { (buffer) throws(StreamFault) in
                        try splitter.receive(UnsafeRawBufferPointer(buffer)) { event in
                            events.append(Array(event.raw))
                            events.append(Array(event.name))
                            events.append(event.data.map { [1] + Array($0) } ?? [0])
                        }
                    }
                }
            } catch {
                return nil
            }
            splitter.end { event in
                events.append(Array(event.raw))
                events.append(Array(event.name))
                events.append(event.data.map { [1] + Array($0) } ?? [0])
            }
            return events
        }
        guard let whole = split([bytes[...]]), let cut = split(chunks(of: bytes)) else {
            throw Violation("a stream within the limit is split")
        }
        try hold(whole == cut, "chunks do not change the events")
        let raw = stride(from: 0, to: whole.count, by: 3).flatMap { whole[$0] }
        try hold(raw == bytes, "the events put together are the stream")
    }

    private struct Metered: Equatable {
        var relayed: [UInt8] = []
        var text: [UInt8] = []
        var reading: CallReading

        init(_ chunks: [ArraySlice<UInt8>], _ dialect: CallDialect, dropping: Bool) {
            let settings = MeterSettings(dropsUsageChunk: dropping, maxEventBytes: .max)
            var meter = StreamMeter(dialect, settings: settings)
            var relayed: [UInt8] = []
            var text: [UInt8] = []
            for chunk in chunks {
                chunk.withUnsafeBytes { buffer in
                    try? meter.receive(buffer, relayTo: &relayed) { text += Array($1) }
                }
            }
            meter.end(relayTo: &relayed) { text += Array($1) }
            self.relayed = relayed
            self.text = text
            reading = meter.reading
        }
    }

    /// - Returns: whether usage was found.
    private static func checkStream(
        _ bytes: [UInt8], _ dialect: CallDialect
    ) throws(Violation) -> Bool {
        let whole = Metered([bytes[...]], dialect, dropping: false)
        try hold(whole.relayed == bytes, "a stream is relayed byte for byte")
        let cut = Metered(chunks(of: bytes), dialect, dropping: false)
        try hold(whole == cut, "chunks do not change what is read")
        let dropped = Metered([bytes[...]], dialect, dropping: true)
        try hold(dropped.reading == whole.reading, "what is dropped is read")
        try hold(dropped.text == whole.text, "what is dropped has no output")
        try hold(dropped.relayed.count <= bytes.count, "dropping adds nothing")
        try checkReading(whole.reading, whole.text)
        return whole.reading.report != nil
    }

    // MARK: Bodies

    private static func checkBody(
        _ bytes: [UInt8], _ dialect: CallDialect
    ) throws(Violation) -> Bool {
        var text: [UInt8] = []
        let reading = bytes.withUnsafeBytes { buffer in
            BodyMeter.read(buffer, status: 200, dialect: dialect) { text += Array($1) }
        }
        try checkReading(reading, text)
        if case .object? = try? StrictJSON.parse(bytes) {
            try hold(reading.outcome != .cut, "a whole object is no answer cut short")
        }
        let error = bytes.withUnsafeBytes { buffer in
            BodyMeter.read(buffer, status: 500, dialect: dialect) { _, _ in }
        }
        guard case .providerError = error.outcome else {
            throw Violation("a status of 500 is an error")
        }
        return reading.report != nil
    }

    private static func checkReading(
        _ reading: CallReading, _ text: [UInt8]
    ) throws(Violation) {
        try hold(reading.output.bytes == Int64(text.count), "all output is lent and counted")
        for size in [reading.output.visible, reading.output.toolCalls, reading.output.reasoning] {
            try hold(size.characters <= size.bytes, "a character has at least a byte")
            try hold(size.pieces <= size.bytes, "a piece has at least a byte")
        }
        try hold(text.isEmpty || reading.hasFirstToken, "output is a first token")
        try hold(!reading.isUsageFinal || reading.report != nil, "final usage is reported")
        try hold(
            (reading.outcome == .completeWithUsage) <= reading.isUsageFinal,
            "complete usage is final")
        guard let usage = reading.report?.usage else { return }
        let counts = [
            usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens,
            usage.cacheWrite1hTokens, usage.cacheWrite12hTokens, usage.inputAudioTokens,
            usage.inputImageTokens, usage.outputTokens, usage.reasoningTokens,
            usage.outputAudioTokens, usage.outputImageTokens, usage.webSearches,
        ]
        for case let count? in counts {
            try hold((0...1 << 40).contains(count), "counts are what ratings take, not \(count)")
        }
        for name in [usage.servedModel, usage.servedTier, reading.finishReason] {
            try hold(name?.utf8.count ?? 1 > 0, "a name is not empty")
        }
    }

    // MARK: Requests

    private static func checkRequest(_ bytes: [UInt8]) throws(Violation) -> Bool {
        var isAccepted = false
        for dialect in CallDialect.allCases {
            let changes = RequestChanges(
                outputCap: 100, asksForStreamUsage: true, removedMembers: ["user", "logprobs"])
            let changed: RewrittenRequest
            do throws(RequestRewriteError) {
                changed = try RequestRewrite.apply(changes, to: bytes, dialect: dialect)
            } catch {
                continue
            }
            isAccepted = true
            try hold(changed.edits.isEmpty == (changed.bytes == bytes), "edits are what changed")
            guard
                let again = try? RequestRewrite.apply(changes, to: changed.bytes, dialect: dialect)
            else { throw Violation("a changed request is accepted") }
            try hold(again.edits.isEmpty, "what was changed needs no change")
            let old = try? StrictJSON.parse(bytes)
            let new = try? StrictJSON.parse(changed.bytes)
            // A member more may be one above the limits.
            guard case .object(let before)? = old, case .object(let after)? = new else { continue }
            let names = Set(changed.edits.map { $0.path.prefix { $0 != "." } }.map(String.init))
            for (name, value) in before.members where !names.contains(name) {
                try hold(after[name] == value, "other members stay: \(name)")
            }
            for name in ["user", "logprobs"] { try hold(after[name] == nil, "removed: \(name)") }
        }
        return isAccepted
    }

    private static func checkRefusal(_ bytes: [UInt8]) throws(Violation) {
        let refusal = RefusalBody(
            status: 402, code: "c", message: String(decoding: bytes.prefix(200), as: UTF8.self),
            fields: bytes)
        for family in ProviderFamily.allCases {
            let body = refusal.body(for: family)
            let isWhole = JSONReader.reading(body) { reader in
                (try? reader.skipValue()) != nil && (try? reader.finish()) != nil
            }
            try hold(isWhole, "a refusal is one JSON value")
            try hold(!body.contains(0x0A) && !body.contains(0x0D), "a refusal is one line")
        }
    }

    private static func checkRoute(_ bytes: [UInt8]) throws(Violation) {
        let path = String(decoding: bytes.prefix(2_000), as: UTF8.self)
        let odd: Set<UInt8> = [0x25, 0x5C, 0x3F, 0x23, 0x20, 0x0A, 0x0D, 0]
        for family in ProviderFamily.allCases {
            let route = GatewayRoute.classify(method: "POST", path: path, family: family)
            if case .closed = route.kind { continue }
            try hold(!path.utf8.contains { odd.contains($0) }, "an open route is plainly written")
        }
    }
}

/// Implication.
private func <= (a: Bool, b: Bool) -> Bool { !a || b }
