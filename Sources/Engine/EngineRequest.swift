// What edges hand in and get back.

package import Billing
package import EventLog

/// A command with who asked and under which idempotency.
package struct EngineRequest: Sendable {
    package var command: Command
    /// Id of the API key; nil for the operator's own process.
    package var actor: String?
    /// The caller's Idempotency-Key, with the project that it is scoped to.
    package var idempotencyKey: Fingerprint?
    /// Digest of the canonical body and the operation: the same id or key with another digest is
    /// another request.
    package var requestHash: Fingerprint?
    /// Decide and answer, record nothing.
    package var isDryRun: Bool

    package init(
        _ command: Command, actor: String? = nil, idempotencyKey: Fingerprint? = nil,
        requestHash: Fingerprint? = nil, isDryRun: Bool = false
    ) {
        self.command = command
        self.actor = actor
        self.idempotencyKey = idempotencyKey
        self.requestHash = requestHash
        self.isDryRun = isDryRun
    }
}

/// The answer to a command, given after its events are durable. A class: it passes through two
/// threads and three lists on its way.
package final class CommandReply: Sendable {
    /// The event that answers; nil when there was nothing to do. In a dry run its sequence number
    /// is the one it would have had.
    package let event: RecordedEvent?
    /// Every event the command appended, in order.
    package let appended: [RecordedEvent]
    /// The command was asked before; this is the answer it got then.
    package let isReplay: Bool
    /// The reservation after the command, where it is about one.
    package let reservation: Reservation?

    package init(
        event: RecordedEvent? = nil, appended: [RecordedEvent] = [], isReplay: Bool = false,
        reservation: Reservation? = nil
    ) {
        self.event = event
        self.appended = appended
        self.isReplay = isReplay
        self.reservation = reservation
    }
}

package enum EngineError: Error, Sendable {
    /// The command makes no sense in the present state; nothing was recorded.
    case command(CommandError)
    /// The id or Idempotency-Key was used for another request.
    case idempotencyMismatch
    /// The queue is full; try again shortly.
    case overloaded
    /// The store refuses writes; nothing was recorded. Reads go on.
    case storeUnavailable(StoreError)
    /// The engine is stopping.
    case shuttingDown
    /// The log or a snapshot cannot be read.
    case unreadable(String)
}
