// Traces of LLM traffic, in the CSV form of the Azure Public Dataset:
//
//   TIMESTAMP,ContextTokens,GeneratedTokens
//   2023-11-16 18:15:46.6805900,374,44
//
// TIMESTAMP        arrival: `YYYY-MM-DD hh:mm:ss`, then a fraction of 1 to 9 digits or none, then
//                  an offset `+00:00` or none, which is UTC. Never earlier than the line before.
// ContextTokens    prompt tokens, 0 to 10,000,000
// GeneratedTokens  output tokens, 0 to 10,000,000
//
// Lines end in LF or CRLF, the last one may lack it, and none is longer than 256 bytes. There are
// no quotes, no blanks, no empty lines and no byte order mark. Anything else is an error that names
// line and column: a trace that is understood differently than it was meant would be a measurement
// of something else.

/// One request of a trace.
struct TraceRow: Sendable, Equatable {
    /// In the file, from 1; the first request is on line 2.
    var line: Int
    /// Microseconds since 1970.
    var arrival: Int64
    var contextTokens: Int64
    var generatedTokens: Int64
}

/// Why a trace cannot be read.
package struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1; nil when the file as a whole is at fault.
    package var line: Int?
    /// Name of the column; nil when the line as a whole is at fault.
    package var column: String?
    /// What is wrong, as the rest of a sentence. Nothing of the file's content is in it.
    package var message: String

    package init(line: Int? = nil, column: String? = nil, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String {
        guard let line else { return "the trace \(message)" }
        return "trace line \(line)" + (column.map { ", column \($0)," } ?? "") + " \(message)"
    }
}

/// Reads a trace row by row, in memory that does not grow with it.
struct TraceReader {
    static let header = "TIMESTAMP,ContextTokens,GeneratedTokens"
    static let longestLine = 256

    private let source: TraceSource
    private var chunk: [UInt8]
    private var unread = 0..<0
    private var text: [UInt8] = []
    private var line = 0
    private var latestArrival = Int64.min

    init(_ origin: TraceOrigin, chunkBytes: Int = 1 << 16) throws(TraceError) {
        source = try origin.open()
        chunk = [UInt8](repeating: 0, count: chunkBytes)
    }

    /// The next request; nil at the end.
    mutating func next() throws(TraceError) -> TraceRow? {
        if line == 0 {
            guard try nextLine(), text.elementsEqual(Self.header.utf8) else {
                throw TraceError(line: 1, message: "must be \"\(Self.header)\"")
            }
        }
        guard try nextLine() else { return nil }
        let fields = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count == 3 else {
            throw TraceError(line: line, message: "has \(fields.count) columns instead of 3")
        }
        let row = TraceRow(
            line: line, arrival: try arrival(fields[0]),
            contextTokens: try count(fields[1], column: "ContextTokens"),
            generatedTokens: try count(fields[2], column: "GeneratedTokens"))
        latestArrival = row.arrival
        return row
    }

    /// Puts the next line into `text`, without its end; false when there is none.
    private mutating func nextLine() throws(TraceError) -> Bool {
        text.removeAll(keepingCapacity: true)
        line += 1
        while true {
            if unread.isEmpty {
                unread = 0..<(try source.read(into: &chunk))
                if unread.isEmpty { break }
            }
            let end = chunk[unread].firstIndex(of: UInt8(ascii: "\n"))
            text += chunk[unread.lowerBound..<(end ?? unread.upperBound)]
            unread = (end.map { $0 + 1 } ?? unread.upperBound)..<unread.upperBound
            if text.count > Self.longestLine {
                throw TraceError(line: line, message: "is longer than \(Self.longestLine) bytes")
            }
            if end != nil {
                if text.last == UInt8(ascii: "\r") { text.removeLast() }
                return true
            }
        }
        return !text.isEmpty
    }

    private func count(_ field: ArraySlice<UInt8>, column: String) throws(TraceError) -> Int64 {
        let most: Int64 = 10_000_000
        var value: Int64 = 0
        for byte in field {
            let digit = Int64(byte) - 48
            guard (0...9).contains(digit) else { value = -1; break }
            value = min(value * 10 + digit, most + 1)
        }
        let isPadded = field.count > 1 && field.first == UInt8(ascii: "0")
        if field.isEmpty || value < 0 || isPadded {
            throw TraceError(
                line: line, column: column, message: "must be a whole number, digits only")
        }
        if value > most {
            throw TraceError(line: line, column: column, message: "must be at most 10,000,000")
        }
        return value
    }

    private func arrival(_ field: ArraySlice<UInt8>) throws(TraceError) -> Int64 {
        guard let arrival = TraceTime.microseconds(field) else {
            throw TraceError(
                line: line, column: "TIMESTAMP",
                message: "must be a time such as 2023-11-16 18:15:46.6805900")
        }
        if arrival < latestArrival {
            throw TraceError(
                line: line, column: "TIMESTAMP", message: "is earlier than the line before")
        }
        return arrival
    }
}

/// What a trace amounts to. Taking it reads the whole trace, so that a faulty one is refused before
/// anything is played.
struct TraceSurvey: Sendable, Equatable {
    var requests = 0
    var firstArrival: Int64 = 0
    var lastArrival: Int64 = 0

    /// - Throws: the first fault; also when there is no request at all.
    init(_ origin: TraceOrigin) throws(TraceError) {
        var reader = try TraceReader(origin)
        while let row = try reader.next() {
            if requests == 0 { firstArrival = row.arrival }
            lastArrival = row.arrival
            requests += 1
        }
        if requests == 0 { throw TraceError(message: "has no requests") }
    }

    /// From the first arrival to the last, in the trace's own time.
    var microseconds: Int64 { lastArrival - firstArrival }
}
