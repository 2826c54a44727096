// Signals, and the end that comes when a server does not find its own.
//
// The first SIGTERM or SIGINT asks: no new connections, what was accepted is finished. The second
// one, or the time limit, ends the process at once. Nothing that was answered is lost by that: an
// answer leaves after its commit.

import Glibc
import Logging
import UnixSignals

struct Stopping: Sendable {
    let stop: StopSignal
    let limitSeconds: Int
    let logger: Logger
    let endAtOnce: @Sendable (Int32) -> Void

    /// Follows the signals until it is cancelled.
    func followSignals() async {
        // The limit ends with the following of signals: when the server has stopped.
        await withTaskGroup(of: Void.self) { group in
            var isAsked = false
            for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                if isAsked {
                    logger.warning("told to stop twice: ending at once")
                    endAtOnce(128 + signal.rawValue)
                    break
                }
                isAsked = true
                logger.notice("stopping", metadata: ["limit_seconds": "\(limitSeconds)"])
                stop.stop()
                group.addTask { await enforceLimit() }
            }
            group.cancelAll()
        }
    }

    private func enforceLimit() async {
        // The services' own limit comes first; this is for what even that does not end.
        try? await Task.sleep(for: .seconds(limitSeconds + 5))
        if Task.isCancelled { return }
        logger.error("not stopped in time: ending at once, unanswered requests are not recorded")
        endAtOnce(5)
    }
}
