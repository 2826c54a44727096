// The file that the setting `upstreams` names: one JSON object.
//
//   {"customer_from": {"default": ["safety_identifier", "user"]},
//    "upstreams": {
//      "openai": {"dialect": "openai", "base_url": "https://api.openai.com",
//                 "key_env": "OPENAI_API_KEY"},
//      "local":  {"dialect": "openai", "base_url": "http://127.0.0.1:11434",
//                 "model_prefix": "ollama/", "idle_timeout_seconds": 600}}}
//
// The name of an upstream is the first segment of the paths that lead to it. `dialect` and
// `base_url` are required, all else has a default; schemas/upstreams.schema.json has the limits.
// Read strictly: a misspelt member is an error that names it, because a limit that is passed over
// in silence is not in force. An error never holds a value of the file, which may be a key.

package import CanonicalJSON
import Dialects
import HTTPAPI
import Money

package enum UpstreamFile {
    /// First segments of paths that are the API's own, or that it may want later.
    package static let reservedNames: Set<String> = [
        "api", "assets", "dashboard", "docs", "favicon.ico", "healthz", "login", "logout",
        "metrics", "openapi.yaml", "readyz", "robots.txt", "static", "v1", "v2", "webhooks",
    ]

    package static let upstreamsMax = 64

    /// - Parameter environment: where `key_env` is looked up.
    package static func settings(
        _ json: JSONValue, environment: [String: String]
    ) throws(FieldError) -> GatewaySettings {
        var fields = try JSONFields(json)
        var settings = GatewaySettings()
        if var projects = try fields.optionalObject("customer_from") {
            for member in projects.object.members {
                settings.customerFrom[member.key] = try customerFields(member.key, &projects)
            }
        }
        var named = try fields.object("upstreams")
        try fields.rejectUnknown()
        let members = named.object.members
        if members.count > upstreamsMax {
            throw fields.error(
                .outOfRange, "upstreams", "must have at most \(upstreamsMax) members")
        }
        for member in members {
            if let fault = fault(inName: member.key) {
                throw named.error(.invalid, member.key, fault)
            }
            settings.upstreams.append(
                try upstream(member.key, try named.object(member.key), environment))
        }
        settings.upstreams.sort { $0.name < $1.name }
        return settings
    }

    private static func fault(inName name: String) -> String? {
        let isName =
            (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            } && name.utf8.first != UInt8(ascii: ".")
        if !isName { return "must be 1 to 64 lower-case letters, digits and - _ ." }
        return reservedNames.contains(name) ? "is a path of Faregate's own" : nil
    }

    private static func customerFields(
        _ project: String, _ projects: inout JSONFields
    ) throws(FieldError) -> [CustomerField] {
        guard API.isOperatorID(project) else {
            throw projects.error(.invalid, project, "is no id of a project")
        }
        var found: [CustomerField] = []
        for (place, name) in try projects.strings(project, maxCount: 3).enumerated() {
            guard let field = CustomerField(rawValue: name), !found.contains(field) else {
                let names = CustomerField.allCases.map(\.rawValue).joined(separator: ", ")
                throw projects.error(
                    .invalid, project, "[\(place)] must be one of \(names), each once")
            }
            found.append(field)
        }
        return found
    }

    private static func upstream(
        _ name: String, _ fields: JSONFields, _ environment: [String: String]
    ) throws(FieldError) -> Upstream {
        var fields = fields
        let dialect = try fields.choice("dialect", of: ProviderFamily.self)
        var upstream = Upstream(name: name, dialect: dialect, baseURL: try baseURL(&fields))
        try readKey(&fields, environment, into: &upstream)
        upstream.pathStyle = try fields.optionalChoice("path_style") ?? .plain
        if upstream.pathStyle == .azure, dialect != .openAI {
            throw fields.error(.invalid, "path_style", "can be azure with dialect openai only")
        }
        upstream.usageConvention =
            try fields.optionalChoice("usage_convention") ?? .dialect
        for (model, price) in try fields.stringMap(
            "models", maxCount: 1_000, maxNameBytes: 256, maxBytes: 256)
        {
            guard API.isID(model), API.isID(price) else {
                throw fields.error(.invalid, "models", "must name models on both sides")
            }
            upstream.models[model] = price
        }
        upstream.modelPrefix = try fields.optionalString("model_prefix", maxBytes: 128) ?? ""
        for route in try fields.optionalStrings("unmetered", maxCount: 64) ?? [] {
            let route = try unmetered(route, fields)
            let kind = GatewayRoute.classify(
                method: route.method, path: route.path, family: dialect
            ).kind
            if !route.isPrefix, case .metered = kind {
                throw fields.error(
                    .invalid, "unmetered",
                    "has \(route.method) \(route.path), which is metered and stays so: remove it")
            }
            upstream.unmetered.append(route)
        }
        upstream.allowedMembers = Set(
            try fields.optionalStrings("allowed_members", maxCount: 256) ?? [])
        upstream.capMember = try fields.optionalChoice("cap_member") ?? .byModel
        upstream.addsCap = try fields.optionalBool("adds_cap") ?? true
        upstream.limits = try limits(&fields)
        if let text = try fields.optionalDecimalText("count_above") {
            guard let amount = try? Money(decimal: text), !amount.isNegative else {
                throw fields.error(.invalid, "count_above", "must be an amount such as \"0.25\"")
            }
            upstream.countAbove = amount
        }
        try fields.rejectUnknown()
        return upstream
    }

    private static func readKey(
        _ fields: inout JSONFields, _ environment: [String: String], into upstream: inout Upstream
    ) throws(FieldError) {
        let key = try fields.optionalString("key", minBytes: 1, maxBytes: 4_096)
        let variable = try fields.optionalString("key_env", minBytes: 1, maxBytes: 256)
        switch (key, variable) {
        case (nil, nil): return
        case (_?, _?): throw fields.error(.invalid, "key_env", "and key exclude each other")
        case (let key?, nil):
            upstream.key = UpstreamKey(key)
        case (nil, let variable?):
            guard let key = environment[variable], !key.isEmpty else {
                throw fields.error(.invalid, "key_env", absent(variable, upstream.name))
            }
            upstream.key = UpstreamKey(key)
            upstream.keyVariable = variable
        }
        // It travels in a header.
        let isVisible =
            upstream.key?.secret.utf8.allSatisfy { (0x21...0x7e).contains($0) } ?? true
        guard isVisible else {
            throw fields.error(
                .invalid, key == nil ? "key_env" : "key",
                "must be visible ASCII characters without spaces")
        }
    }

    /// Says which variable is missing, unless the name may be a key that stands in the wrong place:
    /// those have small letters.
    private static func absent(_ variable: String, _ upstream: String) -> String {
        let isName = variable.utf8.allSatisfy { byte in
            (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "_")
        }
        return "names a variable that is not in the environment"
            + (isName ? ": \(variable)" : "") + " (for the key of upstream '\(upstream)')"
    }

    private static func limits(_ fields: inout JSONFields) throws(FieldError) -> UpstreamLimits {
        var limits = UpstreamLimits()
        func set(
            _ place: WritableKeyPath<UpstreamLimits, Int>, _ name: String, _ range: ClosedRange<Int>
        ) throws(FieldError) {
            if let value = try fields.optionalInt(name, in: range) {
                limits[keyPath: place] = value
            }
        }
        try set(\.connectSeconds, "connect_timeout_seconds", 1...300)
        try set(\.idleSeconds, "idle_timeout_seconds", 1...86_400)
        try set(\.totalSeconds, "total_timeout_seconds", 1...86_400)
        try set(\.drainSeconds, "drain_seconds", 0...3_600)
        try set(\.drainBytes, "drain_bytes", 0...(1 << 30))
        try set(\.holdSeconds, "hold_seconds", 10...86_400)
        try set(\.streamBytesMax, "stream_bytes_max", 1_024...(1 << 40))
        try set(\.answerBytesMax, "answer_bytes_max", 1_024...(1 << 30))
        try set(\.retries, "retries", 0...5)
        try set(\.connectionsMax, "connections_max", 1...100_000)
        return limits
    }

    private static func unmetered(
        _ text: String, _ fields: JSONFields
    ) throws(FieldError) -> UnmeteredRoute {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        guard parts.count == 2, methods.contains(String(parts[0])), parts[1].hasPrefix("/") else {
            throw fields.error(
                .invalid, "unmetered", "must have routes such as \"POST /v1/moderations\"")
        }
        let isPrefix = parts[1].hasSuffix("*")
        let path = isPrefix ? parts[1].dropLast() : parts[1]
        guard !path.contains("*"), !path.contains("?"), !isPrefix || path.hasSuffix("/") else {
            throw fields.error(
                .invalid, "unmetered", "may have a * only as the last segment of a path")
        }
        return UnmeteredRoute(method: String(parts[0]), path: String(path), isPrefix: isPrefix)
    }
}

