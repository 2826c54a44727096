// What the gateway knows of the providers that it passes calls on to.

package import Dialects
package import Money

/// Whose habits an upstream's paths and headers follow, beyond its dialect.
package enum PathStyle: String, Sendable, Hashable, CaseIterable {
    /// The dialect's own.
    case plain
    /// `/openai/deployments/{deployment}/chat/completions?api-version=…`, where the deployment
    /// stands for the model, and the key in the header `api-key`.
    case azure
}

/// A secret that does not show itself: neither in logs nor in descriptions.
package struct UpstreamKey: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// For the request's header, and for nothing else.
    package let secret: String

    package init(_ secret: String) { self.secret = secret }

    package var description: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where an upstream is.
package struct BaseURL: Sendable, Hashable {
    /// `https://api.openai.com`, without a path.
    package let origin: String
    /// `/api/v1`, or empty; no slash at its end.
    package let path: String
    package let isEncrypted: Bool

    package var text: String { origin + path }

    /// What is sent there does not leave the machine.
    package var isThisMachine: Bool {
        let host = origin.split(separator: "/", maxSplits: 1).last.map { $0.drop { $0 == "/" } }
        return ["127.0.0.1", "localhost", "[::1]"].contains { name in
            host.map { $0 == name || $0.hasPrefix(name + ":") } ?? false
        }
    }

    /// The URL of a path of the upstream's, with its query.
    ///
    /// People give the base with the version in it as their SDK wants it, and the SDK's path has it
    /// too: it is there once.
    package func url(path asked: String, query: String) -> String {
        var asked = asked[...]
        for version in ["/v1", "/v1beta"]
        where path.hasSuffix(version) && asked.hasPrefix(version + "/") {
            asked = asked.dropFirst(version.utf8.count)
        }
        return text + asked + (query.isEmpty ? "" : "?" + query)
    }
}

/// One upstream: the first segment of the paths that lead to it, and how it is dealt with.
package struct Upstream: Sendable, Hashable {
    package var name: String
    package var dialect: ProviderFamily
    package var baseURL: BaseURL
    /// Nil: it wants none.
    package var key: UpstreamKey?
    /// The variable that the key came from; nil: it stands in the file, or there is none.
    package var keyVariable: String?
    package var pathStyle = PathStyle.plain
    package var usageConvention = UsageConvention.dialect
    /// Names that the price book knows its models by, by the name that callers use.
    package var models: [String: String] = [:]
    /// Before all other names, to make the name that the price book knows.
    package var modelPrefix = ""
    /// Routes that are passed through without a charge although they are not understood.
    package var unmetered: [UnmeteredRoute] = []
    /// Members of requests that pass although their cost is not known, or nothing bounds it.
    package var allowedMembers: Set<String> = []
    /// Which name of the output cap the upstream reads in chat requests.
    package var capMember = ChatCapMember.byModel
    /// Whether a request without a cap is given one.
    package var addsCap = true
    package var limits = UpstreamLimits()
    /// Prompts of calls that may be charged this or more are counted by the upstream; nil: none.
    package var countAbove: Money?

    package init(name: String, dialect: ProviderFamily, baseURL: BaseURL) {
        self.name = name
        self.dialect = dialect
        self.baseURL = baseURL
    }

    package var dialectName: String { dialect.rawValue }

    /// Where the key came from, for people: never the key.
    package var keyOrigin: String {
        keyVariable.map { "environment \($0)" } ?? (key == nil ? "none" : "the file")
    }

    /// The name that the price book knows a model by.
    package func priceName(of model: String) -> String {
        models[model] ?? modelPrefix + model
    }
}

/// `POST /v1/moderations`, or `GET /v1/files/*` for all that is below.
package struct UnmeteredRoute: Sendable, Hashable {
    package var method: String
    package var path: String
    package var isPrefix: Bool

    package func covers(method: String, path: String) -> Bool {
        method == self.method && (isPrefix ? path.hasPrefix(self.path) : path == self.path)
    }
}

package struct UpstreamLimits: Sendable, Hashable {
    package var connectSeconds = 10
    /// Between two pieces of an answer, and before its first.
    package var idleSeconds = 300
    /// Of a whole call.
    package var totalSeconds = 1_800
    /// How long, and how far, an answer is read for the sake of its usage when the client has gone.
    package var drainSeconds = 60
    package var drainBytes = 4 << 20
    package var holdSeconds = 120
    /// Of one stream.
    package var streamBytesMax = 256 << 20
    /// Of one answer that is no stream; it is in memory as a whole.
    package var answerBytesMax = 32 << 20
    /// Of connections that could not be made.
    package var retries = 1
    package var connectionsMax = 8_192

    package init() {}
}

/// A field of a body that may name the customer.
package enum CustomerField: String, Sendable, Hashable, CaseIterable {
    case user
    case safetyIdentifier = "safety_identifier"
    case metadataUserID = "metadata.user_id"
}

/// Everything that the gateway is told from outside.
package struct GatewaySettings: Sendable, Hashable {
    /// In the order of their names.
    package var upstreams: [Upstream] = []
    /// Fields that may name the customer, the first that is there counts; by project, which opts
    /// in by being named here.
    package var customerFrom: [String: [CustomerField]] = [:]

    package init() {}
}
