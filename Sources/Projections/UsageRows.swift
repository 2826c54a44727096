// Usage and refusals: who used what, when, and what it came to. Days are days of UTC, counted from
// 1970-01-01 (day 0), by the time of the event. Money is in nano units.

import Billing

/// Tokens and fees by what they are billed as. What is known of tokens only as a sum is
/// `unattributed`: provisional charges, and corrections that give amounts.
package struct UnitTotals: Sendable, Hashable {
    package var input: Int64 = 0
    package var cacheRead: Int64 = 0
    package var cacheWrite5m: Int64 = 0
    package var cacheWrite1h: Int64 = 0
    package var cacheWrite12h: Int64 = 0
    package var inputAudio: Int64 = 0
    package var inputImage: Int64 = 0
    package var cacheReadAudio: Int64 = 0
    package var output: Int64 = 0
    package var reasoning: Int64 = 0
    package var outputAudio: Int64 = 0
    package var outputImage: Int64 = 0
    package var unattributed: Int64 = 0
    package var webSearches: Int64 = 0

    /// Adds `counts` as often as `sign` says: 1, or -1 to take them off.
    mutating func add(_ counts: UsageCounts, sign: Int64 = 1) {
        for line in counts.lines {
            let count = sign < 0 ? -line.count : line.count
            switch line.unit {
            case .input: input.add(count)
            case .cacheRead: cacheRead.add(count)
            case .cacheWrite5m: cacheWrite5m.add(count)
            case .cacheWrite1h: cacheWrite1h.add(count)
            case .cacheWrite12h: cacheWrite12h.add(count)
            case .inputAudio: inputAudio.add(count)
            case .inputImage: inputImage.add(count)
            case .cacheReadAudio: cacheReadAudio.add(count)
            case .output: output.add(count)
            case .reasoning: reasoning.add(count)
            case .outputAudio: outputAudio.add(count)
            case .outputImage: outputImage.add(count)
            case .webSearch: webSearches.add(count)
            // Counted as `requests`.
            case .request: break
            }
        }
    }

    mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.integer("input", &input)
        visitor.integer("cache_read", &cacheRead)
        visitor.integer("cache_write_5m", &cacheWrite5m)
        visitor.integer("cache_write_1h", &cacheWrite1h)
        visitor.integer("cache_write_12h", &cacheWrite12h)
        visitor.integer("input_audio", &inputAudio)
        visitor.integer("input_image", &inputImage)
        visitor.integer("cache_read_audio", &cacheReadAudio)
        visitor.integer("output", &output)
        visitor.integer("reasoning", &reasoning)
        visitor.integer("output_audio", &outputAudio)
        visitor.integer("output_image", &outputImage)
        visitor.integer("unattributed", &unattributed)
        visitor.integer("web_searches", &webSearches)
    }
}

/// What one customer's calls of one model came to on one day.
package struct UsageRow: ViewRow, Hashable {
    package static let table = "usage"
    package static let keyColumns = 4

    package var project = ""
    package var customer = ""
    /// As asked for.
    package var model = ""
    package var day: Int64 = 0
    /// Calls that count as made.
    package var requests: Int64 = 0
    package var reserved: Int64 = 0
    package var settled: Int64 = 0
    /// Of `settled`: after the hold had expired.
    package var late: Int64 = 0
    package var released: Int64 = 0
    package var expired: Int64 = 0
    package var recorded: Int64 = 0
    package var adjusted: Int64 = 0
    package var tokens: Int64 = 0
    package var units = UnitTotals()
    package var cost: Int64 = 0
    package var charge: Int64 = 0
    /// Charged above what was held.
    package var overrun: Int64 = 0
    /// Settlements by true usage that had an estimate; the figures below are of these.
    package var estimates: Int64 = 0
    package var actualCost: Int64 = 0
    package var expectedCost: Int64 = 0
    package var boundCost: Int64 = 0
    /// Σ |actual − expected|.
    package var absoluteError: Int64 = 0
    package var aboveExpected: Int64 = 0
    package var aboveBound: Int64 = 0

    package init() {}

    init(_ customer: CustomerKey, model: String, day: Int64) {
        project = customer.project
        self.customer = customer.id
        self.model = model
        self.day = day
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("model", &model)
        visitor.integer("day", &day)
        visitor.integer("requests", &requests)
        visitor.integer("reserved", &reserved)
        visitor.integer("settled", &settled)
        visitor.integer("late", &late)
        visitor.integer("released", &released)
        visitor.integer("expired", &expired)
        visitor.integer("recorded", &recorded)
        visitor.integer("adjusted", &adjusted)
        visitor.integer("tokens", &tokens)
        units.columns(&visitor)
        visitor.integer("cost", &cost)
        visitor.integer("charge", &charge)
        visitor.integer("overrun", &overrun)
        visitor.integer("estimates", &estimates)
        visitor.integer("actual_cost", &actualCost)
        visitor.integer("expected_cost", &expectedCost)
        visitor.integer("bound_cost", &boundCost)
        visitor.integer("absolute_error", &absoluteError)
        visitor.integer("above_expected", &aboveExpected)
        visitor.integer("above_bound", &aboveBound)
    }
}

