// The writing thread: the only one that appends to the store, saves snapshots and does the store's
// housekeeping.

import Billing
import EventLog

final class LogWriter: @unchecked Sendable {
    // Unchecked: after `init` only its own thread touches it.
    private let store: any EventStore
    private let shared: EngineShared
    /// Jobs of this epoch and earlier ones were decided before the last failure.
    private var failedEpoch = -1
    private var lastError: StoreError?
    private var isHousekeepingDue = false
    /// Kept for its memory.
    private var append = AppendBatch()
    private static let snapshotsKept = 2

    init(store: any EventStore, shared: EngineShared) {
        self.store = store
        self.shared = shared
    }

    func run() {
        while let jobs = shared.takeJobs(waitingAtMost: isHousekeepingDue ? 200_000 : nil) {
            if jobs.isEmpty {
                // Idle: a failure here is not lost, the next append will meet it too.
                shared.metrics.writing { try? store.checkpointStorage() }
                isHousekeepingDue = false
            } else {
                carryOut(jobs)
            }
        }
        try? store.checkpointStorage()
        store.close()
        shared.closed()
    }

    private func carryOut(_ jobs: [CommitJob]) {
        var current: [CommitJob] = []
        for job in jobs {
            if job.epoch <= failedEpoch {
                drop([job], error: nil)
            } else {
                current.append(job)
            }
        }
        guard let first = current.first else { return }
        encode(current)
        let committing = shared.metrics.beginCommit(events: append.count)
        var committed = committing
        if append.count > 0 {
            let expected = current.first { !$0.batch.events.isEmpty }?.batch.expectedHead ?? 0
            do throws(StoreError) {
                let head = try store.append(append, expectedHead: expected)
                committed = shared.metrics.endCommit(isDone: true, events: append.count)
                shared.appended(append.count, head: head.sequence)
                shared.commits.fire()
                isHousekeepingDue = true
            } catch {
                _ = shared.metrics.endCommit(isDone: false, events: append.count)
                failedEpoch = first.epoch
                lastError = error
                drop(current, error: error)
                return
            }
        }
        for job in current {
            // By index: iterating would copy each answer first.
            for place in job.completions.indices { job.completions[place].resume() }
            shared.metrics.answered(job, committing: committing, committed: committed)
            // A cache: without it the next start folds more.
            if let snapshot = job.snapshot { save(snapshot) }
        }
    }

    private func save(_ snapshot: StoredSnapshot) {
        let isSaved = shared.metrics.writing {
            (try? store.saveSnapshot(snapshot, keeping: Self.snapshotsKept)) != nil
        }
        guard isSaved else { return }
        shared.metrics.savedSnapshot(
            sequence: snapshot.sequence, bytes: snapshot.parts.reduce(0) { $0 + $1.bytes.count },
            microseconds: SystemClock().now().microseconds)
    }

    /// Puts the events of `jobs` into `append`. Here and not where they are decided: many in a row
    /// are encoded faster, and the deciding thread is the busier one.
    private func encode(_ jobs: [CommitJob]) {
        append.clear(keepingBytes: 4 << 20)
        for job in jobs { append.append(job.batch.events) }
    }

    private func drop(_ jobs: [CommitJob], error: StoreError?) {
        let reason = error ?? lastError ?? StoreError(.inputOutput, "an earlier append failed")
        var again: [Work] = []
        for job in jobs {
            for completion in job.completions {
                if let work = completion.failed(.storeUnavailable(reason)) { again.append(work) }
            }
        }
        let count = jobs.reduce(0) { $0 + $1.batch.events.count }
        // First the failure, then the queries: they must meet the state rolled back.
        shared.dropped(count, failure: error)
        if !again.isEmpty { shared.requeue(again) }
    }
}
