// Reads a log file and checks all that the file itself can prove: leaf hashes, every checkpoint's
// root, that the events lead from the base to the end, the proofs of an excerpt, and the digest.
// See LogFile.swift for the form.

import CanonicalJSON
package import EventLog

package enum LogFileItem: Sendable {
    /// Canonical bytes of an event and the leaf hash of them; in an excerpt its proof is checked.
    case event([UInt8], leaf: MerkleHash)
    /// Its root is that of the events so far.
    case checkpoint(StoredCheckpoint)
}

package struct LogFileReader: ~Copyable {
    /// The file's name in messages.
    package let name: String
    package let header: LogFileHeader
    /// What the last line said; nil until everything has been read.
    package private(set) var end: LogFileEnd?

    private var lines: LineReader
    private var lineNumber = 1
    private var digest = RunningDigest()
    private var frontier: MerkleFrontier
    private var eventCount: UInt64 = 0

    /// Opens the file and reads its first line.
    ///
    /// - Parameter path: `-` is standard input.
    package init(path: String) throws(ArchiveError) {
        let name = path == "-" ? "standard input" : path
        var opened = try LineReader(path: path)
        guard let line = try opened.next() else {
            throw ArchiveError(.notABackup, "\(name) is empty")
        }
        let header = try LogFileLines.parseHeader(line, file: name)
        self.name = name
        self.header = header
        lines = opened
        frontier = header.base
        digest.update(line)
    }

    /// Bytes read so far, for progress.
    package var bytesRead: Int { lines.bytesRead }

    /// The next event or checkpoint; nil at the end, when everything has proved right.
    ///
    /// - Throws: `.damaged` with the number of the line that is wrong.
    package mutating func next() throws(ArchiveError) -> LogFileItem? {
        guard end == nil else { return nil }
        lineNumber += 1
        guard let line = try lines.next(), line.last == UInt8(ascii: "\n") else {
            throw damaged("the file is cut short: its last line is missing")
        }
        if line.starts(with: LogFileLines.eventStart) {
            let event = try event(line)
            digest.update(line)
            return event
        }
        switch try LogFileLines.parseTail(line, file: name, number: lineNumber) {
        case .checkpoint(let checkpoint):
            digest.update(line)
            guard header.kind != .excerpt, checkpoint.head == head else {
                throw damaged(
                    "the events before it do not have the root of checkpoint "
                        + "\(checkpoint.head.sequence)")
            }
            return .checkpoint(checkpoint)
        case .end(let end):
            try finish(end)
            return nil
        }
    }

    private var head: LogHead { LogHead(sequence: frontier.size, root: frontier.root) }

    private mutating func event(_ line: [UInt8]) throws(ArchiveError) -> LogFileItem {
        guard let parts = LogFileLines.parseEvent(line, hasProof: header.kind == .excerpt) else {
            throw damaged("this is not the line of an event as this program writes it")
        }
        let bytes = Array(line[parts.event])
        guard MerkleHash.leaf(bytes) == parts.leaf else {
            throw damaged("the event does not have the leaf hash beside it")
        }
        eventCount += 1
        if header.kind == .excerpt {
            let sequence: UInt64
            do throws(CodecError) {
                sequence = try EventCodec.envelope(bytes).sequence
            } catch {
                throw damaged("the event cannot be read: \(error)")
            }
            let isProven =
                sequence > 0
                && MerkleTree.verifyInclusion(
                    leaf: parts.leaf, index: sequence - 1, size: header.end.sequence,
                    root: header.end.root, proof: parts.proof)
            guard isProven else {
                throw damaged("the proof does not lead from event \(sequence) to the root")
            }
        } else {
            frontier.append(parts.leaf)
        }
        return .event(bytes, leaf: parts.leaf)
    }

    private mutating func finish(_ end: LogFileEnd) throws(ArchiveError) {
        guard end.digest == digest.finish() else {
            throw damaged("the lines before it do not have the digest it gives")
        }
        digest = RunningDigest()
        guard end.eventCount == eventCount, end.head == header.end else {
            throw damaged("the last line and the first do not agree")
        }
        if header.kind != .excerpt, head != header.end {
            throw damaged("the events do not lead to the root that the first line gives")
        }
        lineNumber += 1
        guard try lines.next() == nil else { throw damaged("something follows the last line") }
        self.end = end
    }

    private func damaged(_ what: String) -> ArchiveError {
        ArchiveError(.damaged, "\(name), line \(lineNumber): \(what)")
    }
}
