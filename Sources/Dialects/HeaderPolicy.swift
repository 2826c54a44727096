// Which headers pass through the gateway.
//
// To the upstream goes what is on a list, because what a client sends may be a secret between it
// and us (its key, cookies) or about a connection that is not the upstream's. To the client goes
// all but what is on a list, because what an upstream adds (rate limits, ids of requests, times) is
// what its users look for.

/// How an upstream is given its key.
package enum UpstreamCredential: String, Sendable, Hashable, CaseIterable {
    /// `Authorization: Bearer KEY`
    case bearer
    /// `x-api-key: KEY` (Anthropic)
    case xAPIKey = "x-api-key"
    /// `api-key: KEY` (Azure)
    case apiKey = "api-key"

    package init(_ family: ProviderFamily) { self = family == .anthropic ? .xAPIKey : .bearer }
}

/// Names are compared without regard to case and given back in lower case.
package enum HeaderPolicy {
    package typealias Headers = [(name: String, value: String)]

    private static let requestNames: Set<String> = [
        "accept", "content-type", "user-agent", "idempotency-key", "http-referer", "x-title",
        "x-client-request-id", "x-request-id", "traceparent", "tracestate", "x-app",
        "x-ms-client-request-id",
    ]

    private static let requestPrefixes = ["anthropic-", "openai-", "x-stainless-"]

    /// Never sent on, even when an operator lists them.
    private static let ours: Set<String> = [
        "authorization", "x-api-key", "api-key", "proxy-authorization", "cookie", "host",
        "content-length", "accept-encoding", "expect",
    ]

    /// They choose whose account and which defaults (the service tier, say) a call is billed by:
    /// that is for the operator. Sent on only where an operator lists them.
    private static let ofAccount: Set<String> = ["openai-organization", "openai-project"]

    private static let ofConnection: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// About the upstream's own host, or ours to say.
    private static let responseNames: Set<String> = [
        "set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "public-key-pins",
        "expect-ct", "nel", "report-to", "date",
        // Whose account pays is nobody's business.
        "www-authenticate", "openai-organization", "openai-project", "anthropic-organization-id",
    ]

    private static let ownPrefix = "x-faregate-"

    /// - Parameters:
    ///   - key: nil for an upstream that needs none (Ollama).
    ///   - extra: names, in lower case, that this upstream is to be given as well.
    package static func upstreamRequest(
        _ headers: Headers, key: String?, credential: UpstreamCredential, extra: [String] = []
    ) -> Headers {
        let connection = namedByConnection(headers)
        var result: Headers = []
        for header in headers {
            let name = header.name.lowercased()
            let isListed =
                extra.contains(name) || requestNames.contains(name)
                || requestPrefixes.contains { name.hasPrefix($0) } && !ofAccount.contains(name)
            guard isListed, !ours.contains(name), !ofConnection.contains(name),
                !connection.contains(name), !name.hasPrefix(ownPrefix)
            else { continue }
            result.append((name: name, value: header.value))
        }
        if let key {
            switch credential {
            case .bearer: result.append((name: "authorization", value: "Bearer \(key)"))
            case .xAPIKey, .apiKey: result.append((name: credential.rawValue, value: key))
            }
        }
        // A compressed stream could not be read on its way.
        result.append((name: "accept-encoding", value: "identity"))
        return result
    }

    /// What the client gets of an answer. The encoding of its body stays named where an upstream
    /// compresses though it was asked not to: bytes that only pass through are as it says.
    ///
    /// - Parameter isBodyChanged: the length is not the upstream's any more.
    package static func clientResponse(_ headers: Headers, isBodyChanged: Bool) -> Headers {
        let connection = namedByConnection(headers)
        var result: Headers = []
        for header in headers {
            let name = header.name.lowercased()
            guard !ofConnection.contains(name), !responseNames.contains(name),
                !connection.contains(name), !name.hasPrefix(ownPrefix)
            else { continue }
            if name == "content-length" && isBodyChanged { continue }
            if name == "content-encoding" && isReadable([header]) { continue }
            result.append((name: name, value: header.value))
        }
        return result
    }

    /// Whether the body is as the dialects write it: an upstream that compresses though it was
    /// asked not to cannot be metered.
    package static func isReadable(_ headers: Headers) -> Bool {
        headers.allSatisfy { header in
            guard header.name.lowercased() == "content-encoding" else { return true }
            return tokens(header.value).allSatisfy { $0 == "identity" }
        }
    }

    /// Whether the body is a stream of server-sent events.
    package static func isEventStream(_ headers: Headers) -> Bool {
        headers.contains { header in
            header.name.lowercased() == "content-type"
                && header.value.lowercased().split(separator: ";").first.map(trimmed)
                    == "text/event-stream"
        }
    }

    /// `Connection: close, x-hop` makes `x-hop` a header of the connection.
    private static func namedByConnection(_ headers: Headers) -> Set<String> {
        var names: Set<String> = []
        for header in headers where header.name.lowercased() == "connection" {
            names.formUnion(tokens(header.value))
        }
        return names
    }

    private static func tokens(_ value: String) -> [String] {
        value.lowercased().split(separator: ",").map(trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }
}
