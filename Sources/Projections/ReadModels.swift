// The read models of one ledger: a thread that follows the log, and questions from any thread.
//
// The thread only ever reads the log, through the store's readers, at a lower priority than the
// threads that serve: a command never waits for it. What it writes is its own file.

import Billing
import Engine
package import EventLog
import Glibc
import Synchronization

package final class ReadModels: Sendable {
    private let shared: FollowingThread
    private let isBeside: Bool

    /// Read models that this process writes, at `path`. Nothing happens until `start`.
    ///
    /// - Parameter log: called with sentences for the log.
    package init(
        store: any EventStore, path: String, log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        shared = FollowingThread(store: store, path: path, log: log)
        isBeside = false
    }

    /// Read models that another process writes: what it has written is what there is.
    package init(beside store: any EventStore, path: String) {
        shared = FollowingThread(store: store, path: path, log: { _ in })
        isBeside = true
    }

    deinit { shared.stop() }

    /// Begins to follow the log; nothing when it has begun, or another process does.
    package func start() {
        if isBeside { return }
        if shared.begin() {
            let shared = shared
            startThread(named: "fg-views") { shared.run() }
        }
    }

    package var status: ProjectionStatus {
        var status = shared.status()
        if isBeside {
            status.state = .beside
            let position = try? read { _, position throws(StoreError) in position }
            status.sequence = position?.sequence ?? 0
            status.time = position?.time ?? .zero
            status.staleMicroseconds = status.lagEvents == 0 ? 0 : nil
        }
        return status
    }

    /// Begins to build the file again, while this one serves. False: another process writes it.
    package func rebuild() -> Bool {
        if isBeside { return false }
        start()
        shared.askForRebuild()
        return true
    }

    /// Whether the log has been folded in up to event `sequence`; if not, the thread looks at it
    /// now rather than soon. True also where waiting is of no use: another process writes the file,
    /// or it cannot be written at present.
    package func hasFolded(upTo sequence: UInt64) -> Bool {
        if isBeside { return true }
        start()
        return shared.hasFolded(upTo: sequence)
    }

    /// Runs `body` in one read transaction, with how far the log is folded in it. Blocks.
    ///
    /// - Throws: `.cannotOpen` when there are no views (yet).
    package func read<Result: Sendable>(
        _ body: @Sendable (borrowing ViewReader, ViewPosition) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try shared.read(body)
    }

    /// Stops following and closes the file. Blocks until it is closed.
    package func close() { shared.stop(andWait: true) }
}

/// What the thread and its owner share. The thread holds this and not the owner, so that it ends
/// when the owner goes away.
private final class FollowingThread: @unchecked Sendable {
    // Unchecked: everything below `monitor` is only touched with its lock held.
    private let store: any EventStore
    private let path: String
    private let log: @Sendable (String) -> Void
    private let reader = Mutex<ViewReader?>(nil)
    private let monitor = Monitor()
    private var published = ProjectionStatus()
    private var hasBegun = false
    private var hasEnded = false
    private var isStopping = false
    private var isRebuildWanted = false
    private var isLookWanted = false
    /// When everything then durable had been folded in, microseconds of the monotonic clock.
    private var freshAt: Int64?

    /// Commits are cheap and small ones add up: while little comes, look this often.
    private static let pauseMicroseconds: Int64 = 50_000
    private static let retryMicroseconds: Int64 = 1_000_000
    private static let fullStep = 1_000

    init(store: any EventStore, path: String, log: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.path = path
        self.log = log
        published.path = path
    }

    // MARK: Owner

    /// Whether the thread is to be made now.
    func begin() -> Bool {
        monitor.withLock {
            if hasBegun || isStopping { return false }
            hasBegun = true
            return true
        }
    }

    func status() -> ProjectionStatus {
        let head = store.head.sequence
        let now = Self.now()
        return monitor.withLock {
            var status = published
            if isStopping { status.state = .stopped }
            status.head = max(head, status.sequence)
            status.staleMicroseconds =
                hasBegun && status.lagEvents == 0 && status.state != .starting
                ? 0 : freshAt.map { now - $0 }
            return status
        }
    }

