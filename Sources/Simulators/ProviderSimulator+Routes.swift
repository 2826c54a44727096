// From a request to an answer.

import CanonicalJSON
import HTTPTypes
import Hummingbird
import NIOCore

extension ProviderSimulator {
    private static let bodyMax = 64 << 20
    private static let limits = JSONLimits(
        maxBytes: bodyMax, maxDepth: 64, maxNodes: 4_000_000, maxStringBytes: bodyMax)

    private enum Route {
        case chat(model: String?), responses, countResponses, embeddings
        case messages, countMessages, models
        case served, control
    }

    func respond(_ request: Request, _ context: SimulatorContext) async throws -> Response {
        let path = request.uri.path
        let isAnthropic = Self.isAnthropic(path, request.headers)
        let family: ProviderFamily = isAnthropic ? .anthropic : .openAI
        guard let route = Self.route(path, request.method) else {
            let error = ProviderError(
                status: 404,
                message: "Invalid URL (\(request.method.rawValue) \(path)) (simulated)")
            return response(error, family)
        }
        let bytes: [UInt8]
        do {
            let body = try await request.body.collect(upTo: Self.bodyMax)
            bytes = Array(body.readableBytesView)
        } catch {
            return response(ProviderError(status: 413, message: "The body is too large."), family)
        }
        switch route {
        case .served: return served(request)
        case .control: return control(bytes)
        default: break
        }
        let number = books.begin(entry(request, isAnthropic: isAnthropic))
        do throws(ProviderError) {
            return try await answer(
                route, request, try Self.parsed(bytes, route), number, context, family, bytes)
        } catch {
            books.end(number) { request in
                request.status = error.status
                request.end = .refused
            }
            return response(error, family)
        }
    }

    /// By the endpoint, where only one of the two has it; else by what their libraries send.
    private static func isAnthropic(_ path: String, _ headers: HTTPFields) -> Bool {
        let parts = path.split(separator: "/").filter { $0 != "v1" }
        switch parts.first {
        case "messages", "complete": return true
        case "openai", "chat", "responses", "embeddings", "moderations", "completions", "images",
            "audio", "batches", "fine_tuning", "assistants", "threads", "vector_stores", "videos",
            "conversations", "realtime", "uploads":
            return false
        default: return headers[.anthropicVersion] != nil || headers[.xAPIKey] != nil
        }
    }

    private static func parsed(_ bytes: [UInt8], _ route: Route) throws(ProviderError) -> JSONValue
    {
        if case .models = route { return .null }
        do throws(JSONError) {
            return try StrictJSON.parse(bytes, limits: limits)
        } catch {
            throw .invalid("We could not parse the JSON body of your request: \(error)")
        }
    }

    private static func route(_ path: String, _ method: HTTPRequest.Method) -> Route? {
        var parts = path.split(separator: "/").map(String.init)
        var deployment: String?
        if parts.count > 3, parts[0] == "openai", parts[1] == "deployments" {
            deployment = parts[2]
            parts.removeFirst(3)
        }
        if parts.first == "v1" { parts.removeFirst() }
        switch (method, parts.joined(separator: "/")) {
        case (.post, "chat/completions"): return .chat(model: deployment)
        case (.post, "responses"): return .responses
        case (.post, "responses/input_tokens"): return .countResponses
        case (.post, "embeddings"): return .embeddings
        case (.post, "messages"): return .messages
        case (.post, "messages/count_tokens"): return .countMessages
        case (.get, "models"): return .models
        case (.get, "_served"): return .served
        case (.post, "_control"): return .control
        default: return nil
        }
    }

    // MARK: Who asks

    private func entry(_ request: Request, isAnthropic: Bool) -> ServedRequest {
        var entry = ServedRequest()
        entry.method = request.method.rawValue
        entry.path = request.uri.path
        entry.headers = request.headers.map(\.name.canonicalName).sorted()
        let watched = books.watched
        entry.leaks = request.headers
            .filter { field in watched.contains { field.value.contains($0) } }
            .map(\.name.canonicalName)
        entry.credential = credential(request.headers)
        return entry
    }

    private func credential(_ headers: HTTPFields) -> ServedRequest.Credential {
        let bearer = headers[.authorization].map { text in
            text.hasPrefix("Bearer ") ? String(text.dropFirst("Bearer ".count)) : text
        }
        let keys = [bearer, headers[.xAPIKey], headers[.azureKey]].compactMap { $0 }
        if keys.isEmpty { return .none }
        // Each that comes must be right: a caller's own key beside it has no business here.
        return keys.allSatisfy { $0 == configuration.key } ? .own : .other
    }

    // MARK: Answers

