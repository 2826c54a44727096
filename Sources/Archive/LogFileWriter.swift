// Writes a log file, a chunk of bytes at a time; see LogFile.swift for the form.

import CanonicalJSON
package import EventLog
import TimeZones

package struct LogFileWriter {
    /// Bytes that are ready to go out.
    package private(set) var pending: [UInt8] = []

    private let header: LogFileHeader
    private var digest = RunningDigest()
    private var eventCount: UInt64 = 0

    package init(_ header: LogFileHeader) {
        self.header = header
        pending += LogFileLines.header(header)
    }

    /// - Parameter proof: in an excerpt, the path from the event's leaf to the root.
    package mutating func event(
        _ bytes: [UInt8], leaf: MerkleHash, proof: [MerkleHash]? = nil
    ) {
        append(bytes, leaf, proof: proof)
    }

    package mutating func checkpoint(_ checkpoint: StoredCheckpoint) {
        pending += LogFileLines.checkpoint(checkpoint)
    }

    /// Takes what is pending.
    package mutating func takePending() -> [UInt8] {
        digest.update(pending)
        defer { pending.removeAll(keepingCapacity: true) }
        return pending
    }

    /// The rest of the file, with its last line.
    package mutating func finish() -> [UInt8] {
        var rest = takePending()
        let end = LogFileEnd(
            eventCount: eventCount, head: header.end, digest: digest.finish())
        digest = RunningDigest()
        rest += LogFileLines.end(end)
        return rest
    }

    private mutating func append(_ bytes: [UInt8], _ leaf: MerkleHash, proof: [MerkleHash]?) {
        eventCount += 1
        pending += LogFileLines.eventStart
        pending += bytes
        pending += LogFileLines.leafStart
        pending += leaf.hex.utf8
        if let proof {
            pending += #"","proof":["#.utf8
            for (index, hash) in proof.enumerated() {
                if index > 0 { pending.append(UInt8(ascii: ",")) }
                pending += "\"\(hash.hex)\"".utf8
            }
            pending += "]}\n".utf8
        } else {
            pending += "\"}\n".utf8
        }
    }
}

enum LogFileLines {
    static let eventStart = Array(#"{"event":"#.utf8)
    static let leafStart = Array(#","leaf":""#.utf8)

    static func header(_ header: LogFileHeader) -> [UInt8] {
        var members: [(String, JSONValue)] = []
        if header.kind != .excerpt {
            let base = JSONObject([
                ("peaks", .array(header.base.peaks.map { .string($0.hex) })),
                ("root", .string(header.base.root.hex)),
                ("size", .integer(Int64(clamping: header.base.size))),
            ])
            members.append(("base", .object(base)))
        }
        members += [
            ("created", .string(RFC3339.text(microseconds: header.createdMicroseconds))),
            ("currency", .string(header.identity.currency)),
        ]
        if let filter = header.filter {
            var asked: [(String, JSONValue)] = []
            if let customer = filter.customer { asked.append(("customer", .string(customer))) }
            asked.append(("from", .integer(Int64(clamping: filter.from))))
            if let project = filter.project { asked.append(("project", .string(project))) }
            asked.append(("to", .integer(Int64(clamping: filter.to))))
            members.append(("filter", .object(JSONObject(asked))))
        }
        members += [
            ("format", .string(LogFileHeader.format)), ("kind", .string(header.kind.rawValue)),
            ("ledger_id", .string(header.identity.ledgerID)),
            ("root", .string(header.end.root.hex)),
            ("size", .integer(Int64(clamping: header.end.sequence))),
            ("test_clock", .bool(header.identity.isTestClock)),
            ("version", .integer(Int64(LogFileHeader.version))),
        ]
        return line(.object(JSONObject(members)))
    }

    static func checkpoint(_ checkpoint: StoredCheckpoint) -> [UInt8] {
        let fields = JSONObject([
            ("root", .string(checkpoint.head.root.hex)),
            ("size", .integer(Int64(clamping: checkpoint.head.sequence))),
            ("time", .string(RFC3339.text(microseconds: checkpoint.timeMicroseconds))),
        ])
        return line(.object(JSONObject([("checkpoint", .object(fields))])))
    }

    static func end(_ end: LogFileEnd) -> [UInt8] {
        let fields = JSONObject([
            ("events", .integer(Int64(clamping: end.eventCount))),
            ("root", .string(end.head.root.hex)), ("sha256", .string(end.digest.hex)),
            ("size", .integer(Int64(clamping: end.head.sequence))),
        ])
        return line(.object(JSONObject([("end", .object(fields))])))
    }

    private static func line(_ value: JSONValue) -> [UInt8] {
        // Nothing in it that canonical JSON refuses: texts of the ledger, integers, hashes.
        ((try? CanonicalJSON.encode(value)) ?? []) + [UInt8(ascii: "\n")]
    }
}
