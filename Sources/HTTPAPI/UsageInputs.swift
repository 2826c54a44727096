// What callers say about calls: bodies into commands. Each reads every field it knows and refuses
// the first one that it does not.

import Billing
import CanonicalJSON
import Money

extension UsageEstimate {
    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        self.init(inputTokens: try fields.count("input_tokens"))
        cachedInputTokens = try fields.optionalCount("cached_input_tokens")
        maxInputTokens = try fields.optionalCount("max_input_tokens")
        fullContexts = try fields.optionalCount("full_contexts")
        cacheWriteTokens = try fields.optionalCount("cache_write_tokens")
        cacheWrite1hTokens = try fields.optionalCount("cache_write_1h_tokens")
        inputImageTokens = try fields.optionalCount("input_image_tokens")
        maxInputImageTokens = try fields.optionalCount("max_input_image_tokens")
        inputAudioTokens = try fields.optionalCount("input_audio_tokens")
        maxInputAudioTokens = try fields.optionalCount("max_input_audio_tokens")
        maxOutputTokens = try fields.optionalCount("max_output_tokens")
        expectedOutputTokens = try fields.optionalCount("expected_output_tokens")
        extraOutputTokens = try fields.optionalCount("extra_output_tokens")
        mayOutputAudio = try fields.optionalBool("may_output_audio") ?? false
        completions = try fields.optionalInt("completions", in: 1...1_000_000).map(Int64.init)
        webSearches = try fields.optionalCount("web_searches")
        maxWebSearches = try fields.optionalCount("max_web_searches")
        serviceTier = try fields.optionalChoice("service_tier")
        attributes = try fields.attributes("attributes")
        try fields.rejectUnknown()
    }
}

extension ReportedUsage {
    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        self.init()
        inputTokens = try fields.optionalCount("input_tokens")
        cachedInputTokens = try fields.optionalCount("cached_input_tokens")
        cacheWriteTokens = try fields.optionalCount("cache_write_tokens")
        cacheWrite1hTokens = try fields.optionalCount("cache_write_1h_tokens")
        cacheWrite12hTokens = try fields.optionalCount("cache_write_12h_tokens")
        inputAudioTokens = try fields.optionalCount("input_audio_tokens")
        inputImageTokens = try fields.optionalCount("input_image_tokens")
        cachedInputAudioTokens = try fields.optionalCount("cached_input_audio_tokens")
        outputTokens = try fields.optionalCount("output_tokens")
        reasoningTokens = try fields.optionalCount("reasoning_tokens")
        outputAudioTokens = try fields.optionalCount("output_audio_tokens")
        outputImageTokens = try fields.optionalCount("output_image_tokens")
        webSearches = try fields.optionalCount("web_searches")
        servedModel = try fields.optionalID("served_model")
        servedTier = try fields.optionalID("service_tier")
        attributes = try fields.attributes("attributes")
        try fields.rejectUnknown()
    }
}

/// The fields that every call has; its project is decided later.
struct CallInput {
    var customer: String
    var project: String?
    var user: String?
    var run: String?
    var tags: [Tag]
    var model: String
    var occurredAt: Instant?

    /// - Parameter customer: stands in where the body names none.
    /// - Parameter isSized: the body may have a `request`, and that names the model then.
    init(
        _ fields: inout JSONFields, customer: String? = nil, isSized: Bool = false
    ) throws(FieldError) {
        if let customer, !fields.has("customer") {
            _ = fields.optionalValue("customer")
            self.customer = customer
        } else {
            self.customer = try fields.id("customer")
        }
        project = try fields.optionalOperatorID("project")
        user = try fields.optionalID("user")
        run = try fields.optionalID("run")
        tags = try fields.tags("tags")
        model =
            isSized && fields.has("request")
            ? try fields.optionalID("model") ?? "" : try fields.id("model")
        occurredAt = try fields.optionalTime("occurred_at")
    }

    func subject(project: String) -> Subject {
        Subject(project: project, customer: customer, user: user, run: run, tags: tags)
    }
}

struct EstimateInput {
    var call: CallInput
    var size: SizeInput

    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        call = try CallInput(&fields, isSized: true)
        size = try SizeInput(&fields, &call)
        try fields.rejectUnknown()
    }
}

struct ReserveInput {
    var id: String
    var call: CallInput
    var size: SizeInput
    var holdSeconds: Int64?
    var onExpiry: ExpiryPolicy?
    var isDryRun: Bool

    /// Members that are not part of what a repeated request must repeat.
    static let unhashed: Set<String> = ["project", "op", "dry_run"]

    init(_ fields: inout JSONFields) throws(FieldError) {
        id = try fields.id("id")
        call = try CallInput(&fields, isSized: true)
        size = try SizeInput(&fields, &call)
        holdSeconds = try fields.optionalHoldSeconds("ttl_seconds")
        onExpiry = try fields.optionalChoice("on_expiry")
        isDryRun = try fields.optionalBool("dry_run") ?? false
        try fields.rejectUnknown()
    }
}

struct SettleInput {
    var project: String?
    var actual: ActualUsage
    var occurredAt: Instant?

    init(_ fields: inout JSONFields) throws(FieldError) {
        project = try fields.optionalOperatorID("project")
        actual = try ActualUsage(&fields)
        occurredAt = try fields.optionalTime("occurred_at")
        try fields.rejectUnknown()
    }
}

extension ActualUsage {
    /// Usage, an amount, or neither; usage that states no count is missing usage.
    init(_ fields: inout JSONFields) throws(FieldError) {
        let reported = try fields.optionalObject("usage")
        let amount = try fields.optionalMoney("amount")
        switch (reported, amount) {
        case (let reported?, nil):
            let usage = try ReportedUsage(reported)
            self = usage.isMissing ? .missing : .usage(usage)
        case (nil, let amount?): self = .amount(amount)
        case (nil, nil): self = .missing
        case (_?, _?): throw fields.error(.invalid, "amount", "and usage exclude each other")
        }
    }
}

struct UsageInput {
    var call: CallInput
    var actual: ActualUsage

    init(_ fields: inout JSONFields, customer: String? = nil) throws(FieldError) {
        call = try CallInput(&fields, customer: customer)
        actual = try ActualUsage(&fields)
        try fields.rejectUnknown()
        if case .missing = actual {
            throw fields.error(
                fields.has("usage") ? .invalid : .missing, "usage",
                "with at least one count, or amount, is required")
        }
    }

    func request(id: String, project: String) -> UsageRequest {
        UsageRequest(
            id: id, subject: call.subject(project: project), model: call.model, actual: actual,
            occurredAt: call.occurredAt)
    }
}

extension JSONFields {
    private static let holdSecondsRange = 1...Int(LedgerLimits.holdSecondsMax)

    mutating func holdSeconds(_ name: String) throws(FieldError) -> Int64 {
        Int64(try int(name, in: Self.holdSecondsRange))
    }

    mutating func optionalHoldSeconds(_ name: String) throws(FieldError) -> Int64? {
        try optionalInt(name, in: Self.holdSecondsRange).map(Int64.init)
    }
}