    private func answer(
        _ route: Route, _ request: Request, _ body: JSONValue, _ number: Int,
        _ context: SimulatorContext, _ family: ProviderFamily, _ bytes: [UInt8]
    ) async throws(ProviderError) -> Response {
        guard credential(request.headers) == .own else { throw .badKey }
        if family == .anthropic, request.headers[.anthropicVersion] == nil {
            throw .invalid("anthropic-version: header is required")
        }
        var embeddings: EmbeddingsAnswer?
        let call: Call
        switch route {
        case .chat(let model): call = try ChatRequest.read(body, model: model)
        case .responses: call = try ResponsesRequest.read(body, conversations)
        case .messages: call = try MessagesRequest.read(body, cache)
        case .embeddings:
            let answer = try EmbeddingsAnswer(body)
            embeddings = answer
            call = answer.call
        case .countResponses:
            let tokens = try ResponsesRequest.read(body, conversations).input.total
            return free(
                number, family,
                json(["object": .string("response.input_tokens"), "input_tokens": count(tokens)]))
        case .countMessages:
            let tokens = try MessagesRequest.read(body, nil).input.total
            return free(number, family, json(["input_tokens": count(tokens)]))
        case .models, .served, .control: return free(number, family, Self.models(family))
        }
        return try await perform(call, embeddings, request, number, context, bytes)
    }

    private func perform(
        _ call: Call, _ embeddings: EmbeddingsAnswer?, _ request: Request, _ number: Int,
        _ context: SimulatorContext, _ bytes: [UInt8]
    ) async throws(ProviderError) -> Response {
        var call = call
        let orders: Instructions
        do throws(InstructionError) {
            orders = try source.instructions(
                header: request.headers[.simulate], modelSuffix: call.suffix,
                prompt: call.lastText)
        } catch {
            throw .invalid("x-simulate: \(error)", param: InstructionSource.header)
        }
        let cached = min(orders.cached ?? 0, call.input.fresh)
        call.input.fresh -= cached
        call.input.cacheRead += cached
        if orders.callsTool, call.wish.tool == nil { call.wish.tool = call.wish.firstTool }
        note(call, orders, number)
        let exchange = await Exchange(self, number, call, orders, context)
        do {
            if let response = try await exchange.instead() { return response }
            if let embeddings {
                let usage =
                    orders.hasNoUsage ? nil : Usage(input: call.input, output: 0, thinking: 0)
                return exchange.whole(embeddings.whole(exchange.labels, usage)) { end in
                    exchange.book(pieces: 0, nil, end)
                }
            }
            return try await write(exchange, bytes)
        } catch {
            // The connection is closed; nobody reads this.
            return Response(status: .internalServerError)
        }
    }

    private func write(_ exchange: Exchange, _ bytes: [UInt8]) async throws -> Response {
        let call = exchange.call
        var hash = Hash()
        for byte in bytes { hash.add(byte) }
        let composition = Composer.compose(
            call.wish, exchange.orders, seed: hash.value ^ configuration.seed)
        let answer: any Rendering =
            switch call.dialect {
            case .responses: ResponsesAnswer(call, composition, exchange.labels)
            case .messages: MessagesAnswer(call, composition, exchange.labels)
            case .chat, .embeddings: ChatAnswer(call, composition, exchange.labels)
            }
        if call.dialect == .responses {
            let shown = composition.outputTokens(afterPieces: composition.pieces.count)
            conversations.remember(
                exchange.labels.id,
                tokens: call.input.total + shown - composition.hiddenReasoning)
        }
        if call.isStreaming {
            return StreamDelivery(exchange, composition, answer).response()
        }
        return try await exchange.whole(composition, answer)
    }

    private func note(_ call: Call, _ orders: Instructions, _ number: Int) {
        books.change(number) { request in
            request.dialect = call.dialect.rawValue
            request.model = call.model.name
            request.askedTier = call.askedTier
            request.isStreaming = call.isStreaming
            request.asksForUsage = call.wantsUsage
            request.outputMax = call.wish.outputMax
            request.instructions = orders.text
        }
    }

    /// Counts and lists cost nothing.
    private func free(_ number: Int, _ family: ProviderFamily, _ value: JSONValue) -> Response {
        books.end(number) { request in
            request.status = 200
            request.end = .complete
        }
        return response(value, headers: headers(family, number))
    }

    private static func models(_ family: ProviderFamily) -> JSONValue {
        let names = SimulatedModel.listed[family] ?? []
        switch family {
        case .openAI:
            return json([
                "object": .string("list"),
                "data": .array(
                    names.map {
                        json([
                            "id": .string($0), "object": .string("model"),
                            "created": .integer(1_764_028_800), "owned_by": .string("simulator"),
                        ])
                    }),
            ])
        case .anthropic:
            return json([
                "data": .array(
                    names.map {
                        json([
                            "id": .string($0), "type": .string("model"),
                            "display_name": .string($0),
                            "created_at": .string("2026-11-25T00:00:00Z"),
                        ])
                    }),
                "has_more": .bool(false), "first_id": optional(names.first),
                "last_id": optional(names.last),
            ])
        }
    }
}
