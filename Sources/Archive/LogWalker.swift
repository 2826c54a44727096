// Reads a store's events and checkpoints in order, and checks on the way that the events hash to
// the root of every checkpoint. A page at a time, each a short read: a server that writes the
// ledger is not held up, and what it appends meanwhile lies behind the end.

package import EventLog

package struct LogWalker {
    package let end: LogHead

    private let store: any EventStore
    private let name: String
    private var frontier: MerkleFrontier
    private var events: ArraySlice<StoredEvent> = []
    private var checkpoints: ArraySlice<StoredCheckpoint> = []
    private var lastCheckpoint: UInt64
    private var areCheckpointsDone = false

    /// - Parameters:
    ///   - name: of the file, for messages.
    ///   - base: where to begin: after its last event.
    ///   - end: where to end; nil: the newest head.
    package init(
        _ store: any EventStore, name: String, base: MerkleFrontier = MerkleFrontier(),
        end: LogHead? = nil
    ) {
        self.store = store
        self.name = name
        self.end = end ?? store.head
        frontier = base
        lastCheckpoint = base.size
    }

    /// Events done so far, counted from the log's first.
    package var sequence: UInt64 { frontier.size }

    /// The next event, or the checkpoint after the last one; nil at the end.
    ///
    /// - Throws: `.damaged` when events are missing or do not hash to a checkpoint's root, and
    ///   `.inputOutput`.
    package mutating func next() throws(ArchiveError) -> LogFileItem? {
        if let checkpoint = try nextCheckpoint(), checkpoint.head.sequence <= frontier.size {
            checkpoints.removeFirst()
            lastCheckpoint = checkpoint.head.sequence
            guard checkpoint.head == LogHead(sequence: frontier.size, root: frontier.root) else {
                throw ArchiveError(
                    .damaged,
                    "\(name): the events do not have the root of checkpoint "
                        + "\(checkpoint.head.sequence)")
            }
            return .checkpoint(checkpoint)
        }
        guard frontier.size < end.sequence else {
            guard frontier.root == end.root, lastCheckpoint == end.sequence else {
                throw ArchiveError(
                    .damaged, "\(name): the events do not have the root of the newest checkpoint")
            }
            return nil
        }
        if events.isEmpty { try readEvents() }
        let event = events.removeFirst()
        let leaf = MerkleHash.leaf(event.bytes)
        frontier.append(leaf)
        return .event(event.bytes, leaf: leaf)
    }

    private mutating func readEvents() throws(ArchiveError) {
        do throws(StoreError) {
            let left = end.sequence - frontier.size
            events = try store.read(
                after: frontier.size, limit: Int(min(left, 4_096)), maxBytes: 4 << 20)[...]
        } catch {
            throw ArchiveError(error, file: name)
        }
        guard !events.isEmpty else {
            throw ArchiveError(.damaged, "\(name): event \(frontier.size + 1) is missing")
        }
    }

    private mutating func nextCheckpoint() throws(ArchiveError) -> StoredCheckpoint? {
        if checkpoints.isEmpty, !areCheckpointsDone {
            do throws(StoreError) {
                checkpoints = try store.checkpoints(after: lastCheckpoint, limit: 4_096)[...]
            } catch {
                throw ArchiveError(error, file: name)
            }
            areCheckpointsDone = checkpoints.isEmpty
        }
        guard let next = checkpoints.first, next.head.sequence <= end.sequence else {
            areCheckpointsDone = true
            checkpoints = []
            return nil
        }
        return next
    }

    /// Reads everything to the end, for its checks alone.
    package mutating func finish(
        progress: (UInt64) -> Void = { _ in }
    ) throws(ArchiveError) {
        while let item = try next() {
            if case .checkpoint(let checkpoint) = item { progress(checkpoint.head.sequence) }
        }
    }
}

extension ArchiveError {
    /// What a store says of the file `name`.
    package init(_ error: StoreError, file name: String) {
        let code: Code =
            switch error.code {
            case .corrupt: .damaged
            case .tooNew: .tooNew
            default: .inputOutput
            }
        self.init(
            code, error.detail.contains(name) ? error.detail : "\(name): \(error.detail)")
    }
}
