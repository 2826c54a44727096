// Backups of a ledger, also while a server writes it.
//
// The log only ever grows, so a copy needs no long read transaction: it takes the events up to the
// checkpoint that was newest when it began, a page at a time, and hashes them on the way. What is
// written is read back from the disk and hashed again before it gets its name. Snapshots are left
// out: they are caches, and a restored ledger makes its own.

package import Archive
package import EventLog
import SQLiteEventLog

package struct BackupReport: Sendable {
    package var path: String
    package var kind: BackupFileSummary.Kind
    package var ledgerID: String
    /// Where an increment goes on from.
    package var base: LogHead
    /// The checkpoint up to which it goes.
    package var head: LogHead
    package var byteCount: Int
    package var duration: Duration

    init(
        path: String, kind: BackupFileSummary.Kind, ledgerID: String,
        base: LogHead = LogHead(sequence: 0, root: .emptyRoot), head: LogHead, byteCount: Int,
        duration: Duration
    ) {
        self.path = path
        self.kind = kind
        self.ledgerID = ledgerID
        self.base = base
        self.head = head
        self.byteCount = byteCount
        self.duration = duration
    }

    /// A full backup that was restored from a server's log.
    package init(fetched report: RestoreReport, to path: String, duration: Duration) {
        self.init(
            path: path, kind: .ledger, ledgerID: report.identity.ledgerID, head: report.head,
            byteCount: report.byteCount ?? 0, duration: duration)
    }
}

