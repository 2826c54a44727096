// What a path behind an upstream's name is, by method and path alone.
//
//   OpenAI     [`/v1`] endpoint
//              `/openai` [`/v1`] endpoint                         Azure's newer form
//              `/openai/deployments/` name endpoint               Azure's older form
//   Anthropic  [`/v1`] endpoint
//
// Closed is the default: an endpoint that is not in these tables may cost money that nobody would
// be charged for. A path is taken as it is written: segments that are empty, `.` or `..`, percent
// signs, backslashes and anything but plain letters make it unknown, because the upstream might
// read them as another path than we do.

/// A route through the gateway.
package struct GatewayRoute: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Costs money for each call: size, reserve, forward, meter, settle.
        case metered(CallDialect)
        /// Costs nothing: passed through.
        case free
        /// Costs money later, for many calls at once.
        case batch(BatchCall)
        /// Not passed through.
        case closed(ClosedReason)
    }

    package enum BatchCall: String, Sendable, Hashable, CaseIterable {
        case create, list, retrieve, cancel, results, delete
        /// Input and output files of OpenAI's batches.
        case createFile, listFiles, retrieveFile, fileContent, deleteFile
    }

    package enum ClosedReason: Sendable, Hashable {
        /// A known endpoint that is billable and not metered; its name.
        case notMetered(String)
        /// Answers that the provider has stored under its one key, whoever they were for. Looking
        /// at them costs nothing, and shows every customer's to every other.
        case stored
        /// A known path with another method.
        case methodNotAllowed
        case unknown
    }

    package var kind: Kind
    /// The path without what comes before the endpoint: `/chat/completions`.
    package var endpoint: String
    /// The path named the version: `/v1/…`.
    package var isVersioned: Bool
    /// Azure: the deployment, which stands in for the model.
    package var deployment: String?

    package init(
        kind: Kind, endpoint: String = "", isVersioned: Bool = false, deployment: String? = nil
    ) {
        self.kind = kind
        self.endpoint = endpoint
        self.isVersioned = isVersioned
        self.deployment = deployment
    }

    /// - Parameter path: what follows `/{upstream}`, without the query.
    package static func classify(
        method: String, path: String, family: ProviderFamily
    ) -> GatewayRoute {
        guard let all = segments(of: path) else { return GatewayRoute(kind: .closed(.unknown)) }
        var rest = all[...]
        var deployment: String?
        if family == .openAI, rest.first == "openai" {
            rest = rest.dropFirst()
            if rest.first == "deployments", rest.count > 2 {
                deployment = rest[rest.startIndex + 1]
                rest = rest.dropFirst(2)
            }
        }
        var isVersioned = false
        if deployment == nil, rest.first == "v1" {
            rest = rest.dropFirst()
            isVersioned = true
        }
        var route = GatewayRoute(
            kind: .closed(.unknown), endpoint: "/" + rest.joined(separator: "/"),
            isVersioned: isVersioned, deployment: deployment)
        let table = family == .openAI ? openAI : anthropic
        var isKnownPath = false
        for entry in table where entry.matches(rest) {
            if entry.method == method || (entry.method == "GET" && method == "HEAD") {
                route.kind = entry.kind
                return route
            }
            isKnownPath = true
        }
        if isKnownPath {
            route.kind = .closed(.methodNotAllowed)
        } else if let first = rest.first, notMetered.contains(first) {
            route.kind = .closed(.notMetered(first))
        }
        return route
    }

    /// What a family's routes are, as a library sends them; the metered ones first.
    package static func open(_ family: ProviderFamily) -> [(method: String, path: String)] {
        let table = family == .openAI ? openAI : anthropic
        let metered = table.filter { if case .metered = $0.kind { true } else { false } }
        let free = table.filter { $0.kind == .free }
        return (metered + free).map { entry in
            let path = entry.pattern.map { $0.hasPrefix("{") ? "{id}" : $0 }
            return (entry.method, "/v1/" + path.joined(separator: "/"))
        }
    }

    private static func segments(of path: String) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 1_024 else { return nil }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for segment in segments {
            let isPlain = segment.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
            if segment.isEmpty || segment == "." || segment == ".." || !isPlain { return nil }
        }
        return segments.map(String.init)
    }

    // MARK: Tables

    private struct Entry: Sendable {
        var method: String
        /// `{}` is any one segment, `{…}` at the end one or more.
        var pattern: [String]
        var kind: Kind

        init(_ method: String, _ pattern: String, _ kind: Kind) {
            self.method = method
            self.pattern = pattern.split(separator: "/").map(String.init)
            self.kind = kind
        }

        func matches(_ path: ArraySlice<String>) -> Bool {
            var path = path
            for part in pattern {
                if part == "{…}" { return !path.isEmpty }
                guard let segment = path.popFirst(), part == "{}" || part == segment else {
                    return false
                }
            }
            return path.isEmpty
        }
    }

    private static let openAI = [
        Entry("POST", "chat/completions", .metered(.openAIChat)),
        Entry("GET", "chat/completions", .closed(.stored)),
        Entry("GET", "chat/completions/{}", .closed(.stored)),
        Entry("GET", "chat/completions/{}/messages", .closed(.stored)),
        Entry("POST", "chat/completions/{}", .closed(.stored)),
        Entry("DELETE", "chat/completions/{}", .closed(.stored)),
        Entry("POST", "responses", .metered(.openAIResponses)),
        Entry("POST", "responses/input_tokens", .free),
        // Billable; must not be taken for the id of a response.
        Entry("POST", "responses/compact", .closed(.notMetered("responses/compact"))),
        Entry("GET", "responses/{}", .closed(.stored)),
        Entry("DELETE", "responses/{}", .closed(.stored)),
        Entry("POST", "responses/{}/cancel", .closed(.stored)),
        Entry("GET", "responses/{}/input_items", .closed(.stored)),
        Entry("POST", "embeddings", .metered(.openAIEmbeddings)),
        Entry("GET", "models", .free),
        Entry("GET", "models/{…}", .free),
        Entry("POST", "batches", .batch(.create)),
        Entry("GET", "batches", .batch(.list)),
        Entry("GET", "batches/{}", .batch(.retrieve)),
        Entry("POST", "batches/{}/cancel", .batch(.cancel)),
        Entry("POST", "files", .batch(.createFile)),
        Entry("GET", "files", .batch(.listFiles)),
        Entry("GET", "files/{}", .batch(.retrieveFile)),
        Entry("GET", "files/{}/content", .batch(.fileContent)),
        Entry("DELETE", "files/{}", .batch(.deleteFile)),
    ]

    private static let anthropic = [
        Entry("POST", "messages", .metered(.anthropicMessages)),
        Entry("POST", "messages/count_tokens", .free),
        Entry("GET", "models", .free),
        Entry("GET", "models/{}", .free),
        Entry("POST", "messages/batches", .batch(.create)),
        Entry("GET", "messages/batches", .batch(.list)),
        Entry("GET", "messages/batches/{}", .batch(.retrieve)),
        Entry("POST", "messages/batches/{}/cancel", .batch(.cancel)),
        Entry("GET", "messages/batches/{}/results", .batch(.results)),
        Entry("DELETE", "messages/batches/{}", .batch(.delete)),
    ]

    /// For a better answer than that the path is unknown.
    private static let notMetered: Set<String> = [
        "images", "audio", "realtime", "fine_tuning", "assistants", "threads", "vector_stores",
        "containers", "evals", "videos", "moderations", "completions", "complete", "uploads",
        "edits", "rerank", "files", "skills", "conversations", "agents", "sessions",
    ]
}
