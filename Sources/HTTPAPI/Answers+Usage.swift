// Answers to what is done with calls. Each is a function of one event and of nothing else: the same
// event, read from the log years later, gives the same bytes.

import Billing
import CanonicalJSON
import Money

enum UsageAnswers {
    /// - Parameter isRecorded: false in a dry run, where there is no event to name.
    static func reserved(
        _ recorded: RecordedEvent, _ event: UsageReserved, isRecorded: Bool = true
    ) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 2_048) { json in
            writeReserved(recorded, event, isRecorded: isRecorded, &json)
        }
    }

    private static func writeReserved(
        _ recorded: RecordedEvent, _ event: UsageReserved, isRecorded: Bool,
        _ json: inout JSONWriter
    ) {
        json.member("allows_amount_settlement", event.allowsAmountSettlement)
        json.budgets(event.lines, isHeld: true)
        json.member("clamped_from", ifPresent: event.clampedFrom)
        json.member("customer", recorded.customer ?? "")
        json.estimate(event.estimate)
        if isRecorded { json.member("event", recorded.sequence) }
        json.member("expires_at", event.expiresAt)
        json.funds(event.funds, hold: event.funding)
        json.figures("hold", event.held)
        json.member("max_output_tokens", event.estimate.maxOutputTokens)
        json.member("model", event.call.model)
        json.member("on_expiry", event.onExpiry)
        json.member("project", recorded.project ?? "")
        json.member("reservation", recorded.reservation ?? "")
        json.member("run", ifPresent: event.call.run)
        json.member("status", "reserved")
        json.member("tags", event.call.tags)
        json.member("user", ifPresent: event.call.user)
        json.warnings(APIWarning.of(event))
    }

    static func extended(_ recorded: RecordedEvent, _ event: UsageExtended) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 256) { json in
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.member("expires_at", event.expiresAt)
            json.member("project", recorded.project ?? "")
            json.member("reservation", recorded.reservation ?? "")
            json.member("status", "reserved")
        }
    }

    static func settled(_ recorded: RecordedEvent, _ event: UsageSettled) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 1_024) { json in
            json.member("bound_ratio_ppm", ifPresent: event.boundRatio)
            json.member("charge", event.rated.charge)
            json.member("cost", event.rated.cost)
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.member("expected_ratio_ppm", ifPresent: event.expectedRatio)
            json.member("late", event.isLate)
            json.member("occurred_at", ifPresent: event.occurredAt)
            json.member("overrun", event.overrun)
            json.member("project", recorded.project ?? "")
            json.rated(event.rated)
            json.portions("repaid_debt", event.repaidDebt)
            if event.isLate { json.figures("replaced", event.replaced) }
            json.member("reservation", recorded.reservation ?? "")
            json.member("settled_at", recorded.time)
            json.split(event.split)
            json.member("status", "settled")
            json.warnings(APIWarning.of(event.rated.marks))
        }
    }

    static func released(_ recorded: RecordedEvent, _ event: UsageReleased) -> [UInt8] {
        released(
            project: recorded.project ?? "", customer: recorded.customer ?? "",
            id: recorded.reservation ?? "", status: "released", event: recorded.sequence,
            reason: event.reason)
    }

    /// - Parameter event: nil when there was nothing to release any more.
    static func released(
        project: String, customer: String, id: String, status: String, event: UInt64? = nil,
        reason: String? = nil
    ) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 256) { json in
            json.member("customer", customer)
            json.member("event", ifPresent: event)
            json.member("project", project)
            json.member("reason", ifPresent: reason)
            json.member("reservation", id)
            json.member("status", status)
        }
    }

    static func recorded(_ recorded: RecordedEvent, _ event: UsageRecorded) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 1_024) { json in
            json.budgets(event.lines, isHeld: false)
            json.member("charge", event.rated.charge)
            json.member("cost", event.rated.cost)
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.member("mode", event.mode)
            json.member("model", event.call.model)
            json.member("occurred_at", ifPresent: event.call.occurredAt)
            json.member("project", recorded.project ?? "")
            json.rated(event.rated)
            json.member("recorded_at", recorded.time)
            json.member("run", ifPresent: event.call.run)
            json.split(event.split)
            json.member("status", "recorded")
            json.member("tags", event.call.tags)
            json.member("usage", recorded.reservation ?? "")
            json.member("user", ifPresent: event.call.user)
            json.warnings(APIWarning.of(event.rated.marks))
        }
    }

    static func adjusted(_ recorded: RecordedEvent, _ event: UsageAdjusted) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 1_024) { json in
            json.member("author", event.author)
            json.member("charge", event.charge)
            json.member("corrects", event.corrects)
            json.member("cost", event.cost)
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.member("project", recorded.project ?? "")
            if let rated = event.rated { json.rated(rated) }
            json.member("reason", event.reason)
            json.portions("repaid_debt", event.repaidDebt)
            json.member("reservation", recorded.reservation ?? "")
            json.split(event.split)
            json.member("tokens", event.tokens)
        }
    }

    /// A reservation, rejection or usage record as it is now.
    static func reservation(_ reservation: Reservation) -> [UInt8] {
        let isHold = reservation.status != .rejected && reservation.status != .recorded
        return JSONWriter.document(reservingCapacity: 2_048) { json in
            json.figures("actual", reservation.actual)
            if isHold {
                json.member("allows_amount_settlement", reservation.allowsAmountSettlement)
            }
            json.budgets(reservation.lines, isHeld: isHold)
            json.member("customer", reservation.subject.customer)
            json.estimate(reservation.estimate)
            if isHold { json.member("expires_at", reservation.expiresAt) }
            json.member("first_event", reservation.firstSequence)
            if isHold {
                json.object("funding") { json in
                    json.portions("grants", reservation.funding.grants)
                    json.member("mode", reservation.funding.mode)
                    json.member("uncovered", reservation.funding.uncovered)
                }
            }
            json.member("last_event", reservation.lastSequence)
            json.member("model", reservation.model)
            if isHold { json.member("on_expiry", reservation.onExpiry) }
            json.member("project", reservation.subject.project)
            json.member("reservation", reservation.id)
            json.member("reserved_at", reservation.reservedAt)
            json.member("run", ifPresent: reservation.subject.run)
            json.split(reservation.split)
            json.member("status", reservation.status.apiName)
            json.member("tags", reservation.subject.tags)
            json.member("user", ifPresent: reservation.subject.user)
        }
    }
}

extension UsageReserved {
    /// The figures of the estimate that the funds hold.
    var held: CallFigures {
        funds.need == estimate.bound.charge ? estimate.bound : estimate.expected
    }
}

extension ReservationStatus {
    /// `reserved` for an open one, as the answer to a reservation says it.
    var apiName: String { self == .open ? "reserved" : rawValue }
}
