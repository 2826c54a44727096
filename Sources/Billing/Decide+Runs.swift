// Runs: one agent invocation or session, with a cap of its own and a stop from outside.

import Money

extension LedgerState {
    func decideStart(_ request: RunRequest) throws(CommandError) -> [EventDraft] {
        _ = try existing(project: request.key.project)
        guard runs[request.key] == nil else {
            throw CommandError(
                .alreadyExists, "Run '\(request.key.id)' was started already.", param: "id")
        }
        if let cap = request.cap, cap.isNegative || cap > LedgerLimits.totalMax {
            throw CommandError(.invalid, "A cap is zero to 4,000,000,000.", param: "cap")
        }
        var event = RunStarted()
        event.run = request.key.id
        event.user = request.user
        event.cap = request.cap
        event.metadata = request.metadata
        return [
            EventDraft(
                .runStarted(event), project: request.key.project, customer: request.customer)
        ]
    }

    /// Stopping a stopped run again says nothing new; stopping one never seen refuses its later
    /// calls.
    func decideStop(_ key: RunKey, _ reason: String?) throws(CommandError) -> [EventDraft] {
        _ = try existing(project: key.project)
        let run = runs[key]
        if let run, run.status != .active { return [] }
        var event = RunStopped()
        event.run = key.id
        event.reason = reason
        return [EventDraft(.runStopped(event), project: key.project, customer: run?.customer)]
    }

    func decideEnd(_ key: RunKey) throws(CommandError) -> [EventDraft] {
        guard let run = runs[key] else {
            throw CommandError(.notFound, "There is no run '\(key.id)'.", param: "run")
        }
        if run.endedAt != nil { return [] }
        var event = RunEnded()
        event.run = key.id
        return [EventDraft(.runEnded(event), project: key.project, customer: run.customer)]
    }
}
