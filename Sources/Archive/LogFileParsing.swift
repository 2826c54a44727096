// Lines of a log file, taken apart. Everything here comes from outside.

import CanonicalJSON
import EventLog
import TimeZones

extension LogFileLines {
    enum Tail {
        case checkpoint(StoredCheckpoint)
        case end(LogFileEnd)
    }

    struct EventParts {
        var event: Range<Int>
        var leaf: MerkleHash
        var proof: [MerkleHash] = []
    }

    /// Cut by bytes, from both ends: the hash is over the event's bytes as they stand here. Nil
    /// when it is not as written by `LogFileWriter`.
    static func parseEvent(_ line: [UInt8], hasProof: Bool) -> EventParts? {
        var end = line.count
        func take(_ text: StaticString) -> Bool {
            let start = end - text.utf8CodeUnitCount
            guard start >= 0 else { return false }
            for index in start..<end where line[index] != text.utf8Start[index - start] {
                return false
            }
            end = start
            return true
        }
        func takeHash() -> MerkleHash? {
            guard end >= 64 else { return nil }
            defer { end -= 64 }
            return MerkleHash(hex: String(decoding: line[end - 64..<end], as: UTF8.self))
        }
        var proof: [MerkleHash] = []
        if hasProof {
            guard take("]}\n") else { return nil }
            while !take(#","proof":["#) {
                // The innermost comes last in the file, so first here.
                if !proof.isEmpty { guard take(",") else { return nil } }
                guard proof.count < 64, take("\""), let hash = takeHash(), take("\"") else {
                    return nil
                }
                proof.append(hash)
            }
        } else {
            guard take("}\n") else { return nil }
        }
        guard take("\""), let leaf = takeHash(), take(#","leaf":""#), eventStart.count < end else {
            return nil
        }
        return EventParts(
            event: eventStart.count..<end, leaf: leaf, proof: proof.reversed())
    }

    static func parseTail(
        _ line: [UInt8], file: String, number: Int
    ) throws(ArchiveError) -> Tail {
        let value = try json(line, file: file, number: number)
        do throws(FieldError) {
            var fields = try JSONFields(value)
            if var checkpoint = try fields.optionalObject("checkpoint") {
                let head = LogHead(
                    sequence: try size(&checkpoint, "size"), root: try hash(&checkpoint, "root"))
                return .checkpoint(
                    StoredCheckpoint(head: head, timeMicroseconds: try time(&checkpoint, "time")))
            }
            var end = try fields.object("end")
            let head = LogHead(sequence: try size(&end, "size"), root: try hash(&end, "root"))
            return .end(
                LogFileEnd(
                    eventCount: try size(&end, "events"), head: head,
                    digest: try hash(&end, "sha256")))
        } catch {
            throw ArchiveError(.damaged, "\(file), line \(number): \(error.message)")
        }
    }

    static func parseHeader(_ line: [UInt8], file: String) throws(ArchiveError) -> LogFileHeader {
        guard line.first == UInt8(ascii: "{") else {
            throw ArchiveError(
                .notABackup, "\(file) is neither a ledger nor a log file of faregate")
        }
        let fields = try json(line, file: file, number: 1)
        guard case .object(let object) = fields,
            case .string(LogFileHeader.format)? = object["format"]
        else {
            throw ArchiveError(
                .notABackup, "\(file) is neither a ledger nor a log file of faregate")
        }
        guard case .integer(Int64(LogFileHeader.version))? = object["version"] else {
            throw ArchiveError(
                .tooNew,
                "\(file) has a version of the format that this program does not know (it knows "
                    + "\(LogFileHeader.version)): use a newer faregate")
        }
        do throws(FieldError) {
            return try header(JSONFields(object))
        } catch {
            throw ArchiveError(.damaged, "\(file), line 1: \(error.message)")
        }
    }

    private static func header(_ given: JSONFields) throws(FieldError) -> LogFileHeader {
        var fields = given
        let kind: LogFileKind = try fields.choice("kind")
        var base = MerkleFrontier()
        if kind != .excerpt {
            var given = try fields.object("base")
            var peaks: [MerkleHash] = []
            for text in try given.strings("peaks", maxCount: 64, maxBytes: 64) {
                guard let peak = MerkleHash(hex: text) else {
                    throw given.error(.invalid, "peaks", "must be hashes")
                }
                peaks.append(peak)
            }
            guard let frontier = MerkleFrontier(size: try size(&given, "size"), peaks: peaks),
                frontier.root == (try hash(&given, "root"))
            else { throw given.error(.invalid, "peaks", "must hash to the root") }
            base = frontier
        }
        var filter: LogFileFilter?
        if var asked = try fields.optionalObject("filter") {
            filter = LogFileFilter(
                from: try size(&asked, "from"), to: try size(&asked, "to"),
                customer: try asked.optionalString("customer"),
                project: try asked.optionalString("project"))
        }
        let header = LogFileHeader(
            kind: kind,
            identity: LedgerIdentity(
                ledgerID: try fields.string("ledger_id", minBytes: 1),
                currency: try fields.string("currency", minBytes: 1, maxBytes: 16),
                isTestClock: try fields.bool("test_clock")),
            createdMicroseconds: try time(&fields, "created"), base: base,
            end: LogHead(sequence: try size(&fields, "size"), root: try hash(&fields, "root")),
            filter: filter)
        if kind == .whole, base.size != 0 {
            throw fields.error(.invalid, "base", "of a whole log must be empty")
        }
        if header.end.sequence < base.size {
            throw fields.error(.invalid, "size", "must not be below the base's")
        }
        return header
    }

    private static func json(
        _ line: [UInt8], file: String, number: Int
    ) throws(ArchiveError) -> JSONValue {
        do throws(JSONError) {
            return try StrictJSON.parse(line)
        } catch {
            throw ArchiveError(.damaged, "\(file), line \(number): \(error)")
        }
    }

    private static func size(
        _ fields: inout JSONFields, _ name: String
    ) throws(FieldError) -> UInt64 {
        UInt64(try fields.int(name, in: 0...(1 << 53)))
    }

    private static func hash(
        _ fields: inout JSONFields, _ name: String
    ) throws(FieldError) -> MerkleHash {
        guard let hash = MerkleHash(hex: try fields.string(name, maxBytes: 64)) else {
            throw fields.error(.invalid, name, "must be 64 lower-case hexadecimal digits")
        }
        return hash
    }

    private static func time(
        _ fields: inout JSONFields, _ name: String
    ) throws(FieldError) -> Int64 {
        let text = try fields.string(name, maxBytes: 64)
        do {
            return try RFC3339.parse(text)
        } catch {
            throw fields.error(.invalid, name, "must be a time")
        }
    }
}
