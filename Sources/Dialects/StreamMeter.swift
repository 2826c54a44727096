// Reads a stream while it is relayed.
//
// What the client gets is what the upstream sent, byte for byte, with one exception: where we asked
// for usage and the client did not, the chunk that carries it alone (`choices` is an empty list and
// `usage` an object) is left out. A chunk with a choice in it is always relayed, because some
// servers put usage on the chunks that carry the text. An event that cannot be read is relayed,
// and its data counted as output: the client has got it, and it may have been just that.

import CanonicalJSON

/// Why a stream cannot be relayed any further.
package enum StreamFault: Error, Sendable, Hashable {
    /// One event is larger than `MeterSettings.maxEventBytes`.
    case eventTooLarge(limit: Int)
}

/// Where an upstream's stream stands.
package enum StreamState: Sendable, Hashable {
    /// Nothing but headers, keep-alives and empty openings has come. Next: `flowing`, `finished`,
    /// `failed`; an end here is an end before the first token.
    case waiting
    /// Output has passed. Next: `finished`, `failed`; an end here is a cut.
    case flowing
    /// The provider said that this is all (`[DONE]`, `message_stop`, `response.completed` …). What
    /// still comes is relayed. Next: `failed`.
    case finished
    /// The provider sent an error. What still comes is relayed. Next: none.
    case failed
}

/// Feed it what the upstream sends, and send on what it gives back.
package struct StreamMeter: Sendable {
    private var splitter: ServerSentEventSplitter
    private var seen: MeterState
    /// Events with data that was no readable JSON.
    package private(set) var unreadableEvents = 0

    package init(_ dialect: CallDialect, settings: MeterSettings = MeterSettings()) {
        splitter = ServerSentEventSplitter(maxEventBytes: settings.maxEventBytes)
        seen = MeterState(dialect, settings)
    }

    package var state: StreamState {
        if seen.error != nil { return .failed }
        if seen.isFinished { return .finished }
        return seen.hasFirstToken ? .flowing : .waiting
    }

    /// What is known so far; whole after `end`.
    package var reading: CallReading { seen.reading() }

    /// - Parameters:
    ///   - output: what is to be sent to the client is appended: whole events. The rest of `bytes`,
    ///     up to the end of an event, is kept.
    ///   - text: is lent every piece of output, unescaped, for counting tokens.
    /// - Throws: the stream cannot go on; `reading` still says what has passed.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer, relayTo output: inout [UInt8], text: TextSink
    ) throws(StreamFault) {
        var splitter = ServerSentEventSplitter(maxEventBytes: 0)
        swap(&splitter, &self.splitter)
        defer { swap(&splitter, &self.splitter) }
        try splitter.receive(bytes) { event in
            if observe(event, text) { output.append(contentsOf: event.raw) }
        }
    }

    /// The upstream has ended, or broke off: what was kept is read and given back.
    ///
    /// - Parameter dropsPart: part of an event is not given back. An event of our own that follows
    ///   would be taken for the rest of it.
    package mutating func end(
        relayTo output: inout [UInt8], dropsPart: Bool = false, text: TextSink
    ) {
        var splitter = ServerSentEventSplitter(maxEventBytes: 0)
        swap(&splitter, &self.splitter)
        defer { swap(&splitter, &self.splitter) }
        splitter.end { event in
            let isDropped = !event.isTerminated && dropsPart
            if observe(event, text) && !isDropped { output.append(contentsOf: event.raw) }
        }
    }

    /// - Returns: whether the client gets the event.
    private mutating func observe(_ event: ServerSentEvent, _ text: TextSink) -> Bool {
        guard let data = event.data, !data.isEmpty else { return true }
        if isDone(data) {
            seen.isFinished = true
            seen.isUsageFinal = seen.usage != nil
            return true
        }
        do {
            switch seen.dialect {
            case .openAIChat, .openAIEmbeddings:
                var reader = JSONReader(data, strings: .lenient)
                let chunk = try seen.readChat(&reader, text)
                return !(chunk.isUsageOnly && seen.settings.dropsUsageChunk)
            case .openAIResponses: try seen.readResponsesEvent(data, text)
            case .anthropicMessages: try seen.readMessagesEvent(data, text)
            }
        } catch {
            // What the stream broke off in the middle of is nothing to its readers.
            guard event.isTerminated else { return true }
            unreadableEvents += 1
            seen.count(data, .visible, text)
        }
        return true
    }

    /// OpenAI's last event, which is no JSON.
    private func isDone(_ data: UnsafeRawBufferPointer) -> Bool {
        guard data.count >= 6, data.count < 16, data[0] == UInt8(ascii: "[") else { return false }
        return String(decoding: data, as: UTF8.self).hasPrefix("[DONE]")
    }
}
