// A ledger made again from backups.
//
// The files are put in the order of their events. Each must be of the same ledger, and go on from
// the same history: the root that it begins with is compared with the root of what came before.
// Files may overlap. Every event is decoded and folded, which also gives the figures that a
// preview shows; the fold of a log that cannot be read is found here and not by the server.

import Archive
package import Billing
package import EventLog
package import Money
import SQLiteEventLog

/// The figures of a ledger as a whole.
package struct LedgerBooks: Sendable, Equatable {
    package var customers = 0
    package var openReservations = 0
    package var charge = Money.zero
    package var cost = Money.zero
    /// Billable and not paid yet.
    package var owed = Money.zero
    package var debt = Money.zero
    /// Left on credit grants.
    package var credit = Money.zero
    package var held = Money.zero
    /// Time of the newest event; nil for an empty log.
    package var lastEvent: Instant?

    init(_ state: LedgerState) {
        customers = state.customers.count
        openReservations = state.reservations.count
        lastEvent = state.sequence == 0 ? nil : state.time
        for customer in state.customers.values {
            charge += customer.totals.charge
            cost += customer.totals.cost
            owed += customer.owed
            debt += customer.debt
            held += customer.heldCharge
            for grant in customer.grants { credit += grant.remaining }
        }
    }
}

package struct RestoreReport: Sendable {
    /// In the order in which they were applied.
    package var files: [BackupFileSummary]
    package var identity: LedgerIdentity
    package var head: LogHead
    package var books: LedgerBooks
    /// Of the ledger that was made; nil for a preview.
    package var byteCount: Int?
    package var duration: Duration
}

package enum LedgerRestore {
    /// Makes the ledger at `target` from `files`. Blocks.
    ///
    /// - Parameters:
    ///   - files: full backups, log files and increments, in any order; `-` is standard input.
    ///   - isReplacing: a ledger that is there is replaced, unless somebody serves it.
    ///   - progress: called with the work done and the work to do.
    package static func restore(
        _ files: [String], to target: String, isReplacing: Bool = false,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ServerFailure) -> RestoreReport {
        let start = ContinuousClock.now
        var replay = try archiving { () throws(ArchiveError) in try Replay(files) }
        let place = try BackupTarget(target, isReplacing: isReplacing)
        let total = 2 * replay.plannedEnd
        try archiving { () throws(ArchiveError) in
            try write(&replay, to: place) { progress($0, total) }
        }
        let head = replay.head
        let byteCount = try archiving { () throws(ArchiveError) in
            try place.commitLedger(at: head) { progress(total / 2 + $0, total) }
        }
        return replay.report(byteCount: byteCount, since: start)
    }

    private static func write(
        _ replay: inout Replay, to place: BackupTarget, progress: (UInt64) -> Void
    ) throws(ArchiveError) {
        let name = place.partial.path
        func storing<Result>(
            _ body: () throws(StoreError) -> Result
        ) throws(ArchiveError) -> Result {
            do throws(StoreError) {
                return try body()
            } catch {
                throw ArchiveError(error, file: name)
            }
        }
        let new = NewLedger(
            identity: replay.identity, createdMicroseconds: replay.createdMicroseconds)
        var builder: LedgerFileBuilder
        do throws(StoreError) {
            builder = try LedgerFileBuilder.open(path: name, newLedger: new)
        } catch {
            throw ArchiveError(error, file: name)
        }
        while let item = try replay.next() {
            try storing { () throws(StoreError) in
                switch item {
                case .event(let bytes, let leaf): try builder.append(bytes, leaf: leaf)
                case .checkpoint(let checkpoint): try builder.append(checkpoint)
                }
            }
            if case .checkpoint(let checkpoint) = item { progress(checkpoint.head.sequence) }
        }
        do throws(StoreError) {
            try builder.finish()
        } catch {
            throw ArchiveError(error, file: name)
        }
    }

    /// What `restore` would make, without writing anything. Blocks.
    package static func preview(
        _ files: [String], progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ServerFailure) -> RestoreReport {
        let start = ContinuousClock.now
        return try archiving { () throws(ArchiveError) in
            var replay = try Replay(files)
            let total = replay.plannedEnd
            while let item = try replay.next() {
                if case .checkpoint(let checkpoint) = item {
                    progress(checkpoint.head.sequence, total)
                }
            }
            return replay.report(byteCount: nil, since: start)
        }
    }
}
