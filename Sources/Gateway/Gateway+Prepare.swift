// Everything between a body and what is forwarded: size it, find out whom it is charged to, hold
// the money, and change what has to be changed in it.

import Billing
import Dialects
import Engine
import Estimation
import HTTPAPI
import NIOCore

/// What comes of a request before anything is sent.
enum Prepared: Sendable {
    /// With the id of the reservation that was refused, or given back.
    case refused(RefusalBody, reservation: String)
    case forward(Exchange.Plan, UpstreamRequest)
}

extension Gateway {
    func prepare(
        _ asked: GatewayRequest, _ route: GatewayRequest.Kind, _ client: UpstreamClient,
        _ principal: APIPrincipal, _ body: ByteBuffer, _ record: inout GatewayRecord
    ) async throws(APIError) -> Prepared {
        let plan = Exchange.Plan(
            client: client, family: client.upstream.dialect, isStream: false,
            headers: record.headers)
        guard case .metered(let dialect, let deployment) = route else {
            record.operation = "free"
            return .forward(plan, asked.forwarded(body))
        }
        record.operation = dialect.rawValue
        record.route = "/" + dialect.rawValue
        let bytes = Array(body.readableBytesView)
        let sized = try size(bytes, dialect, model: deployment, client.upstream)
        let caller = Caller(headers: asked.headers, principal: principal)
        let project = try caller.project()
        let subject = try caller.subject(
            project: project, sized, fields: settings.customerFrom[project] ?? [])
        record.customer = subject.customer
        let model = client.upstream.priceName(of: sized.model)
        guard API.isID(model) else {
            throw APIError(
                400, .invalidRequest, "invalid_request",
                "model must have 1 to 256 bytes and no control characters.", param: "model")
        }
        let call = PreparedCall(
            dialect: dialect, bytes: bytes, sized: sized,
            request: ReserveRequest(
                id: newID("gw_"),
                call: CallRequest(subject: subject, model: model, size: .counts(sized.usage)),
                holdSeconds: Int64(client.upstream.limits.holdSeconds), onExpiry: .charge))
        return try await reserve(
            await counted(call, asked, client, actor: principal.actor), plan, asked, principal)
    }

    private func size(
        _ body: [UInt8], _ dialect: CallDialect, model: String?, _ upstream: Upstream
    ) throws(APIError) -> SizedRequest {
        guard let form = RequestDialect(rawValue: dialect.rawValue) else {
            throw APIError(
                403, .permission, "route_closed", "Calls of this kind cannot be sized.")
        }
        var sized: SizedRequest
        do throws(SizingError) {
            // Under the name that has the price: a deployment's own says nothing of its tokenizer.
            sized = try RequestSizing.size(
                body, dialect: form, model: model, allowed: upstream.allowedMembers
            ) { upstream.priceName(of: $0) }
        } catch {
            throw APIError(
                400, .invalidRequest, "invalid_request", error.message, param: error.param)
        }
        if let param = sized.unbounded.first {
            throw APIError(
                400, .invalidRequest, "unbounded_request",
                "\(param) costs what nothing bounds, or what is not known here: such a call cannot "
                    + "be held for.",
                param: param)
        }
        if sized.isBackground {
            throw APIError(
                403, .permission, "route_closed",
                "An answer in the background comes without its usage: send the request without "
                    + "background.", param: "background")
        }
        sized.usage.priorOutputTokens = sized.priorOutputTokens
        sized.usage.source?.requestSHA256 = sha256Hex(body)
        return sized
    }

    private func reserve(
        _ call: PreparedCall, _ plan: Exchange.Plan, _ asked: GatewayRequest,
        _ principal: APIPrincipal
    ) async throws(APIError) -> Prepared {
        let recorded: RecordedEvent?
        do throws(EngineError) {
            recorded = try await api.decide(
                EngineRequest(.reserve(call.request), actor: principal.actor)
            ).event
        } catch {
            if case .command(let fault) = error, fault.param == "usage_estimate.max_output_tokens" {
                // By the name that the caller's library has for it.
                throw APIError(
                    400, .invalidRequest, "invalid_request", fault.message,
                    param: call.dialect.capMember)
            }
            throw APIError(error)
        }
        guard let recorded else { throw APIError(EngineError.unreadable("a hold without event")) }
        switch recorded.event {
        case .usageRejected(let event):
            let refusal = Refusal(
                recorded: recorded, event: event, currency: api.ledgerCurrency)
            return .refused(GatewayAnswer.refusal(refusal), reservation: call.request.id)
        case .usageReserved(let reserved):
            let settler = Settler(
                engine: api.engine, key: call.request.key, actor: principal.actor)
            return await rewrite(call, reserved, settler, plan, asked)
        default: throw APIError(EngineError.unreadable("a hold without its event"))
        }
    }

