// A notification: what an endpoint is told. The body, one line of canonical JSON, in which amounts
// are decimal text as in the API:
//
//   {"data":{…},"event":1234,"id":"ntf_…","ledger_id":"…","project":"…","timestamp":"…","type":"…"}
//
// `event` is the number of the event on the log that it follows from, and `timestamp` that event's
// time. Both, and the id, are the same whenever and however often the log is folded. The schema is
// schemas/notification.schema.json.

package import Billing
import CanonicalJSON
import Crypto
import Money
import TimeZones

package enum NotificationType: String, Sendable, CaseIterable {
    /// A call was refused.
    case usageRejected = "usage.rejected"
    /// A budget, or a run's cap, is used up to a percentage.
    case budgetThreshold = "budget.threshold"
    /// A run costs far more than runs usually do.
    case runSpike = "run.spike"
    /// A call was charged more than was held for it.
    case usageOverrun = "usage.overrun"
    /// A customer has come into debt.
    case customerDebt = "customer.debt"
    /// A hold expired before its usage came.
    case usageExpired = "usage.expired"
    /// A credit grant expired.
    case creditExpired = "credit.expired"
    /// Asked for by somebody, to see whether it arrives.
    case webhookTest = "webhook.test"
}

package struct Notification: Sendable, Equatable {
    package var id: String
    package var type: NotificationType
    /// Number of the event that it follows from; 0: of a test.
    package var sequence: UInt64
    package var time: Instant
    package var project: String?
    package var body: [UInt8]

    /// - Parameters:
    ///   - distinction: tells it from others of the same event and type.
    ///   - data: writes the members of `data`, in the order of their names.
    init(
        _ type: NotificationType, of recorded: RecordedEvent, ledgerID: String,
        distinction: [String] = [], data: (inout JSONWriter) -> Void
    ) {
        // Not the number alone: a ledger that was put back from a backup uses numbers again.
        let parts = [
            "notification", ledgerID, String(recorded.sequence),
            String(recorded.time.microseconds), recorded.customer ?? "",
            recorded.reservation ?? "", type.rawValue,
        ]
        self.init(
            id: Self.id("ntf_", parts + distinction), type: type, sequence: recorded.sequence,
            time: recorded.time, project: recorded.project, ledgerID: ledgerID, data: data)
    }

    /// Of no event.
    static func test(id: String, project: String?, time: Instant, ledgerID: String) -> Notification
    {
        Notification(
            id: id, type: .webhookTest, sequence: 0, time: time, project: project,
            ledgerID: ledgerID
        ) { _ in }
    }

    private init(
        id: String, type: NotificationType, sequence: UInt64, time: Instant, project: String?,
        ledgerID: String, data: (inout JSONWriter) -> Void
    ) {
        self.id = id
        self.type = type
        self.sequence = sequence
        self.time = time
        self.project = project
        var json = JSONWriter(reservingCapacity: 512)
        json.beginObject()
        json.key("data")
        json.beginObject()
        data(&json)
        json.endObject()
        if sequence > 0 {
            json.key("event")
            json.integer(Int64(clamping: sequence))
        }
        json.text("id", id)
        json.text("ledger_id", ledgerID)
        json.text("project", project)
        json.time("timestamp", time)
        json.text("type", type.rawValue)
        json.endObject()
        body = json.bytes
    }

    /// The prefix and 128 bits of a digest of `parts`.
    static func id(_ prefix: String, _ parts: [String]) -> String {
        var hash = SHA256()
        for part in parts {
            hash.update(data: Array(part.utf8))
            // No byte of UTF-8 is 0xff: ("ab", "c") and ("a", "bc") stay apart.
            hash.update(data: [0xff])
        }
        let digits = Array("0123456789abcdef".utf8)
        let bytes = hash.finalize().prefix(16).flatMap { byte in
            [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return prefix + String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONWriter {
    mutating func text(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        key(name)
        string(text)
    }

    mutating func money(_ name: StaticString, _ amount: Money) {
        key(name)
        plainString { amount.appendDecimalText(to: &$0) }
    }

    mutating func count(_ name: StaticString, _ count: Int64?) {
        guard let count else { return }
        key(name)
        integer(count)
    }

    mutating func time(_ name: StaticString, _ time: Instant?) {
        guard let time else { return }
        key(name)
        plainString { RFC3339.write(microseconds: time.microseconds, into: &$0) }
    }

    /// Money as text for `charge` and `cost`, else a count.
    mutating func quantity(_ name: StaticString, _ quantity: Int64?, _ measure: BudgetMeasure?) {
        guard let quantity else { return }
        if measure?.isMoney ?? true {
            money(name, Money(nanos: quantity))
        } else {
            count(name, quantity)
        }
    }
}
