// What passes between callers, the deciding thread and the log writer.

import Billing
package import EventLog

/// Something a caller waits for.
enum Work: Sendable {
    case command(EngineRequest, CheckedContinuation<Result<CommandReply, EngineError>, Never>)
    case commands([EngineRequest], CheckedContinuation<[Result<CommandReply, EngineError>], Never>)
    /// Looks at the core and returns what resumes its caller, or what to do when nothing can be
    /// read.
    case query(Query)

    struct Query: Sendable {
        var look: @Sendable (EngineCore) -> @Sendable () -> Void
        var fail: @Sendable (EngineError) -> Void
    }

    var size: Int {
        switch self {
        case .command, .query: 1
        case .commands(let requests, _): requests.count
        }
    }

    func fail(_ error: EngineError) {
        HandOver.give()
        switch self {
        case .command(_, let continuation): continuation.resume(returning: .failure(error))
        case .commands(let requests, let continuation):
            continuation.resume(returning: requests.map { _ in .failure(error) })
        case .query(let query): query.fail(error)
        }
    }
}

/// An answer that may leave once everything decided before it is durable.
enum Completion: Sendable {
    case command(
        CheckedContinuation<Result<CommandReply, EngineError>, Never>,
        Result<CommandReply, EngineError>)
    case commands(
        CheckedContinuation<[Result<CommandReply, EngineError>], Never>,
        [Result<CommandReply, EngineError>])
    case query(Work.Query, @Sendable () -> Void)

    func resume() {
        HandOver.give()
        switch self {
        case .command(let continuation, let result): continuation.resume(returning: result)
        case .commands(let continuation, let results): continuation.resume(returning: results)
        case .query(_, let resume): resume()
        }
    }

    /// The append failed: commands get the error; a query is to be asked again.
    func failed(_ error: EngineError) -> Work? {
        HandOver.give()
        switch self {
        case .command(let continuation, _): continuation.resume(returning: .failure(error))
        case .commands(let continuation, let results):
            continuation.resume(returning: results.map { _ in .failure(error) })
        case .query(let query, _): return .query(query)
        }
        return nil
    }
}

/// A run of decided events with the answers that wait for them.
struct CommitJob {
    /// Raised by each roll-back; jobs of an earlier epoch were decided on a state that is gone.
    var epoch: Int
    var batch: DecidedBatch
    var completions: [Completion]
    var snapshot: StoredSnapshot?
    var times = BatchTimes()
}

/// Whether the engine takes writes.
package enum EngineHealth: Sendable, Equatable {
    case healthy
    /// The store refused; writes are tried again after a moment.
    case degraded(StoreError)
    /// The store can not be written to again without an operator.
    case halted(StoreError)
    case stopping
}