    func hasFolded(upTo sequence: UInt64) -> Bool {
        monitor.withLock {
            let isThere = published.state != .starting && published.sequence >= sequence
            if !isThere, !isLookWanted {
                isLookWanted = true
                monitor.broadcast()
            }
            return isThere || isStopping || published.state == .failing
        }
    }

    func askForRebuild() {
        monitor.withLock {
            isRebuildWanted = true
            // Whoever asks next is not told that it is over before it began.
            if published.state == .following { published.state = .rebuilding }
            if published.rebuildSequence == nil { published.rebuildSequence = 0 }
            isLookWanted = true
            monitor.broadcast()
        }
    }

    func stop(andWait: Bool = false) {
        monitor.withLock {
            isStopping = true
            monitor.broadcast()
            while andWait, hasBegun, !hasEnded { monitor.wait() }
        }
        if andWait { reader.withLock { $0 = nil } }
    }

    func read<Result: Sendable>(
        _ body: @Sendable (borrowing ViewReader, ViewPosition) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let path = path
        return try reader.withLock { reader throws(StoreError) in
            if reader == nil { reader = try ViewReader.open(path: path) }
            switch reader {
            case .some(let open): return try open.transaction(body)
            case .none: throw StoreError(.closed, "the views were closed")
            }
        }
    }

    // MARK: The thread

    func run() {
        // Of this thread alone on Linux. Where it is refused, it is only as eager as the others.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        let follower = ViewFollower(store: store, path: path) { body throws(StoreError) in
            try self.whileUnread(body)
        }
        while let wantsRebuild = next() {
            do throws(StoreError) {
                if wantsRebuild { try follower.rebuild() }
                let lookedAt = Self.now()
                let head = store.head.sequence
                let count = try follower.step(upTo: head)
                if let notice = follower.takeNotice() {
                    log("the read models are built again: \(notice)")
                }
                publish(follower, head: head, lookedAt: lookedAt)
                pause(isBusy: count >= Self.fullStep || follower.isRebuilding)
            } catch {
                fail(error, follower)
            }
        }
        // The writer closes last, which leaves the file whole and nothing beside it.
        try? whileUnread { () throws(StoreError) in follower.close() }
        monitor.withLock {
            hasEnded = true
            monitor.broadcast()
        }
    }

    /// Whether a rebuild is wanted; nil at the end.
    private func next() -> Bool? {
        monitor.withLock {
            if isStopping { return nil }
            defer { isRebuildWanted = false }
            isLookWanted = false
            return isRebuildWanted
        }
    }

    private func publish(_ follower: ViewFollower, head: UInt64, lookedAt: Int64) {
        guard let position = follower.position else { return }
        monitor.withLock {
            published.state =
                follower.isRebuilding || isRebuildWanted ? .rebuilding : .following
            published.sequence = position.sequence
            published.time = position.time
            published.rebuildSequence = follower.secondSequence ?? (isRebuildWanted ? 0 : nil)
            published.failure = nil
            if position.sequence >= head { freshAt = lookedAt }
        }
    }

    private func pause(isBusy: Bool) {
        if isBusy { return }
        monitor.withLock {
            if isStopping || isLookWanted || isRebuildWanted { return }
            monitor.wait(microseconds: Self.pauseMicroseconds)
        }
    }

    private func fail(_ error: StoreError, _ follower: ViewFollower) {
        follower.recover(from: error)
        let isNew = monitor.withLock {
            defer {
                published.state = .failing
                published.failure = error.description
                published.rebuildSequence = nil
            }
            return published.failure != error.description
        }
        if isNew { log("the read models cannot follow the log: \(error)") }
        let end = Self.now() + Self.retryMicroseconds
        monitor.withLock {
            while !isStopping {
                let left = end - Self.now()
                if left <= 0 { break }
                monitor.wait(microseconds: left)
            }
        }
    }

    private func whileUnread(
        _ body: () throws(StoreError) -> Void
    ) throws(StoreError) {
        try reader.withLock { reader throws(StoreError) in
            reader = nil
            try body()
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