    /// The body as it is forwarded. What the gateway can not let through after all is given back.
    private func rewrite(
        _ call: PreparedCall, _ reserved: UsageReserved, _ settler: Settler,
        _ plan: Exchange.Plan, _ asked: GatewayRequest
    ) async -> Prepared {
        let changes = RequestChanges(
            outputCap: outputCap(call, reserved, plan.client.upstream),
            chatCapMember: plan.client.upstream.capMember,
            asksForStreamUsage: call.dialect == .openAIChat,
            removedMembers: call.dialect == .openAIResponses ? ["background"] : [])
        let refusal: RefusalBody
        do throws(RequestRewriteError) {
            let rewritten = try RequestRewrite.apply(
                changes, to: call.bytes, dialect: call.dialect, model: call.request.call.model)
            return .forward(
                metered(plan, call, reserved, settler),
                asked.forwarded(ByteBuffer(bytes: rewritten.bytes)))
        } catch {
            refusal = Self.answer(error)
        }
        _ = await settler.carryOut(.release(reason: refusal.code)) { $0 }
        return .refused(refusal, reservation: settler.key.id)
    }

    /// What the output may be at most; nil: the model's own maximum, which is what was held for.
    private func outputCap(
        _ call: PreparedCall, _ reserved: UsageReserved, _ upstream: Upstream
    ) -> Int64? {
        if call.dialect == .openAIEmbeddings { return nil }
        let isClamped = reserved.lines.contains { $0.outcome == .clamped }
        if call.sized.usage.maxOutputTokens == nil, !isClamped, !upstream.addsCap { return nil }
        return reserved.estimate.maxOutputTokens
    }

    private func metered(
        _ plan: Exchange.Plan, _ call: PreparedCall, _ reserved: UsageReserved,
        _ settler: Settler
    ) -> Exchange.Plan {
        var plan = plan
        plan.isStream = call.sized.isStreaming
        plan.metered = Exchange.Metered(
            dialect: call.dialect,
            settings: MeterSettings(
                convention: plan.client.upstream.usageConvention,
                dropsUsageChunk: call.sized.isStreaming && !call.sized.asksForUsageInStream),
            settler: settler, reserved: reserved, inputTokens: call.sized.usage.inputTokens,
            attributes: call.sized.usage.attributes,
            webSearches: call.dialect == .openAIChat ? call.sized.usage.webSearches ?? 0 : 0,
            counter: OutputCounter(model: call.request.call.model))
        return plan
    }

    private static func answer(_ error: RequestRewriteError) -> RefusalBody {
        switch error {
        case .invalid(let param, let message):
            RefusalBody(
                status: 400, code: "invalid_request", message: message, param: param)
        case .belowThinkingBudget(let cap, let budget):
            RefusalBody(
                status: 402, code: "below_thinking_budget",
                message: "There is money for \(cap) output tokens, and the request sets aside "
                    + "\(budget) for thinking alone.", param: "thinking.budget_tokens",
                type: "spend_limit")
        }
    }
}

extension CallDialect {
    /// The member of a request that caps its output.
    fileprivate var capMember: String {
        switch self {
        case .openAIResponses: "max_output_tokens"
        case .openAIChat, .anthropicMessages, .openAIEmbeddings: "max_tokens"
        }
    }
}

/// A call that is sized and not yet held for.
struct PreparedCall: Sendable {
    var dialect: CallDialect
    var bytes: [UInt8]
    var sized: SizedRequest
    var request: ReserveRequest

    /// The provider has counted the prompt.
    mutating func take(promptTokens tokens: Int64) {
        sized.usage.inputTokens = tokens
        if let most = sized.usage.maxInputTokens {
            sized.usage.maxInputTokens = max(min(most, PromptCount.bound(tokens)), tokens)
        }
        sized.usage.source?.tokenizer = EstimateSource.provider
        request.call.size = .counts(sized.usage)
    }
}
