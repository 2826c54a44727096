// The provider's own count of a prompt, for calls that may cost as much as the operator says: what
// is counted here is exact for some models only, and a bound by bytes holds several times what a
// dear call needs.
//
//   Anthropic   POST …/messages/count_tokens   {"input_tokens": 2095}
//   OpenAI      POST …/responses/input_tokens  {"input_tokens": 11, …}
//
// Free, and an estimate by the providers' own words ("may differ by a small amount"): the bound
// takes a twentieth and 32 tokens more, which is what frames a few messages. An answer that does
// not come, or not in time, changes nothing.

import AsyncHTTPClient
import Billing
import CanonicalJSON
package import Dialects
import Engine
import Estimation
import HTTPAPI
import Money
import NIOCore
import NIOHTTP1

extension Gateway {
    /// The same call with the provider's count, where it is dear enough and there is one.
    func counted(
        _ call: PreparedCall, _ asked: GatewayRequest, _ client: UpstreamClient, actor: String?
    ) async -> PreparedCall {
        guard let amount = client.upstream.countAbove,
            let endpoint = PromptCount.endpoint(call.dialect),
            let body = PromptCount.body(call.bytes, call.dialect),
            await mayCost(call, actor: actor) >= amount
        else { return call }
        var request = asked.forwarded(ByteBuffer(bytes: body))
        let path = asked.path.hasPrefix("/v1/") ? "/v1" + endpoint : endpoint
        request.url = client.upstream.baseURL.url(path: path, query: "")
        guard let tokens = await Self.tokens(request, client) else { return call }
        var counted = call
        counted.take(promptTokens: tokens)
        return counted
    }

    /// Nil: no count came, or not in time. The library's own limit of time ends with the head.
    private static func tokens(_ request: UpstreamRequest, _ client: UpstreamClient) async -> Int64?
    {
        await withTaskGroup(of: Int64?.self) { group in
            group.addTask {
                guard let response = try? await client.ask(request, seconds: PromptCount.seconds),
                    response.status == .ok,
                    let answer = try? await response.body.collect(upTo: 64 << 10)
                else { return nil }
                return PromptCount.tokens(Array(answer.readableBytesView))
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(PromptCount.seconds))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// What the call is charged at most, as things stand.
    private func mayCost(_ call: PreparedCall, actor: String?) async -> Money {
        let probe = EngineRequest(.reserve(call.request), actor: actor, isDryRun: true)
        let reply = try? await api.engine.submit(probe)
        switch reply?.event?.event {
        case .usageReserved(let event): return event.estimate.bound.charge
        case .usageRejected(let event): return event.estimate?.bound.charge ?? .zero
        default: return .zero
        }
    }
}

package enum PromptCount {
    static let seconds: Int64 = 5

    static func endpoint(_ dialect: CallDialect) -> String? {
        switch dialect {
        case .anthropicMessages: "/messages/count_tokens"
        case .openAIResponses: "/responses/input_tokens"
        case .openAIChat, .openAIEmbeddings: nil
        }
    }

    /// Members of a request that count; the endpoints refuse those that have nothing to do with it.
    private static func members(_ dialect: CallDialect) -> Set<String> {
        dialect == .anthropicMessages
            ? [
                "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools",
            ]
            : [
                "conversation", "input", "instructions", "model", "parallel_tool_calls",
                "previous_response_id", "reasoning", "text", "tool_choice", "tools", "truncation",
            ]
    }

    package static func body(_ request: [UInt8], _ dialect: CallDialect) -> [UInt8]? {
        guard
            case .object(let object)? = try? StrictJSON.parse(
                request, limits: RequestSizing.limits)
        else { return nil }
        // The older name of the answer's schema, which the endpoint does not know: a count without
        // it would be too low.
        if dialect == .anthropicMessages, object["output_format"] != nil { return nil }
        let names = members(dialect)
        var kept = JSONObject()
        for member in object.members where names.contains(member.key) {
            kept.append(member.key, member.value)
        }
        return try? CanonicalJSON.encode(.object(kept))
    }

    package static func tokens(_ answer: [UInt8]) -> Int64? {
        guard let json = try? StrictJSON.parse(answer), var fields = try? JSONFields(json),
            let count = try? fields.int("input_tokens", in: 0...Int(LedgerLimits.tokensMax))
        else { return nil }
        return Int64(count)
    }

    /// The bound of a prompt that the provider counted.
    package static func bound(_ tokens: Int64) -> Int64 { tokens + tokens / 20 + 32 }
}
