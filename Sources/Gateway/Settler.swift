// Brings the end of a call onto the log, however long that takes: what the provider was paid for is
// not forgotten because the ledger is busy. Below it is a net: the hold's `on_expiry: charge`.

import Billing
import Engine
import Money

struct Settler: Sendable {
    let engine: Engine
    let key: ReservationKey
    let actor: String?

    enum Result: Sendable {
        case settled(RecordedEvent)
        /// Nothing is held any longer: it was given back, or an attempt whose answer was lost had
        /// been recorded.
        case resolved
        /// It could not be carried out; the hold's expiry decides.
        case failed(EngineError)

        var settlement: UsageSettled? {
            guard case .settled(let event) = self, case .usageSettled(let settled) = event.event
            else { return nil }
            return settled
        }
    }

    /// Tries until it succeeds, cannot succeed, or the engine stops. Not to be run in a task that
    /// may be cancelled.
    func carryOut(
        _ settlement: Settlement, served name: @Sendable (String) -> String
    ) async -> Result {
        var command = self.command(settlement, name)
        var pause = Duration.milliseconds(20)
        while true {
            do throws(EngineError) {
                let reply = try await engine.submit(EngineRequest(command, actor: actor))
                guard let event = reply.event, case .usageSettled = event.event else {
                    return .resolved
                }
                return .settled(event)
            } catch {
                switch error {
                case .overloaded, .storeUnavailable, .unreadable:
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(2))
                case .command(let fault)
                where fault.code == .alreadySettled || fault.code == .alreadyReleased:
                    return .resolved
                case .command(let fault):
                    guard let other = Self.instead(of: command, key, fault) else {
                        return .failed(error)
                    }
                    command = other
                case .idempotencyMismatch, .shuttingDown: return .failed(error)
                }
            }
        }
    }

    private func command(_ settlement: Settlement, _ name: (String) -> String) -> Command {
        func settle(_ usage: ReportedUsage, isEstimated: Bool) -> Command {
            var usage = usage
            usage.servedModel = usage.servedModel.map(name)
            return .settle(
                SettleRequest(key: key, actual: .usage(usage), isEstimated: isEstimated))
        }
        switch settlement {
        case .release(let reason): return .release(key, reason: reason)
        case .usage(let usage): return settle(usage, isEstimated: false)
        case .estimated(let usage): return settle(usage, isEstimated: true)
        case .unknown: return .settle(SettleRequest(key: key, actual: .missing))
        case .atMost: return .settle(SettleRequest(key: key, actual: .missingAtMost))
        }
    }

    /// Nil: there is nothing else to be done.
    private static func instead(
        of command: Command, _ key: ReservationKey, _ fault: CommandError
    ) -> Command? {
        switch (command, fault.code) {
        case (.release, .expiredCharged):
            // The hold had expired and was charged: what was not used is settled as that.
            var nothing = ReportedUsage()
            nothing.inputTokens = 0
            nothing.outputTokens = 0
            return .settle(SettleRequest(key: key, actual: .usage(nothing)))
        case (.settle(let request), .invalid), (.settle(let request), .overflow),
            (.settle(let request), .unknownPrice):
            // Counts that cannot be rated: what was expected, marked, rather than nothing.
            if request.actual == .missing { return nil }
            return .settle(SettleRequest(key: key, actual: .missing))
        default: return nil
        }
    }

    /// Gives the hold more time. What fails is tried again at the next renewal.
    func renew(seconds: Int64) async {
        _ = try? await engine.submit(EngineRequest(.extend(key, seconds: seconds), actor: actor))
    }
}
