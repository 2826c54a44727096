import ArgumentParser
import CanonicalJSON
import Estimation
import Server

/// Whose call it is.
struct SubjectOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Customer that pays.", valueName: "id"))
    var customer: String

    @Option(
        help: ArgumentHelp(
            "Model that is called; goes before the one that a --request names.",
            valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("User within the customer.", valueName: "id"))
    var user: String?

    @Option(help: ArgumentHelp("Run that the call belongs to.", valueName: "id"))
    var run: String?

    @Option(help: ArgumentHelp("Label; may be repeated.", valueName: "name=value"))
    var tag: [NameValue] = []

    @Option(help: ArgumentHelp("When it happened, for the record (RFC 3339).", valueName: "time"))
    var occurredAt: String?

    /// Calls whose size is not read from a request have to name the model.
    func requireModel(unless request: String? = nil) throws {
        if model == nil, request == nil { throw ValidationError("Give --model.") }
    }

    func add(to body: inout JSONObject, project: String?) {
        body.set("customer", customer)
        body.set("project", project)
        body.set("model", model)
        body.set("user", user)
        body.set("run", run)
        body.set("tags", pairs: tag)
        body.set("occurred_at", occurredAt)
    }
}

/// How large a call may become.
struct EstimateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Prompt tokens, cached ones included.", valueName: "tokens"))
    var input: Int?

    @Option(
        help: ArgumentHelp("Part of the input read from the provider's cache.", valueName: "tokens")
    )
    var cached: Int?

    @Option(help: ArgumentHelp("Part of the input written to the cache.", valueName: "tokens"))
    var cacheWrite: Int?

    @Option(
        help: ArgumentHelp(
            "Most output tokens that the request asks for; the model's own maximum if absent.",
            valueName: "tokens"))
    var maxOutput: Int?

    @Option(help: ArgumentHelp("Output tokens that are likely.", valueName: "tokens"))
    var expectedOutput: Int?

    @Option(help: ArgumentHelp("Answers asked for (n).", valueName: "count"))
    var completions: Int?

    @Option(help: ArgumentHelp("Searches by the provider's own tool.", valueName: "count"))
    var webSearches: Int?

    @Option(help: ArgumentHelp("auto, standard, batch, flex or priority.", valueName: "tier"))
    var tier: String?

    @Option(
        help: ArgumentHelp(
            "Of the request, where it changes the price: region=us. May be repeated.",
            valueName: "name=value"))
    var attribute: [NameValue] = []

    @Option(
        help: ArgumentHelp(
            "Instead of tokens: what the call may cost at most.", valueName: "amount"))
    var amount: DecimalAmount?

    @Option(
        help: ArgumentHelp(
            "Instead of tokens: a file with the body that is to be sent to the provider.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var request: String?

    @Option(
        help: ArgumentHelp(
            "How the request is written, where that does not show: openai.chat, "
                + "openai.responses, openai.embeddings or anthropic.messages.",
            valueName: "name"))
    var dialect: String?

    @Flag(help: "Let a request through that asks for what has no known price or limit.")
    var allowUnbounded = false

    func validate() throws {
        let given = [input != nil, amount != nil, request != nil].filter(\.self).count
        if given != 1 {
            throw ValidationError("Give --input (and the other counts), --amount or --request.")
        }
        if request == nil, dialect != nil || allowUnbounded {
            throw ValidationError("--dialect and --allow-unbounded go with --request.")
        }
    }

    /// - Throws: when the file of the request is none.
    ///
    /// - Parameter model: of `--model`.
    func add(to body: inout JSONObject, model: String?) throws(CommandFailure) {
        body.set("amount", amount?.text)
        if let request {
            let json = try Self.read(request)
            try check(json, model, request)
            body.append("request", json)
            body.set("dialect", dialect)
            if allowUnbounded { body.append("allow_unbounded", .bool(true)) }
        }
        guard let input else { return }
        var counts = JSONObject()
        counts.set("input_tokens", input)
        counts.set("cached_input_tokens", cached)
        counts.set("cache_write_tokens", cacheWrite)
        counts.set("max_output_tokens", maxOutput)
        counts.set("expected_output_tokens", expectedOutput)
        counts.set("completions", completions)
        counts.set("web_searches", webSearches)
        counts.set("service_tier", tier)
        counts.set("attributes", pairs: attribute)
        body.append("usage_estimate", .object(counts))
    }

    /// What the API would ask for in words of its own, in those of this program.
    private func check(
        _ json: JSONValue, _ model: String?, _ path: String
    ) throws(CommandFailure) {
        guard case .object(let object) = json else { return }
        if model == nil, object["model"] == nil {
            throw CommandFailure(.usage, "\(path): the request names no model: give --model.")
        }
        if dialect == nil, RequestDialect.inferred(from: json, model: model) == nil {
            let names = RequestDialect.candidates(for: json).map(\.rawValue)
            throw CommandFailure(
                .usage,
                "\(path): how the request is written does not show: give --dialect "
                    + "\(names.joined(separator: " or ")).")
        }
    }

    private static func read(_ path: String) throws(CommandFailure) -> JSONValue {
        let bytes: [UInt8]
        do throws(WholeFile.Failure) {
            bytes = try WholeFile.read(path)
        } catch {
            throw CommandFailure(.inputOutput, "\(error)")
        }
        do throws(JSONError) {
            return try StrictJSON.parse(bytes, limits: RequestSizing.limits)
        } catch {
            throw CommandFailure(.usage, "\(path): \(error)")
        }
    }
}

/// What was used in the end, counted as providers report it.
struct UsageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The whole prompt, cache included.", valueName: "tokens"))
    var input: Int?

    @Option(help: ArgumentHelp("Part of the input read from the cache.", valueName: "tokens"))
    var cached: Int?

    @Option(help: ArgumentHelp("Written to the cache for five minutes.", valueName: "tokens"))
    var cacheWrite: Int?

    @Option(help: ArgumentHelp("Written to the cache for an hour.", valueName: "tokens"))
    var cacheWrite1h: Int?

    @Option(help: ArgumentHelp("The whole answer, reasoning included.", valueName: "tokens"))
    var output: Int?

    @Option(help: ArgumentHelp("Part of the output spent on reasoning.", valueName: "tokens"))
    var reasoning: Int?

    @Option(help: ArgumentHelp("Searches by the provider's own tool.", valueName: "count"))
    var webSearches: Int?

    @Option(help: ArgumentHelp("Model as served, if another.", valueName: "name"))
    var servedModel: String?

    @Option(help: ArgumentHelp("Tier as served.", valueName: "tier"))
    var tier: String?

    @Option(
        help: ArgumentHelp("As served: region=us. May be repeated.", valueName: "name=value"))
    var attribute: [NameValue] = []

    /// Nil when nothing was said of usage.
    var counts: JSONObject? {
        var counts = JSONObject()
        counts.set("input_tokens", input)
        counts.set("cached_input_tokens", cached)
        counts.set("cache_write_tokens", cacheWrite)
        counts.set("cache_write_1h_tokens", cacheWrite1h)
        counts.set("output_tokens", output)
        counts.set("reasoning_tokens", reasoning)
        counts.set("web_searches", webSearches)
        guard !counts.members.isEmpty else { return nil }
        counts.set("served_model", servedModel)
        counts.set("service_tier", tier)
        counts.set("attributes", pairs: attribute)
        return counts
    }
}
