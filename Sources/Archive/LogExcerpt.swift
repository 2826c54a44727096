// Some events of a log, each with its proof; see LogFile.swift for the form.

package import EventLog

package enum LogExcerpt {
    /// Hands out the events that `filter` lets through, with proofs to the newest checkpoint's
    /// root, as the pieces of a log file.
    ///
    /// - Parameter progress: called with events done and events to do, over two walks of the log.
    /// - Throws: `.damaged`, `.inputOutput`, and what `write` throws.
    package static func write(
        _ store: any ArchivableStore, filter: LogFileFilter, name: String,
        progress: (UInt64, UInt64) -> Void = { _, _ in },
        to write: ([UInt8]) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> LogHead {
        let end = store.head
        let created: Int64
        do throws(StoreError) {
            created = try store.createdMicroseconds
        } catch {
            throw ArchiveError(error, file: name)
        }
        var filter = filter
        filter.to = min(filter.to, end.sequence)
        filter.from = max(filter.from, 1)
        let blocks = filter.from > filter.to ? 0 : filter.to - filter.from + 1
        let total = end.sequence + blocks

        var tree = ProofTree()
        var walker = LogWalker(store, name: name, end: end)
        while let item = try walker.next() {
            guard case .event(_, let leaf) = item else { continue }
            tree.append(leaf)
            progress(tree.size, total)
        }

        var writer = LogFileWriter(
            LogFileHeader(
                kind: .excerpt, identity: store.identity, createdMicroseconds: created, end: end,
                filter: filter))
        let size = ProofTree.blockLeaves
        var start = (filter.from - 1) / size * size
        while start < filter.to {
            let events = try block(store, from: start, name: name, end: end)
            let leaves = events.map { MerkleHash.leaf($0.bytes) }
            for (event, leaf) in zip(events, leaves) {
                guard try lets(event, through: filter, name: name) else { continue }
                let path = tree.path(of: event.sequence - 1, block: leaves)
                writer.event(event.bytes, leaf: leaf, proof: path)
            }
            start += size
            progress(end.sequence + min(start, filter.to) - filter.from + 1, total)
            if writer.pending.count > 1 << 20 { try write(writer.takePending()) }
        }
        try write(writer.finish())
        return end
    }

    private static func block(
        _ store: any EventStore, from start: UInt64, name: String, end: LogHead
    ) throws(ArchiveError) -> [StoredEvent] {
        let limit = Int(min(ProofTree.blockLeaves, end.sequence - start))
        do throws(StoreError) {
            let events = try store.read(after: start, limit: limit, maxBytes: .max)
            guard events.count == limit else {
                throw StoreError(.corrupt, "events after \(start) are missing")
            }
            return events
        } catch {
            throw ArchiveError(error, file: name)
        }
    }

    private static func lets(
        _ event: StoredEvent, through filter: LogFileFilter, name: String
    ) throws(ArchiveError) -> Bool {
        guard (filter.from...max(filter.from, filter.to)).contains(event.sequence) else {
            return false
        }
        if filter.customer == nil, filter.project == nil { return true }
        let envelope: EventEnvelope
        do throws(CodecError) {
            envelope = try EventCodec.envelope(event.bytes)
        } catch {
            throw ArchiveError(.damaged, "\(name): event \(event.sequence): \(error)")
        }
        // By bytes: names that look alike are different customers.
        func isSame(_ name: String?, _ asked: String?) -> Bool {
            guard let asked else { return true }
            return name.map { Array($0.utf8) == Array(asked.utf8) } ?? false
        }
        return isSame(envelope.customer, filter.customer)
            && isSame(envelope.project, filter.project)
    }
}
