// The log: one JSON object a line, members in alphabetical order,
//
//   {"error":"…","label":"faregate","level":"warning","message":"…","metadata":{"port":"8080"},
//    "time":"2026-11-22T14:45:19.123456Z"}
//
// without the line break. `error` and `metadata` are absent when there is nothing to say; metadata
// is nested as it was given, its scalars are strings. What looks like a secret is masked
// (Redaction.swift).

import CanonicalJSON
import Glibc
package import Logging
import TimeZones

/// A handler for swift-log. To be injected: nothing here touches `LoggingSystem`.
package struct JSONLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput
    private let now: @Sendable () -> Int64

    /// - Parameter now: microseconds since 1970 UTC, for the time of each line.
    package init(
        label: String, level: Logger.Level = .info, output: LogOutput = .standardError,
        now: @escaping @Sendable () -> Int64 = JSONLogHandler.systemMicroseconds
    ) {
        self.label = label
        logLevel = level
        self.output = output
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        var line: [UInt8] = []
        line.reserveCapacity(256)
        JSONWriter.append(to: &line) { writer in
            writer.beginObject()
            if let error = event.error {
                writer.key("error")
                writer.string(Redaction.text("\(error)"))
            }
            writer.key("label")
            writer.string(label)
            writer.key("level")
            writer.string(event.level.rawValue)
            writer.key("message")
            writer.string(Redaction.text(event.message.description))
            if !all.isEmpty {
                writer.key("metadata")
                Self.write(all, to: &writer)
            }
            writer.key("time")
            writer.string(RFC3339.text(microseconds: now()))
            writer.endObject()
        }
        line.append(UInt8(ascii: "\n"))
        output.write(line)
    }

    private static func write(_ metadata: Logger.Metadata, to writer: inout JSONWriter) {
        writer.beginObject()
        // In the order of UTF-16 code units, as the writer wants its members.
        let names = metadata.keys.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
        for name in names {
            writer.key(dynamic: name)
            if Redaction.isSecret(name: name) {
                writer.string(redactionMark)
            } else if let value = metadata[name] {
                write(value, to: &writer)
            }
        }
        writer.endObject()
    }

    private static func write(_ value: Logger.Metadata.Value, to writer: inout JSONWriter) {
        switch value {
        case .string(let text): writer.string(Redaction.text(text))
        case .stringConvertible(let value): writer.string(Redaction.text(value.description))
        case .dictionary(let members): write(members, to: &writer)
        case .array(let elements):
            writer.beginArray()
            for element in elements { write(element, to: &writer) }
            writer.endArray()
        }
    }

    /// The machine's clock: microseconds since 1970 UTC.
    @Sendable
    package static func systemMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

extension Logger {
    /// A logger that writes JSON lines.
    package init(
        jsonLabel label: String, level: Logger.Level, output: LogOutput = .standardError
    ) {
        self.init(label: label) { label in
            JSONLogHandler(label: label, level: level, output: output)
        }
    }
}
