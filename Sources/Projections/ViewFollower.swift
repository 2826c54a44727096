// Follows the log into the views' file, one step after the other: on a thread of its own in a
// server, called by a test in another. The steps of one follower are taken by one thread.
//
// A rebuild goes into a second file beside the first, which goes on serving and following; a step
// takes a batch for each. When the second has caught up it takes the first one's name. A crash
// leaves the first as it was, and the second to be thrown away.

import Billing
package import EventLog
import Glibc

package final class ViewFollower {
    private let store: any EventStore
    private let path: String
    /// Readers open the file by its path: they let go of it for as long as the body runs.
    private let whileUnread: (() throws(StoreError) -> Void) throws(StoreError) -> Void
    private let batchEvents: Int
    private let catchUpFactor: Int
    private var file: ViewFile?
    private var second: ViewFile?
    /// Why the file that was found is built again, for people; told once.
    package private(set) var notice: String?

    package static let batchBytes = 3 << 20

    /// - Parameters:
    ///   - batchEvents: most events in a transaction.
    ///   - catchUpFactor: far behind, batches are so many times larger: a row that changes often is
    ///     then written once for many events. Costs some 50 MB while it lasts.
    package init(
        store: any EventStore, path: String, batchEvents: Int = 2_000, catchUpFactor: Int = 5,
        whileUnread: @escaping (() throws(StoreError) -> Void) throws(StoreError) -> Void = {
            body throws(StoreError) in try body()
        }
    ) {
        self.store = store
        self.path = path
        self.batchEvents = batchEvents
        self.catchUpFactor = catchUpFactor
        self.whileUnread = whileUnread
    }

    package var position: ViewPosition? { file?.position }
    package var secondSequence: UInt64? { second?.position.sequence }
    package var isRebuilding: Bool { second != nil }

    private var secondPath: String { path + ".rebuild" }

    /// Opens the file, or builds a new one where what is there is of no use.
    package func open() throws(StoreError) {
        if file != nil { return }
        ViewFile.remove(secondPath)
        var opened: ViewFile?
        try whileUnread { () throws(StoreError) in
            opened = try ViewFile.open(path: path, store: store)
        }
        file = opened
        notice = opened?.reasonForRebuild ?? notice
    }

    package func takeNotice() -> String? {
        defer { notice = nil }
        return notice
    }

    /// Begins to build a second file; nothing more while one is being built.
    package func rebuild() throws(StoreError) {
        try open()
        if second == nil {
            second = try ViewFile.open(path: secondPath, store: store, isNew: true)
        }
    }

    /// Folds one batch in, of what is on the log up to `head`, and one into the second file if
    /// there is one.
    ///
    /// - Returns: the number of events folded in, of both files together.
    package func step(upTo head: UInt64) throws(StoreError) -> Int {
        try open()
        let (count, isCaughtUp) = try follow(upTo: head)
        if isCaughtUp { try takeOver() }
        return count
    }

    private func follow(upTo head: UInt64) throws(StoreError) -> (count: Int, isCaughtUp: Bool) {
        guard let file else { return (0, false) }
        let count = try follow(file, head)
        guard let second else { return (count, false) }
        let more = try follow(second, head)
        return (count + more, second.position.sequence >= file.position.sequence)
    }

    /// After an error: the file is opened anew, and built again if it is damaged.
    package func recover(from error: StoreError) {
        second = nil
        // An error may also be the log's.
        let isDamaged = error.code == .corrupt && file?.isSound == false
        try? whileUnread { () throws(StoreError) in
            file = nil
            if isDamaged { ViewFile.remove(path) }
        }
        if isDamaged { notice = "they are damaged" }
    }

    package func close() {
        second = nil
        file = nil
    }

    private func follow(_ file: ViewFile, _ head: UInt64) throws(StoreError) -> Int {
        let behind = head - min(head, file.position.sequence)
        let factor = behind > 10 * UInt64(batchEvents) ? catchUpFactor : 1
        let run = try LogRun(
            store, after: file.position.sequence, upTo: head, limit: batchEvents * factor,
            maxBytes: Self.batchBytes * factor)
        try file.apply(run.events, leaf: run.leaf, run)
        return run.events.count
    }

    /// Gives the second file the first one's name. Both are closed before, the first by its writer
    /// last: then each is whole in itself, whenever a crash comes.
    private func takeOver() throws(StoreError) {
        try second?.settle()
        second = nil
        try whileUnread { () throws(StoreError) in
            file = nil
            // What is left beside the old file must not be taken for the new one's.
            for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
            guard rename(secondPath, path) == 0 else {
                throw StoreError(
                    .inputOutput, "renaming \(secondPath): \(String(cString: strerror(errno)))")
            }
            for suffix in ["-wal", "-shm"] { unlink(secondPath + suffix) }
            file = try ViewFile.open(path: path, store: store)
        }
    }
}
