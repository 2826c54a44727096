// The envelope of an event: everything but its payload, which lies in the middle of it as `data`.

package import Billing

/// What an event says before its payload is looked at.
package struct EventEnvelope: Sendable, Equatable {
    package var sequence: UInt64 = 0
    package var time = Instant.zero
    package var type = ""
    package var schemaVersion: Int64 = 0
    package var project: String?
    package var customer: String?
    package var reservation: String?
    package var actor: String?
    package var idempotencyKeyHash: String?
    package var requestHash: String?

    init() {}

    init(_ event: RecordedEvent) {
        sequence = event.sequence
        time = event.time
        type = event.event.type
        schemaVersion = event.schemaVersion
        project = event.project
        customer = event.customer
        reservation = event.reservation
        actor = event.actor
        idempotencyKeyHash = event.idempotencyKeyHash
        requestHash = event.requestHash
    }

    mutating func fieldsBeforeData<V: RecordVisitor>(
        _ visitor: inout V
    ) throws(V.Failure) {
        try visitor.optional(
            "actor", .text, &actor,
            "Id of the API key that asked; absent for what the engine does by itself.")
        try visitor.optional("customer", .text, &customer)
    }

    mutating func fieldsAfterData<V: RecordVisitor>(
        _ visitor: inout V
    ) throws(V.Failure) {
        try visitor.optional(
            "idempotency_key_hash", .hex, &idempotencyKeyHash,
            "Digest of the caller's Idempotency-Key.")
        try visitor.optional("project", .text, &project)
        try visitor.optional(
            "request_hash", .hex, &requestHash,
            "Digest of what was asked: the same id with another digest is another request.")
        try visitor.optional(
            "reservation", .text, &reservation, "The caller's id of the call.")
        try visitor.field("seq", .sequence, &sequence, "1, 2, 3 … without gaps.")
        try visitor.field(
            "time", .time, &time, "Given by the engine; never earlier than the event before.")
        try visitor.field("type", .text, &type)
        try visitor.field("v", .count, &schemaVersion, "Version of this type's schema.")
    }
}
