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
    private static let snapshotsKept = 2

    init(store: any EventStore, shared: EngineShared) {
        self.store = store
        self.shared = shared
    }

    func run() {
        while let jobs = shared.takeJobs(waitingAtMost: isHousekeepingDue ? 200_000 : nil) {
            if jobs.isEmpty {
                // Idle: a failure here is not lost, the next append will meet it too.
                try? store.checkpointStorage()
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
        var append = first.batch.append
        for job in current.dropFirst() where job.batch.append.count > 0 {
            if append.count == 0 {
                append = job.batch.append
            } else {
                append.append(contentsOf: job.batch.append)
            }
        }
        if append.count > 0 {
            let expected = current.first { $0.batch.append.count > 0 }?.batch.expectedHead ?? 0
            do throws(StoreError) {
                let head = try store.append(append, expectedHead: expected)
                shared.appended(append.count, head: head.sequence)
                shared.setHealth(.healthy)
                isHousekeepingDue = true
            } catch {
                failedEpoch = first.epoch
                lastError = error
                drop(current, error: error)
                return
            }
        }
        for job in current {
            for completion in job.completions { completion.resume() }
            if let snapshot = job.snapshot {
                // A cache: without it the next start folds more.
                try? store.saveSnapshot(snapshot, keeping: Self.snapshotsKept)
            }
        }
    }

    private func drop(_ jobs: [CommitJob], error: StoreError?) {
        let reason = error ?? lastError ?? StoreError(.inputOutput, "an earlier append failed")
        var again: [Work] = []
        for job in jobs {
            for completion in job.completions {
                if let work = completion.failed(.storeUnavailable(reason)) { again.append(work) }
            }
        }
        let count = jobs.reduce(0) { $0 + $1.batch.append.count }
        // First the failure, then the queries: they must meet the state rolled back.
        shared.dropped(count, failure: error)
        if !again.isEmpty { shared.requeue(again) }
    }
}
