// The log as a file of lines: what `export` and `backup --since` write, and `restore` reads.
//
//   {"base":{…},"created":"…","currency":"USD","format":"faregate-log","kind":"whole",…,"version":1}
//   {"event":{…},"leaf":"<64 hex digits>"}
//   {"checkpoint":{"root":"<64 hex digits>","size":12,"time":"2026-11-22T14:45:19.123456Z"}}
//   …
//   {"end":{"events":12,"root":"<64 hex digits>","sha256":"<64 hex digits>","size":12}}
//
// Each line is RFC 8785 canonical JSON and ends with one line feed. `event` is the stored bytes,
// and `leaf` the RFC 6962 hash of them: SHA-256(0x00 ‖ bytes). A checkpoint stands after the last
// event it covers. `sha256` is over all bytes before the last line: a file cut short has no last
// line, a damaged one another digest. There are three kinds:
//
//   whole      events 1 … size and all checkpoints. Hashing the events again is the proof.
//   increment  the events after `base.size` and their checkpoints. `base.peaks` are the roots of
//              the perfect subtrees that the base is made of, the largest first: they hash to
//              `base.root`, and with the events' leaves appended to `root`. That is a proof of
//              consistency: the new log goes on from the base's.
//   excerpt    some events, each with `proof` after `leaf`: the RFC 6962 inclusion path, the lowest
//              hash first, from leaf number seq - 1 to `root` of the tree over `size` events. No
//              checkpoints. `filter` says what was asked for.

package import EventLog

package enum LogFileKind: String, Sendable, CaseIterable {
    case whole, increment, excerpt
}

/// What an excerpt was asked for.
package struct LogFileFilter: Sendable, Equatable {
    /// First and last event looked at.
    package var from: UInt64
    package var to: UInt64
    package var customer: String?
    package var project: String?

    package init(from: UInt64, to: UInt64, customer: String? = nil, project: String? = nil) {
        self.from = from
        self.to = to
        self.customer = customer
        self.project = project
    }
}

package struct LogFileHeader: Sendable, Equatable {
    package static let format = "faregate-log"
    package static let version = 1

    package var kind: LogFileKind
    package var identity: LedgerIdentity
    /// When the ledger was made, microseconds since 1970 UTC.
    package var createdMicroseconds: Int64
    /// Where an increment goes on from; size 0 for a whole log.
    package var base: MerkleFrontier
    /// The log's size and root at the end of the file; for an excerpt, those that it is proven by.
    package var end: LogHead
    package var filter: LogFileFilter?

    package init(
        kind: LogFileKind, identity: LedgerIdentity, createdMicroseconds: Int64,
        base: MerkleFrontier = MerkleFrontier(), end: LogHead, filter: LogFileFilter? = nil
    ) {
        self.kind = kind
        self.identity = identity
        self.createdMicroseconds = createdMicroseconds
        self.base = base
        self.end = end
        self.filter = filter
    }

    package var baseHead: LogHead { LogHead(sequence: base.size, root: base.root) }
}

/// The last line.
package struct LogFileEnd: Sendable, Equatable {
    package var eventCount: UInt64
    package var head: LogHead
    /// SHA-256 of all bytes before the last line.
    package var digest: MerkleHash
}

/// A store that can tell what a copy of its log needs besides its events.
package protocol ArchivableStore: EventStore {
    /// When the ledger was made, microseconds since 1970 UTC.
    var createdMicroseconds: Int64 { get throws(StoreError) }

    /// The right edge of the tree over the first `size` events.
    ///
    /// - Throws: `.corrupt` when the store does not have them all.
    func frontier(size: UInt64) throws(StoreError) -> MerkleFrontier
}

/// Why a backup or export is refused: one line for people that names the file and the place.
package struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not a file of this program.
        case notABackup = "not_a_backup"
        /// Cut short, changed or torn.
        case damaged = "damaged_backup"
        /// Written by a newer version of this program.
        case tooNew = "too_new"
        /// Of another ledger than the files before it.
        case otherLedger = "other_ledger"
        /// Events between the files are missing.
        case gap
        /// The file goes on from another history.
        case fork
        /// An excerpt proves its events and cannot be made a ledger of.
        case excerpt
        /// The file is there already.
        case exists
        /// A file cannot be read or written.
        case inputOutput = "input_output"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(message) (\(code.rawValue))" }
}

extension InMemoryEventStore: ArchivableStore {
    /// The time of its first checkpoint; nobody noted another.
    package var createdMicroseconds: Int64 {
        get throws(StoreError) { try checkpoints(after: 0, limit: 1).first?.timeMicroseconds ?? 0 }
    }

    package func frontier(size: UInt64) throws(StoreError) -> MerkleFrontier {
        var frontier = MerkleFrontier()
        for event in try read(after: 0, limit: Int(clamping: size), maxBytes: .max) {
            frontier.append(MerkleHash.leaf(event.bytes))
        }
        guard frontier.size == size else {
            throw StoreError(.corrupt, "event \(frontier.size + 1) is missing")
        }
        return frontier
    }
}
