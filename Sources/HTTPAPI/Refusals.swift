// A refusal as an answer: 402, or 429 where open holds are in the way. Made from its event alone.

package import Billing
package import CanonicalJSON
import Money

package struct Refusal {
    var recorded: RecordedEvent
    var event: UsageRejected
    var currency: String
    /// False in a dry run: nothing was recorded, there is no event to name.
    var isRecorded = true

    package init(
        recorded: RecordedEvent, event: UsageRejected, currency: String, isRecorded: Bool = true
    ) {
        self.recorded = recorded
        self.event = event
        self.currency = currency
        self.isRecorded = isRecorded
    }

    private var customer: String { recorded.customer ?? "" }

    package var isRetryable: Bool { event.code == .holdsFull }

    package var status: Int { isRetryable ? 429 : 402 }

    package var headers: [(name: String, value: String)] {
        var headers = [(name: "x-should-retry", value: isRetryable ? "true" : "false")]
        if isRetryable { headers.append(("Retry-After", String(retryAfterSeconds))) }
        return headers
    }

    /// Until the earliest hold in the way ends by itself, but at most five seconds: most holds are
    /// settled long before.
    package var retryAfterSeconds: Int64 {
        guard let freesAt = event.freesAt else { return 1 }
        let microseconds = freesAt.microseconds - recorded.time.microseconds
        return min(max((microseconds + 999_999) / 1_000_000, 1), 5)
    }

    func body() -> [UInt8] {
        JSONWriter.document { json in json.object("error") { json in writeMembers(&json) } }
    }

    package func writeMembers(_ json: inout JSONWriter) {
        let measure = event.measure ?? .charge
        json.member("affordable_max_tokens", ifPresent: event.affordableMaxTokens)
        json.member("amount", ifPresent: event.amount, measure)
        json.member("available", ifPresent: event.available, measure)
        json.member("budget", ifPresent: event.budget)
        json.member("code", event.code)
        json.member("customer", customer)
        if let estimate = event.estimate {
            json.object("estimate") { json in
                json.member("bound", estimate.bound.charge)
                json.member("expected", estimate.expected.charge)
            }
        }
        if isRetryable { json.member("frees_at", ifPresent: event.freesAt) }
        json.member("held", ifPresent: event.held, measure)
        json.member("measure", ifPresent: event.measure?.rawValue)
        json.member("message", message)
        json.member("model", event.call.model)
        json.member("need", ifPresent: event.need, measure)
        json.member("project", recorded.project ?? "")
        json.member("reason", ifPresent: event.reason)
        if isRecorded { json.member("rejection_event", recorded.sequence) }
        json.member("reservation", ifPresent: recorded.reservation)
        if !isRetryable { json.member("resets_at", ifPresent: event.freesAt) }
        json.member("retryable", isRetryable)
        json.member("rule", event.rule)
        json.member("spent", ifPresent: event.spent, measure)
        json.member("type", type)
    }

    package var code: String { event.code.rawValue }

    package var type: String { isAboutMoney ? "spend_limit" : "policy" }

    private var isAboutMoney: Bool {
        switch event.code {
        case .requestTooLarge, .holdsFull, .exhausted: true
        case .unknownPrice, .suspended, .policy: false
        }
    }

    // MARK: In words

    package var message: String {
        switch event.rule {
        case .budget: aboutLimit("budget '\(event.budget ?? "")'")
        case .runCap: aboutLimit("the cap of run '\(event.call.run ?? "")'")
        case .prepaidFunds: aboutFunds("Customer '\(customer)' has \(available) of credit left")
        case .creditLimit:
            aboutFunds(
                "Customer '\(customer)' owes \(money(event.spent)) of a credit limit of "
                    + "\(money(event.amount)), and calls under way hold \(money(event.held))")
        case .debt:
            "Customer '\(customer)' owes \(money(event.spent)) from earlier calls; new credit "
                + "repays it first."
        case .price:
            "Model '\(event.call.model)' has no price, and project '\(recorded.project ?? "")' no "
                + "ceiling rates for such models."
        case .customerSuspended: "Customer '\(customer)' is suspended\(because)."
        case .customerClosed: "Customer '\(customer)' is closed\(because)."
        case .runStopped: "Run '\(event.call.run ?? "")' was stopped\(because)."
        case .runEnded: "Run '\(event.call.run ?? "")' has ended."
        }
    }

    private var english: PlainEnglish { PlainEnglish(currency: currency) }
    private var measure: BudgetMeasure { event.measure ?? .charge }
    private var available: String { quantity(max(event.available ?? 0, 0)) }
    private var because: String { event.reason.map { ": \($0)" } ?? "" }

    private func quantity(_ value: Int64?) -> String { english.quantity(value ?? 0, measure) }
    private func money(_ nanos: Int64?) -> String { english.money(Money(nanos: nanos ?? 0)) }

    /// `may cost up to …`, `may take up to … tokens`, `is 1 call`.
    private var need: String {
        switch measure {
        case .charge, .cost: "may cost up to \(quantity(event.need))"
        case .tokens: "may take up to \(quantity(event.need))"
        case .requests: "is one more"
        }
    }

    private func aboutLimit(_ limit: String) -> String {
        let amount = quantity(event.amount)
        switch event.code {
        case .requestTooLarge:
            return "This call \(need), which is more than the whole of \(limit), \(amount)."
                + affordable
        case .holdsFull:
            return "Customer '\(customer)' has \(available) of \(amount) left under \(limit) while "
                + "calls under way hold \(quantity(event.held)); this call \(need). Try again when "
                + "one of them is settled." + affordable
        default:
            return
                "Customer '\(customer)' has \(available) of \(amount) left under \(limit)\(until); "
                + "this call \(need)." + affordable
        }
    }

    private func aboutFunds(_ state: String) -> String {
        let remedy = event.code == .holdsFull ? " Try again when a call under way is settled." : ""
        return "\(state); this call \(need).\(remedy)\(affordable)"
    }

    private var until: String { event.freesAt.map { " until \(english.time($0))" } ?? "" }

    private var affordable: String {
        guard let tokens = event.affordableMaxTokens, tokens > 0, tokens < .max else { return "" }
        return " With an output cap of \(english.count(tokens, "token")) it would pass."
    }
}
