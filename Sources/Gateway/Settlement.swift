// What a call is settled by: a pure function of how it ended and of what was read of its answer.
//
//   how it ended                                  settled by
//   ─────────────────────────────────────────────────────────────────────────────────────
//   no connection could be made                   release: the provider knows nothing of it
//   a status that says that somebody on the way   as if it had never been answered
//   did not wait: 408, 504, 524
//   another status that says no                   release
//   its final usage came, whatever else           that usage
//   an error in the answer before its first token release
//   an answer that goes on at the provider        estimate: nobody will tell its usage here
//   whole, or cut, without final usage            estimate: prompt as sized or as reported, output
//                                                 as it passed by
//   sent, and never answered                      the expected estimate of the reservation: nobody
//                                                 knows what the provider did
//   the same, because the client went and it was  the bound of the reservation: whoever leaves
//   not waited for any longer                     chooses not to know, and must not gain by it

package import Billing
package import Dialects

package enum Settlement: Sendable, Equatable {
    case release(reason: String)
    /// What the provider reported.
    case usage(ReportedUsage)
    /// What was worked out from what passed by.
    case estimated(ReportedUsage)
    /// Nothing is known but what was expected.
    case unknown
    /// Nothing is known but what it came to at most.
    case atMost
}

/// What the gateway itself knows of the size of a call.
package struct PassedSizes: Sendable, Equatable {
    /// Tokens of the prompt, as it was sized.
    package var inputTokens: Int64
    /// Tokens of the output that has passed by.
    package var outputTokens: Int64
    /// Attributes of the request that choose multipliers of its price.
    package var attributes: [String]
    /// Searches that such a call makes and that its dialect's usage does not count.
    package var webSearches: Int64

    package init(
        inputTokens: Int64, outputTokens: Int64, attributes: [String] = [],
        webSearches: Int64 = 0
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.attributes = attributes
        self.webSearches = webSearches
    }
}

extension Settlement {
    /// - Parameter reading: of the answer's body; nil: there was none to read.
    package init(_ ending: GatewayCall.Ending, _ reading: CallReading?, _ passed: PassedSizes) {
        switch ending {
        case .unreachable: self = .release(reason: "no connection to the upstream")
        case .unanswered(let stop): self = Self.unknown(stop)
        case .declined(408), .declined(504), .declined(524): self = .unknown
        case .declined(let status): self = .release(reason: "the upstream answered \(status)")
        case .answered(let stop):
            guard let reading else {
                self = Self.unknown(stop)
                return
            }
            self.init(reading, passed, stop)
        }
    }

    private static func unknown(_ stop: GatewayCall.Stop?) -> Settlement {
        stop == .drained ? .atMost : .unknown
    }

    private init(_ reading: CallReading, _ passed: PassedSizes, _ stop: GatewayCall.Stop?) {
        var usage = reading.report?.usage ?? ReportedUsage()
        usage.servedModel = usage.servedModel ?? reading.servedModel
        usage.servedTier = usage.servedTier ?? reading.servedTier
        if usage.webSearches == nil, passed.webSearches > 0, reading.hasFirstToken {
            usage.webSearches = passed.webSearches
        }
        let isError = if case .providerError = reading.outcome { true } else { false }
        // A call that failed may have been billed all the same, and then it says so.
        if reading.isUsageFinal, !usage.isMissing, !(isError && usage.isNothing) {
            let stated = reading.report?.statedAttributes ?? []
            usage.attributes += passed.attributes.filter { attribute in
                !stated.contains { attribute.hasPrefix($0 + "=") }
            }
            usage.attributes.sort()
            self = .usage(usage)
            return
        }
        if isError, !reading.hasFirstToken {
            self = .release(reason: "the upstream sent an error before any output")
            return
        }
        if case .pending = reading.outcome {
            self = Self.unknown(stop)
            return
        }
        // An interim report knows the prompt exactly; of the output it knows what was generated
        // when it was made.
        usage.inputTokens = usage.inputTokens ?? passed.inputTokens
        usage.outputTokens = max(usage.outputTokens ?? 0, passed.outputTokens)
        if reading.webSearches > 0 {
            usage.webSearches = max(usage.webSearches ?? 0, reading.webSearches)
        }
        if usage.attributes.isEmpty { usage.attributes = passed.attributes }
        self = .estimated(usage)
    }
}

extension ReportedUsage {
    /// Says that there was nothing to bill.
    fileprivate var isNothing: Bool {
        (inputTokens ?? 0) == 0 && (outputTokens ?? 0) == 0 && (webSearches ?? 0) == 0
    }
}
