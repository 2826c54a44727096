// What a meter is told and what it says.

package import Billing

/// What a meter has to know about the call and its upstream.
package struct MeterSettings: Sendable, Hashable {
    package var convention: UsageConvention
    /// `stream_options.include_usage` was set by us and not by the client: the chunk that only
    /// carries usage does not reach the client.
    package var dropsUsageChunk: Bool
    /// One event of a stream, as it is on the wire.
    package var maxEventBytes: Int

    package init(
        convention: UsageConvention = .dialect, dropsUsageChunk: Bool = false,
        maxEventBytes: Int = 16 << 20
    ) {
        self.convention = convention
        self.dropsUsageChunk = dropsUsageChunk
        self.maxEventBytes = maxEventBytes
    }
}

/// What kind of output a piece of text is. All of it is billed as output.
package enum OutputKind: Sendable, Hashable, CaseIterable {
    /// What the end user reads; refusals and transcripts of audio, too.
    case visible
    /// Names and arguments of tool calls.
    case toolCall
    /// Reasoning that the provider shows. It may be a summary of what it bills.
    case reasoning
}

/// How much output has passed: sizes, never text.
package struct OutputSizes: Sendable, Hashable {
    package struct Size: Sendable, Hashable {
        /// Bytes of UTF-8, unescaped.
        package var bytes: Int64 = 0
        /// Code points.
        package var characters: Int64 = 0
        /// Pieces that were not empty: stream deltas, or parts of a whole answer.
        package var pieces: Int64 = 0

        package init() {}
    }

    package var visible = Size()
    package var toolCalls = Size()
    package var reasoning = Size()

    package init() {}

    package var bytes: Int64 { visible.bytes + toolCalls.bytes + reasoning.bytes }
    package var pieces: Int64 { visible.pieces + toolCalls.pieces + reasoning.pieces }
}

/// Something odd about reported usage. The reading that is charged is then the dearer one.
package enum UsageMark: String, Sendable, Hashable, CaseIterable {
    /// A count that is no whole number from 0 to 2^40 was taken for absent.
    case unreadableCount = "unreadable_count"
    /// `total_tokens` is not the sum of its parts.
    case totalDisagrees = "total_disagrees"
    /// Cache writes by lifetime add up to more than their total.
    case cacheSplitDisagrees = "cache_split_disagrees"
    /// Steps that the top-level counts leave out (compaction, another model's advice) were added.
    case stepsAdded = "steps_added"
}

/// What a provider reported, in the inclusive counts of `ReportedUsage`.
package struct UsageReport: Sendable, Hashable {
    package var usage: ReportedUsage
    package var marks: Set<UsageMark>
    /// What the provider says the call cost (OpenRouter's `usage.cost`, in its credits), as it
    /// wrote the number. A cross-check, never a price.
    package var statedCost: String?
    /// Names of the attributes that it speaks of, also where it says that nothing special was
    /// served: `region`, `speed`.
    package var statedAttributes: Set<String> = []

    package init(
        usage: ReportedUsage = ReportedUsage(), marks: Set<UsageMark> = [],
        statedCost: String? = nil
    ) {
        self.usage = usage
        self.marks = marks
        self.statedCost = statedCost
    }
}

/// An error that the provider sent in a body or in a stream. Its message is not kept: providers
/// quote prompts in them.
package struct ProviderError: Sendable, Hashable {
    /// `overloaded_error`, `server_error` …
    package var type: String?
    /// `rate_limit_exceeded`, or a number.
    package var code: String?

    package init(type: String? = nil, code: String? = nil) {
        self.type = type
        self.code = code
    }
}

/// How an answer ended.
package enum CallOutcome: Sendable, Hashable {
    /// To its end, and the usage is the provider's last word: settle it.
    case completeWithUsage
    /// To its end without (all of) its usage: settle an estimate, marked.
    case completeWithoutUsage
    /// The connection ended before the answer did: settle what was reported if it was final, else
    /// an estimate, marked.
    case cut
    /// The provider broke off with an error. Before the first token: release. After it: as `cut`.
    case providerError(ProviderError)
    /// Accepted, and goes on at the provider after this answer (Responses with `background`): no
    /// usage yet, and the hold stays.
    case pending
}

/// Everything there is to settle a call by.
package struct CallReading: Sendable, Hashable {
    package var outcome: CallOutcome
    /// Output has passed to the client; after that nothing is free.
    package var hasFirstToken: Bool
    /// What was reported so far; nil: nothing.
    package var report: UsageReport?
    /// The report is the provider's last word, not an interim one.
    package var isUsageFinal: Bool
    package var output: OutputSizes
    /// `stop`, `length`, `end_turn` … of the first choice that gave one.
    package var finishReason: String?
    /// The provider's id of the answer.
    package var responseID: String?
    package var servedModel: String?
    package var servedTier: String?
    /// Searches seen as they happened; where usage was reported they are in it as well.
    package var webSearches: Int64

    package init(outcome: CallOutcome = .cut) {
        self.outcome = outcome
        hasFirstToken = false
        isUsageFinal = false
        output = OutputSizes()
        webSearches = 0
    }
}
