import Billing
import Dialects
import Gateway
import Testing

/// What each way in which a call can end is settled by.
@Suite struct SettlementTests {
    private let passed = PassedSizes(inputTokens: 100, outputTokens: 7, attributes: ["region=us"])

    private func reading(
        _ outcome: CallOutcome, hasFirstToken: Bool = true, isFinal: Bool = false,
        input: Int64? = nil, output: Int64? = nil
    ) -> CallReading {
        var reading = CallReading(outcome: outcome)
        reading.hasFirstToken = hasFirstToken
        reading.isUsageFinal = isFinal
        if input != nil || output != nil {
            var report = UsageReport()
            report.usage.inputTokens = input
            report.usage.outputTokens = output
            reading.report = report
        }
        return reading
    }

    // The provider's last word is charged, however the connection ended after it.
    @Test func finalUsage() {
        for outcome in [CallOutcome.completeWithUsage, .cut] {
            let reading = reading(outcome, isFinal: true, input: 90, output: 5)
            let settlement = Settlement(.answered(nil), reading, passed)
            guard case .usage(let usage) = settlement else {
                Issue.record("\(settlement)")
                continue
            }
            #expect(usage.inputTokens == 90)
            #expect(usage.outputTokens == 5)
        }
    }

    // An explicit zero is zero.
    @Test func zeroUsage() {
        let reading = reading(.completeWithUsage, isFinal: true, input: 0, output: 0)
        guard case .usage(let usage) = Settlement(.answered(nil), reading, passed) else {
            Issue.record("zero is usage")
            return
        }
        #expect(usage.inputTokens == 0 && usage.outputTokens == 0)
    }

    // Without usage: the prompt as sized, the output as it passed, the attributes of the request.
    @Test func missingUsage() {
        let settlement = Settlement(.answered(nil), reading(.completeWithoutUsage), passed)
        guard case .estimated(let usage) = settlement else {
            Issue.record("\(settlement)")
            return
        }
        #expect(usage.inputTokens == 100)
        #expect(usage.outputTokens == 7)
        #expect(usage.attributes == ["region=us"])
    }

    // An interim report knows the prompt better than we do, and of the output what it had seen.
    @Test func interimUsage() {
        let reading = reading(.cut, input: 93, output: 3)
        let settlement = Settlement(.answered(.drained), reading, passed)
        guard case .estimated(let usage) = settlement else {
            Issue.record("\(settlement)")
            return
        }
        #expect(usage.inputTokens == 93)
        #expect(usage.outputTokens == 7)
    }

    // An error before the first token costs nothing; after it, what passed.
    @Test func errorInTheStream() {
        let error = CallOutcome.providerError(ProviderError(type: "overloaded_error"))
        let early = reading(error, hasFirstToken: false, input: 93)
        guard case .release = Settlement(.answered(nil), early, passed) else {
            Issue.record("an error before any output is free")
            return
        }
        guard case .estimated(let usage) = Settlement(.answered(nil), reading(error), passed) else {
            Issue.record("an error after output is not free")
            return
        }
        #expect(usage.outputTokens == 7)
    }

    // A refused call and one that could not be sent cost nothing.
    @Test func nothingDone() {
        guard case .release = Settlement(.unreachable, nil, passed),
            case .release = Settlement(.declined(status: 500), nil, passed)
        else {
            Issue.record("nothing was done")
            return
        }
    }

    // Nobody knows: what was expected. So does an answer that goes on elsewhere.
    @Test func unknown() {
        for stop in GatewayCall.Stop.allCases.map(Optional.some) + [nil] where stop != .drained {
            #expect(Settlement(.unanswered(stop), nil, passed) == .unknown)
        }
        // Somebody on the way did not wait: the work may have been done.
        for status in [408, 504, 524] {
            #expect(Settlement(.declined(status: status), nil, passed) == .unknown)
        }
        #expect(Settlement(.answered(.tooLong), nil, passed) == .unknown)
        #expect(Settlement(.answered(nil), reading(.pending), passed) == .unknown)
    }

    // Whoever leaves before anything came pays what was held: else leaving would be a way to spend
    // more than a budget has.
    @Test func leaving() {
        #expect(Settlement(.unanswered(.drained), nil, passed) == .atMost)
        #expect(Settlement(.answered(.drained), reading(.pending), passed) == .atMost)
        #expect(Settlement(.answered(.drained), nil, passed) == .atMost)
    }

    // A call that failed and was billed is charged; one that failed for nothing is not.
    @Test func failedWithUsage() {
        let error = CallOutcome.providerError(ProviderError(type: "server_error"))
        let billed = reading(error, hasFirstToken: false, isFinal: true, input: 90, output: 20)
        guard case .usage(let usage) = Settlement(.answered(nil), billed, passed) else {
            Issue.record("its usage is its usage")
            return
        }
        #expect(usage.inputTokens == 90 && usage.outputTokens == 20)
        let free = reading(error, hasFirstToken: false, isFinal: true, input: 0, output: 0)
        guard case .release = Settlement(.answered(nil), free, passed) else {
            Issue.record("nothing was billed")
            return
        }
    }

    // What was asked for stays in force where the usage says nothing of it, and only there.
    @Test func attributes() {
        var silent = reading(.completeWithUsage, isFinal: true, input: 9, output: 5)
        guard case .usage(let kept) = Settlement(.answered(nil), silent, passed) else {
            Issue.record("usage")
            return
        }
        #expect(kept.attributes == ["region=us"])
        silent.report?.statedAttributes = ["region"]
        guard case .usage(let denied) = Settlement(.answered(nil), silent, passed) else {
            Issue.record("usage")
            return
        }
        #expect(denied.attributes == [])
    }

    // Chat's usage does not count searches: a model that searches is charged for one.
    @Test func searches() {
        var searching = passed
        searching.webSearches = 1
        let call = reading(.completeWithUsage, isFinal: true, input: 9, output: 5)
        guard case .usage(let usage) = Settlement(.answered(nil), call, searching) else {
            Issue.record("usage")
            return
        }
        #expect(usage.webSearches == 1)
    }

    // Served model and tier are the provider's, also where its counts are not.
    @Test func served() {
        var cut = reading(.cut)
        cut.servedModel = "gpt-4o-2024-08-06"
        cut.servedTier = "flex"
        guard case .estimated(let usage) = Settlement(.answered(nil), cut, passed) else {
            Issue.record("estimated")
            return
        }
        #expect(usage.servedModel == "gpt-4o-2024-08-06")
        #expect(usage.servedTier == "flex")
    }
}
