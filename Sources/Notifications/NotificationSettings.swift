/// What an operator decides about notifications.
package struct NotificationSettings: Sendable {
    package var rules = NotificationRules()
    package var targets = TargetRules()

    package init() {}

    /// `50,80,100`: at most 10 ascending whole percentages between 1 and 1000; empty: none. Nil for
    /// anything else.
    package static func percentages(_ text: String) -> [Int64]? {
        var percentages: [Int64] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
            let digits = part.filter { $0 != " " }
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let percent = Int64(digits), (1...1_000).contains(percent),
                percent > percentages.last ?? 0
            else { return nil }
            percentages.append(percent)
        }
        return percentages.count <= 10 ? percentages : nil
    }
}

/// From when on something is worth a notification.
package struct NotificationRules: Sendable, Equatable {
    /// Per cent of a budget's amount, ascending.
    package var thresholds: [Int64] = [50, 80, 100]
    /// A run spikes when its charge is this many times the mean of the project's other runs.
    package var runSpikeFactor: Int64 = 10
    /// Fewer other runs than this say nothing of what is usual.
    package var runSpikeRuns: Int64 = 20
    /// Nano units; less is not worth a message, however unusual.
    package var runSpikeFloor: Int64 = 100_000_000

    package init() {}
}