package enum LedgerBackup {
    /// What an increment goes on from.
    package enum Base: Sendable {
        case sequence(UInt64)
        /// The end of this backup, which must be of the same history.
        case file(String)
    }

    /// Copies the ledger at `path` to a ledger of its own. Blocks.
    ///
    /// - Parameter progress: called with the work done and the work to do.
    package static func full(
        of path: String, to target: String, isReplacing: Bool = false,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ServerFailure) -> BackupReport {
        let start = ContinuousClock.now
        let store = try open(path)
        defer { store.close() }
        let place = try BackupTarget(target, isReplacing: isReplacing, source: path)
        var walker = LogWalker(store, name: path)
        let head = walker.end
        do throws(StoreError) {
            var builder = try LedgerFileBuilder.open(
                path: place.partial.path,
                newLedger: NewLedger(
                    identity: store.identity,
                    createdMicroseconds: try store.createdMicroseconds))
            try copy(&walker, into: &builder) { progress($0, 2 * head.sequence) }
            try builder.finish()
        } catch {
            throw ServerFailure(error, path: target)
        }
        let byteCount = try archiving { () throws(ArchiveError) in
            try place.commitLedger(at: head) { progress(head.sequence + $0, 2 * head.sequence) }
        }
        return BackupReport(
            path: target, kind: .ledger, ledgerID: store.identity.ledgerID,
            head: head, byteCount: byteCount, duration: start.duration(to: .now))
    }

    private static func copy(
        _ walker: inout LogWalker, into builder: inout LedgerFileBuilder,
        progress: (UInt64) -> Void
    ) throws(StoreError) {
        while true {
            let item: LogFileItem?
            do throws(ArchiveError) {
                item = try walker.next()
            } catch {
                throw StoreError(
                    error.code == .inputOutput ? .inputOutput : .corrupt, error.message)
            }
            switch item {
            case .event(let bytes, let leaf)?: try builder.append(bytes, leaf: leaf)
            case .checkpoint(let checkpoint)?:
                try builder.append(checkpoint)
                progress(checkpoint.head.sequence)
            case nil: return
            }
        }
    }

    /// Writes the events after `base` to a log file. Blocks.
    package static func increment(
        of path: String, since base: Base, to target: String, isReplacing: Bool = false,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ServerFailure) -> BackupReport {
        let start = ContinuousClock.now
        let store = try open(path)
        defer { store.close() }
        let known = try known(base)
        var exporter = try archiving { () throws(ArchiveError) in
            try LogExporter(store, since: known.head.sequence, name: path)
        }
        try known.check(exporter.header)
        let place = try BackupTarget(target, isReplacing: isReplacing, source: path)
        let (first, head) = (exporter.header.base.size, exporter.header.end)
        let total = 2 * (head.sequence - first)
        let byteCount = try archiving { () throws(ArchiveError) in
            while let piece = try exporter.next() {
                try place.partial.write(piece)
                progress(exporter.sequence - first, total)
            }
            return try place.commitLogFile(at: head) { progress($0 - first + total / 2, total) }
        }
        return BackupReport(
            path: target, kind: exporter.header.kind == .whole ? .whole : .increment,
            ledgerID: store.identity.ledgerID, base: exporter.header.baseHead, head: head,
            byteCount: byteCount, duration: start.duration(to: .now))
    }

    /// What `base` says of itself.
    package static func known(_ base: Base) throws(ServerFailure) -> KnownBase {
        switch base {
        case .sequence(let sequence):
            return KnownBase(head: LogHead(sequence: sequence, root: .emptyRoot))
        case .file(let path):
            let summary = try archiving { () throws(ArchiveError) in
                try BackupFile.open(path).summary
            }
            return KnownBase(head: summary.end, file: path, ledgerID: summary.identity.ledgerID)
        }
    }

    /// Where an increment is to go on from.
    package struct KnownBase: Sendable {
        package var head: LogHead
        /// The file that says so, if one does; then the root counts.
        var file: String?
        var ledgerID: String?

        /// Whether an increment with this header goes on from here.
        package func check(_ header: LogFileHeader) throws(ServerFailure) {
            guard let file else { return }
            if let ledgerID, ledgerID != header.identity.ledgerID {
                throw ServerFailure(
                    .refused, ArchiveError.Code.otherLedger.rawValue,
                    "\(file) is of the ledger \(ledgerID), this is \(header.identity.ledgerID)")
            }
            guard head == header.baseHead else {
                throw ServerFailure(
                    .refused, ArchiveError.Code.fork.rawValue,
                    "\(file) is of another history: its event \(head.sequence) stands under the "
                        + "root \(head.root), here it is \(header.base.root)")
            }
        }
    }

    /// Checks a log file that was fetched from a server, and puts it in its place.
    package static func take(
        fetched place: FetchedLog, since base: KnownBase, start: ContinuousClock.Instant
    ) throws(ServerFailure) -> BackupReport {
        let header = try archiving { () throws(ArchiveError) in
            try LogFileReader(path: place.path).header
        }
        try base.check(header)
        let byteCount = try archiving { () throws(ArchiveError) in
            try place.target.commitLogFile(at: header.end)
        }
        return BackupReport(
            path: place.target.path, kind: header.kind == .whole ? .whole : .increment,
            ledgerID: header.identity.ledgerID, base: header.baseHead, head: header.end,
            byteCount: byteCount, duration: start.duration(to: .now))
    }

    private static func open(_ path: String) throws(ServerFailure) -> SQLiteEventStore {
        do throws(StoreError) {
            return try SQLiteEventStore.openReadOnly(path: path)
        } catch {
            throw ServerFailure(error, path: path)
        }
    }
}

/// Takes a log file in from elsewhere, under its partial name.
package struct FetchedLog: Sendable {
    fileprivate let target: BackupTarget

    package init(for target: String, isReplacing: Bool) throws(ServerFailure) {
        self.target = try BackupTarget(target, isReplacing: isReplacing)
    }

    /// For a log that a ledger at `ledger` is to be made from: lies beside it and goes with this.
    package init(forLedgerAt ledger: String, isReplacing: Bool) throws(ServerFailure) {
        if !isReplacing { try BackupTarget.requireFree(ledger) }
        try self.init(for: ledger + ".log", isReplacing: true)
    }

    /// Where it lies until it is checked.
    package var path: String { target.partial.path }

    package func write(_ bytes: [UInt8]) throws(ServerFailure) {
        try archiving { () throws(ArchiveError) in try target.partial.write(bytes) }
    }
}

/// Runs `body`; what it throws becomes the server's kind of failure.
func archiving<Result>(
    _ body: () throws(ArchiveError) -> Result
) throws(ServerFailure) -> Result {
    do throws(ArchiveError) {
        return try body()
    } catch {
        throw ServerFailure(error)
    }
}
