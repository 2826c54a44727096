// The events of several backups as one log: in order, each once, each of one history.

import Archive
import Billing
import EventLog

struct Replay {
    /// In the order of their events.
    private let files: [BackupFile]
    private var place = 0
    private var frontier = MerkleFrontier()
    private var lastCheckpoint: UInt64 = 0
    private var state = LedgerState()
    /// Sizes at which some file begins or ends, with the root there once it is known: what files
    /// that overlap are compared by.
    private var roots: [UInt64: MerkleHash]
    /// Events of the present file that have gone by.
    private var passed: UInt64 = 0

    init(_ paths: [String]) throws(ArchiveError) {
        var files: [BackupFile] = []
        for path in paths { files.append(try BackupFile.open(path)) }
        files.sort {
            let (a, b) = ($0.summary, $1.summary)
            return (a.base.sequence, a.end.sequence) < (b.base.sequence, b.end.sequence)
        }
        guard let first = files.first?.summary else {
            throw ArchiveError(.gap, "there is nothing to restore from")
        }
        guard first.base.sequence == 0 else {
            throw ArchiveError(
                .gap,
                "\(first.path) goes on after event \(first.base.sequence): a full backup that "
                    + "reaches that event is needed, too")
        }
        for file in files.map(\.summary) where file.identity != first.identity {
            throw ArchiveError(
                .otherLedger,
                "\(file.path) is of the ledger \(file.identity.ledgerID), \(first.path) of "
                    + first.identity.ledgerID)
        }
        self.files = files
        roots = [0: .emptyRoot]
        try begin()
    }

    var identity: LedgerIdentity { files[0].summary.identity }
    var createdMicroseconds: Int64 { files[0].summary.createdMicroseconds }
    var head: LogHead { LogHead(sequence: frontier.size, root: frontier.root) }

    /// The end of the file that reaches furthest.
    var plannedEnd: UInt64 { files.map(\.summary.end.sequence).max() ?? 0 }

    /// The next event that is not there yet, or the checkpoint after the last one; nil at the end.
    mutating func next() throws(ArchiveError) -> LogFileItem? {
        while place < files.count {
            let file = files[place]
            guard let item = try file.next() else {
                try end(file.summary)
                place += 1
                if place < files.count { try begin() }
                continue
            }
            switch item {
            case .event(let bytes, let leaf):
                passed += 1
                if passed <= frontier.size { continue }
                try fold(bytes, file.summary)
                frontier.append(leaf)
                noteRoot()
                return item
            case .checkpoint(let checkpoint):
                // One of events that an earlier file had is there already.
                guard checkpoint.head.sequence > lastCheckpoint else { continue }
                guard checkpoint.head == head else { throw fork(file.summary) }
                lastCheckpoint = checkpoint.head.sequence
                return item
            }
        }
        guard lastCheckpoint == frontier.size else {
            throw ArchiveError(
                .damaged,
                "\(files[files.count - 1].summary.path): the last event has no checkpoint")
        }
        return nil
    }

    func report(byteCount: Int?, since start: ContinuousClock.Instant) -> RestoreReport {
        RestoreReport(
            files: files.map(\.summary), identity: identity, head: head,
            books: LedgerBooks(state), byteCount: byteCount, duration: start.duration(to: .now))
    }

    private mutating func begin() throws(ArchiveError) {
        let file = files[place].summary
        passed = file.base.sequence
        guard file.base.sequence <= frontier.size else {
            throw ArchiveError(
                .gap,
                "\(file.path) goes on after event \(file.base.sequence), the files before it end "
                    + "with event \(frontier.size): a backup between them is missing")
        }
        guard roots[file.base.sequence] == file.base.root else { throw fork(file) }
    }

    private func end(_ file: BackupFileSummary) throws(ArchiveError) {
        guard roots[file.end.sequence] == file.end.root else { throw fork(file) }
    }

    private mutating func noteRoot() {
        let size = frontier.size
        let isMark = files.contains {
            $0.summary.base.sequence == size || $0.summary.end.sequence == size
        }
        if isMark { roots[size] = frontier.root }
    }

    private mutating func fold(
        _ bytes: [UInt8], _ file: BackupFileSummary
    ) throws(ArchiveError) {
        let sequence = frontier.size + 1
        let event: RecordedEvent
        do throws(CodecError) {
            event = try EventCodec.decode(bytes)
        } catch {
            let isNewer = error.code == .unknownType || error.code == .unsupportedVersion
            throw ArchiveError(
                isNewer ? .tooNew : .damaged,
                "\(file.path): event \(sequence) "
                    + (isNewer ? "is of a newer faregate: " : "cannot be read: ") + "\(error)")
        }
        guard event.sequence == sequence, event.time >= state.time else {
            throw ArchiveError(
                .damaged,
                "\(file.path): event \(event.sequence) stands in the place of \(sequence), or is "
                    + "earlier than the one before")
        }
        state.evolve(event)
        let ledger = state.ledger
        guard ledger.ledgerID == identity.ledgerID, ledger.currency == identity.currency,
            ledger.isTestClock == identity.isTestClock
        else {
            throw ArchiveError(
                .damaged,
                "\(file.path): its first event opens the ledger '\(ledger.ledgerID)' in "
                    + "\(ledger.currency), the file says \(identity.ledgerID) in "
                    + "\(identity.currency), or another clock")
        }
    }

    private func fork(_ file: BackupFileSummary) -> ArchiveError {
        ArchiveError(
            .fork,
            "\(file.path) is of another history than the files before it: their events up to "
                + "\(min(file.base.sequence, frontier.size)) have another root. Both were the same "
                + "ledger once, and then were both written to")
    }
}
