/// What has come of webhooks since the start of the process, for metrics.
package struct WebhookCounts: Sendable, Equatable {
    /// Attempts that the receiver answered with a 2xx status.
    package var delivered: Int64 = 0
    /// Attempts that came to anything else.
    package var failed: Int64 = 0
    /// Endpoints that were switched off because they kept failing, or wanted no more.
    package var switchedOff: Int64 = 0
    /// Deliveries on their way at the last look, also those that wait for another attempt.
    package var waiting: Int64 = 0

    package init() {}

    mutating func add(_ outcome: AttemptOutcome) {
        if case .answered(let status, _) = outcome, (200..<300).contains(status) {
            delivered += 1
        } else {
            failed += 1
        }
    }
}