/// Calls of one customer and model that one rule refused on one day, and what they would have come
/// to.
package struct RefusalRow: ViewRow, Hashable {
    package static let table = "refusals"
    package static let keyColumns = 7

    package var project = ""
    package var customer = ""
    package var model = ""
    package var day: Int64 = 0
    /// `RejectionRule`.
    package var rule = ""
    /// `RejectionCode`.
    package var code = ""
    /// Empty where no budget refused.
    package var budget = ""
    package var refused: Int64 = 0
    /// Of `refused`: without an estimate, because the model has no price.
    package var unpriced: Int64 = 0
    package var boundCost: Int64 = 0
    package var boundCharge: Int64 = 0
    package var expectedCost: Int64 = 0
    package var expectedCharge: Int64 = 0

    package init() {}

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("model", &model)
        visitor.integer("day", &day)
        visitor.text("rule", &rule)
        visitor.text("code", &code)
        visitor.text("budget", &budget)
        visitor.integer("refused", &refused)
        visitor.integer("unpriced", &unpriced)
        visitor.integer("bound_cost", &boundCost)
        visitor.integer("bound_charge", &boundCharge)
        visitor.integer("expected_cost", &expectedCost)
        visitor.integer("expected_charge", &expectedCharge)
    }
}

/// A reservation that holds money now. Gone when it is resolved.
package struct OpenReservationRow: ViewRow, Hashable {
    package static let table = "open_reservations"
    package static let keyColumns = 2

    package var project = ""
    package var id = ""
    package var customer = ""
    package var user = ""
    package var run = ""
    package var model = ""
    package var plan = ""
    /// Microseconds since 1970 UTC.
    package var reservedAt: Int64 = 0
    package var expiresAt: Int64 = 0
    /// `ExpiryPolicy`.
    package var onExpiry = ""
    /// Number of its `usage.reserved`.
    package var sequence: Int64 = 0
    package var boundCost: Int64 = 0
    package var boundCharge: Int64 = 0
    package var expectedCost: Int64 = 0
    package var expectedCharge: Int64 = 0
    /// Of the customer's funds.
    package var held: Int64 = 0

    package init() {}

    init(_ key: ReservationKey) {
        project = key.project
        id = key.id
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("id", &id)
        visitor.text("customer", &customer)
        visitor.text("user", &user)
        visitor.text("run", &run)
        visitor.text("model", &model)
        visitor.text("plan", &plan)
        visitor.integer("reserved_us", &reservedAt)
        visitor.integer("expires_us", &expiresAt)
        visitor.text("on_expiry", &onExpiry)
        visitor.integer("seq", &sequence)
        visitor.integer("bound_cost", &boundCost)
        visitor.integer("bound_charge", &boundCharge)
        visitor.integer("expected_cost", &expectedCost)
        visitor.integer("expected_charge", &expectedCharge)
        visitor.integer("held", &held)
    }
}

extension Int64 {
    /// Adds, staying within the range: a fold must not trap. `decide` bounds what a customer can
    /// come to; what was refused is bounded by nothing.
    mutating func add(_ other: Int64) { self = addingClamped(other) }
}
