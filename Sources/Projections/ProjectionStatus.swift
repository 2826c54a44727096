package import Billing

/// How the read models stand: what `projections status` shows, and what metrics are made of.
package struct ProjectionStatus: Sendable, Equatable {
    package enum State: String, Sendable, Equatable {
        /// Nobody has asked for them yet, or they are being opened.
        case starting
        /// Follows the log.
        case following
        /// Follows the log, and is building a second file from its beginning.
        case rebuilding
        /// Cannot go on at present; tries again by itself.
        case failing
        /// Read beside the process that writes them.
        case beside
        /// For good: the ledger was closed.
        case stopped
    }

    package var state = State.starting
    package var path = ""
    package var schemaVersion = ViewSchema.version
    /// Number of the last event folded in; 0: none.
    package var sequence: UInt64 = 0
    /// Time of that event.
    package var time = Instant.zero
    /// The log's newest durable event.
    package var head: UInt64 = 0
    /// How long ago everything then on the log was folded in, microseconds of a monotonic clock; 0
    /// while nothing is missing. Nil: not since this process began.
    package var staleMicroseconds: Int64?
    /// How far the second file is, while one is being built.
    package var rebuildSequence: UInt64?
    /// What went wrong last, while `failing`.
    package var failure: String?

    package init() {}

    /// Events on the log that are not folded in yet.
    package var lagEvents: UInt64 { head - min(head, sequence) }
}
