// A store's log as a log file, whole or from some event on, in pieces for whoever sends or writes
// them.

import EventLog

package struct LogExporter: Sendable {
    package let header: LogFileHeader

    private static let pieceBytes = 1 << 20

    private var walker: LogWalker
    private var writer: LogFileWriter
    private var isFinished = false

    /// - Parameters:
    ///   - sequence: the last event that is left out; 0 makes a whole log.
    ///   - name: of the ledger, for messages.
    /// - Throws: `.gap` when there are fewer events, and what reading the store says.
    package init(
        _ store: any ArchivableStore, since sequence: UInt64 = 0, name: String
    ) throws(ArchiveError) {
        let end = store.head
        guard sequence <= end.sequence else {
            throw ArchiveError(
                .gap, "\(name) has \(end.sequence) events: there is nothing after \(sequence)")
        }
        do throws(StoreError) {
            header = LogFileHeader(
                kind: sequence == 0 ? .whole : .increment, identity: store.identity,
                createdMicroseconds: try store.createdMicroseconds,
                base: try store.frontier(size: sequence), end: end)
        } catch {
            throw ArchiveError(error, file: name)
        }
        walker = LogWalker(store, name: name, base: header.base, end: end)
        writer = LogFileWriter(header)
    }

    /// Events done so far, counted from the log's first.
    package var sequence: UInt64 { walker.sequence }

    /// The next piece of the file; nil after the last.
    ///
    /// - Throws: `.damaged` when the ledger's events do not have the roots of its checkpoints: what
    ///   came before is then to be thrown away.
    package mutating func next() throws(ArchiveError) -> [UInt8]? {
        if isFinished { return nil }
        while writer.pending.count < Self.pieceBytes {
            switch try walker.next() {
            case .event(let bytes, let leaf)?: writer.event(bytes, leaf: leaf)
            case .checkpoint(let checkpoint)?: writer.checkpoint(checkpoint)
            case nil:
                isFinished = true
                return writer.finish()
            }
        }
        return writer.takePending()
    }
}
