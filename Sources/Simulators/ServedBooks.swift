// What the simulator served: the provider's side of the books, for a test to compare with the
// ledger.
//
// `GET /_served` gives
//
//     {"totals": {"requests": 3, "in_flight": 0, "input_tokens": 57, …},
//      "requests": [{"number": 1, "dialect": "openai.chat", "model": "gpt-4o", …}]}
//
// A request has the tokens that a provider would bill for, also when its stream was cut, its caller
// went away or its answer claimed other figures. Keys are never kept: only whether the right one
// came, the names of headers, and in which headers a text stood that a test watches for.

import CanonicalJSON
import Synchronization

package struct ServedRequest: Sendable, Equatable {
    package enum Credential: String, Sendable { case own, other, none }

    /// How it went.
    package enum End: String, Sendable {
        case inFlight = "in_flight"
        /// Everything was sent.
        case complete
        /// An error was answered instead.
        case refused
        /// The simulator cut it off, as it was told to.
        case cut
        /// The caller was gone before everything was sent.
        case clientGone = "client_gone"
    }

    package var number = 0
    package var method = ""
    package var path = ""
    package var dialect: String?
    package var model: String?
    package var servedModel: String?
    package var askedTier: String?
    package var servedTier: String?
    package var isStreaming = false
    /// Output tokens that the request allowed.
    package var outputMax: Int?
    package var asksForUsage = false
    package var credential = Credential.none
    package var headers: [String] = []
    package var leaks: [String] = []
    package var status = 0
    package var end = End.inFlight
    package var inputTokens = 0
    package var cacheReadTokens = 0
    package var cacheWrite5mTokens = 0
    package var cacheWrite1hTokens = 0
    package var outputTokens = 0
    /// Of the output tokens.
    package var reasoningTokens = 0
    package var instructions = ""

    package init() {}

    /// Input of all kinds, and output.
    package var tokens: Int {
        inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens + outputTokens
    }

    var json: JSONValue {
        Simulators.json([
            "number": count(number), "method": .string(method), "path": .string(path),
            "dialect": optional(dialect), "model": optional(model),
            "served_model": optional(servedModel), "asked_tier": optional(askedTier),
            "served_tier": optional(servedTier), "stream": .bool(isStreaming),
            "asks_for_usage": .bool(asksForUsage),
            "output_max": outputMax.map { count($0) } ?? .null,
            "credential": .string(credential.rawValue),
            "headers": .array(headers.map { .string($0) }),
            "leaks": .array(leaks.map { .string($0) }), "status": count(status),
            "end": .string(end.rawValue), "input_tokens": count(inputTokens),
            "cache_read_tokens": count(cacheReadTokens),
            "cache_write_5m_tokens": count(cacheWrite5mTokens),
            "cache_write_1h_tokens": count(cacheWrite1hTokens),
            "output_tokens": count(outputTokens), "reasoning_tokens": count(reasoningTokens),
            "instructions": .string(instructions),
        ])
    }
}

package struct ServedTotals: Sendable, Equatable {
    package var requests = 0
    package var inFlight = 0
    package var refused = 0
    package var clientGone = 0
    package var cut = 0
    package var inputTokens = 0
    package var cacheReadTokens = 0
    package var cacheWriteTokens = 0
    package var outputTokens = 0
    package var reasoningTokens = 0

    mutating func add(_ request: ServedRequest) {
        switch request.end {
        case .refused: refused += 1
        case .clientGone: clientGone += 1
        case .cut: cut += 1
        case .complete, .inFlight: break
        }
        inputTokens += request.inputTokens
        cacheReadTokens += request.cacheReadTokens
        cacheWriteTokens += request.cacheWrite5mTokens + request.cacheWrite1hTokens
        outputTokens += request.outputTokens
        reasoningTokens += request.reasoningTokens
    }

    var json: JSONValue {
        Simulators.json([
            "requests": count(requests), "in_flight": count(inFlight), "refused": count(refused),
            "client_gone": count(clientGone), "cut": count(cut),
            "input_tokens": count(inputTokens), "cache_read_tokens": count(cacheReadTokens),
            "cache_write_tokens": count(cacheWriteTokens), "output_tokens": count(outputTokens),
            "reasoning_tokens": count(reasoningTokens),
        ])
    }
}

package final class ServedBooks: Sendable {
    /// Beyond so many, only the totals know of the oldest.
    private static let kept = 100_000

    private struct State {
        var totals = ServedTotals()
        /// With consecutive numbers.
        var requests: [ServedRequest] = []
        var next = 1
        var watched: [String] = []
    }

    private let state = Mutex(State())

    /// Texts that must stand in no header.
    func watch(for texts: [String]) { state.withLock { $0.watched = texts } }

    var watched: [String] { state.withLock { $0.watched } }

    func begin(_ request: ServedRequest) -> Int {
        state.withLock { state in
            var request = request
            request.number = state.next
            state.next += 1
            state.totals.requests += 1
            state.totals.inFlight += 1
            if state.requests.count >= 2 * Self.kept { state.requests.removeFirst(Self.kept) }
            state.requests.append(request)
            return request.number
        }
    }

    /// Of a request that is under way.
    func change(_ number: Int, _ change: (inout ServedRequest) -> Void) {
        state.withLock { state in
            guard let first = state.requests.first?.number,
                state.requests.indices.contains(number - first)
            else { return }
            change(&state.requests[number - first])
        }
    }

    func end(_ number: Int, _ change: (inout ServedRequest) -> Void) {
        state.withLock { state in
            guard let first = state.requests.first?.number,
                state.requests.indices.contains(number - first),
                state.requests[number - first].end == .inFlight
            else { return }
            change(&state.requests[number - first])
            state.totals.inFlight -= 1
            state.totals.add(state.requests[number - first])
        }
    }

    /// Numbers go on, so that a request under way is not taken for a later one.
    func clear() {
        state.withLock { state in
            state.totals = ServedTotals()
            state.requests = []
        }
    }

    package var totals: ServedTotals { state.withLock { $0.totals } }
    package var requests: [ServedRequest] { state.withLock { $0.requests } }

    func json(after number: Int) -> JSONValue {
        let (totals, requests) = state.withLock { ($0.totals, $0.requests) }
        return Simulators.json([
            "totals": totals.json,
            "requests": .array(requests.filter { $0.number > number }.map(\.json)),
        ])
    }
}