// MARK: - Base URLs

extension UpstreamFile {
    private static func baseURL(_ fields: inout JSONFields) throws(FieldError) -> BaseURL {
        let text = try fields.string("base_url", minBytes: 1, maxBytes: 1_024)
        do throws(BaseURL.Fault) {
            return try BaseURL(text)
        } catch {
            throw fields.error(.invalid, "base_url", error.text)
        }
    }
}

extension BaseURL {
    package struct Fault: Error, Sendable {
        /// `must …`; never holds the URL, which may have a password in it.
        package var text: String
    }

    package init(_ text: String) throws(Fault) {
        let form = "must be a URL such as https://api.openai.com"
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw Fault(text: form) }
        let rest: Substring
        if text.hasPrefix("https://") {
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            rest = text.dropFirst(7)
        } else {
            throw Fault(text: form)
        }
        isEncrypted = text.hasPrefix("https://")
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        var tail = rest.dropFirst(host.count)
        if host.contains("@") { throw Fault(text: "must not have a user or a password in it") }
        if tail.contains("?") || tail.contains("#") {
            throw Fault(text: "must not have a query or a fragment")
        }
        guard Self.isHost(host) else { throw Fault(text: form) }
        while tail.hasSuffix("/") { tail = tail.dropLast() }
        origin = (isEncrypted ? "https://" : "http://") + host
        path = String(tail)
    }

    /// A name or an address, and perhaps a port.
    private static func isHost(_ text: Substring) -> Bool {
        var name = text
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            name = text[text.index(after: end)...]
            guard name.isEmpty || name.hasPrefix(":") else { return false }
            let isAddress = text[..<end].dropFirst().utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
                    || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
            }
            return isAddress && (name.isEmpty || isPort(name.dropFirst()))
        }
        if let colon = text.firstIndex(of: ":") {
            guard isPort(text[text.index(after: colon)...]) else { return false }
            name = text[..<colon]
        }
        return !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "_")
            }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard let number = Int(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return false
        }
        return (1...65_535).contains(number)
    }
}
