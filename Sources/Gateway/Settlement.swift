// What a call is settled by: a pure function of how it ended and of what was read of its answer.
//
//   how it ended                                  settled by
//   ─────────────────────────────────────────────────────────────────────────────────────
//   no connection could be made                   release: the provider knows nothing of it
//   the provider's status says no                 release
//   an error in the answer before its first token release
//   an answer that goes on at the provider        estimate: nobody will tell its usage here
//   whole, or cut, and its final usage came       that usage
//   whole, or cut, without final usage            estimate: prompt as sized or as reported, output
//                                                 as it passed by
//   sent, and never answered                      the expected estimate of the reservation: nobody
//                                                 knows what the provider did

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
}

/// What the gateway itself knows of the size of a call.
package struct PassedSizes: Sendable, Equatable {
    /// Tokens of the prompt, as it was sized.
    package var inputTokens: Int64
    /// Tokens of the output that has passed by.
    package var outputTokens: Int64
    /// Attributes of the request that choose multipliers of its price.
    package var attributes: [String]

    package init(inputTokens: Int64, outputTokens: Int64, attributes: [String] = []) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.attributes = attributes
    }
}

extension Settlement {
    /// - Parameter reading: of the answer's body; nil: there was none to read.
    package init(_ ending: GatewayCall.Ending, _ reading: CallReading?, _ passed: PassedSizes) {
        switch ending {
        case .unreachable: self = .release(reason: "no connection to the upstream")
        case .unanswered: self = .unknown
        case .declined(let status): self = .release(reason: "the upstream answered \(status)")
        case .answered:
            guard let reading else {
                self = .unknown
                return
            }
            self.init(reading, passed)
        }
    }

    private init(_ reading: CallReading, _ passed: PassedSizes) {
        if case .providerError = reading.outcome, !reading.hasFirstToken {
            self = .release(reason: "the upstream sent an error before any output")
            return
        }
        var usage = reading.report?.usage ?? ReportedUsage()
        usage.servedModel = usage.servedModel ?? reading.servedModel
        usage.servedTier = usage.servedTier ?? reading.servedTier
        if reading.isUsageFinal, !usage.isMissing {
            self = .usage(usage)
            return
        }
        if case .pending = reading.outcome {
            self = .unknown
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
