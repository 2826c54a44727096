// Reads an answer that comes in one piece: a success, or an error in any of these forms.
//
//   {"error": {"type", "code", "message"}}                      OpenAI
//   {"type": "error", "error": {"type", "message"}}             Anthropic
//   {"error": "text"}                                           Ollama
//   {"object": "error", "type", "code", "message"}              vLLM, until 2025
//   anything at all with a status from 400 on                   proxies

import CanonicalJSON

package enum BodyMeter {
    /// - Parameters:
    ///   - status: of HTTP; from 400 on the body is an error, whatever it says.
    ///   - text: is lent every piece of output, unescaped, for counting tokens.
    package static func read(
        _ body: UnsafeRawBufferPointer, status: Int, dialect: CallDialect,
        settings: MeterSettings = MeterSettings(), text: TextSink
    ) -> CallReading {
        var seen = MeterState(dialect, settings)
        if status >= 400 {
            seen.error = (try? readError(body)) ?? ProviderError()
            return seen.reading()
        }
        do {
            try seen.readBody(body, text)
            seen.isFinished = true
            seen.isUsageFinal = seen.usage != nil
            // Whatever the answer was, there is no more of it, and it is the client's.
            if seen.error == nil { seen.hasFirstToken = true }
        } catch {
            // Cut short, or no JSON: what could be read of it was counted.
            seen.isFinished = false
            seen.isUsageFinal = false
        }
        return seen.reading()
    }

    private static func readError(
        _ body: UnsafeRawBufferPointer
    ) throws(JSONError) -> ProviderError? {
        var reader = JSONReader(body, strings: .lenient)
        var outer = ProviderError()
        var inner: ProviderError?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "error") {
                inner = try MeterState.readError(&reader)
            } else if reader.is(name, "type") {
                outer.type = try reader.readShortText()
            } else if reader.is(name, "code") {
                outer.code = try MeterState.readCode(&reader)
            } else {
                try reader.skipValue()
            }
        }
        return inner ?? outer
    }
}

extension MeterState {
    fileprivate mutating func readBody(
        _ body: UnsafeRawBufferPointer, _ sink: TextSink
    ) throws(JSONError) {
        var reader = JSONReader(body, strings: .lenient)
        switch dialect {
        case .openAIChat, .openAIEmbeddings:
            _ = try readChat(&reader, sink)
            return
        case .openAIResponses: try readResponse(&reader, isBody: true, sink)
        case .anthropicMessages: try readMessage(&reader, sink)
        }
        try reader.finish()
    }
}
