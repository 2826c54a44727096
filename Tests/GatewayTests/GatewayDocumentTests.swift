import CanonicalJSON
import Dialects
import Foundation
import Gateway
import Testing

/// The descriptions of the gateway against what it does.
@Suite struct GatewayDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    private func python(_ script: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    /// What schemas/gateway.openapi.yaml says of one operation, by its lines.
    private struct Described: Hashable {
        var method = ""
        var path = ""
        var route = ""
        var tags: [String] = []
    }

    private func described() throws -> [Described] {
        var found: [Described] = []
        var path = ""
        for line in try text("schemas/gateway.openapi.yaml").split(separator: "\n") {
            if line.hasPrefix("components:") { break }
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = String(line.dropFirst(2).dropLast())
            } else if line.hasPrefix("    "), line.hasSuffix(":"), !line.hasPrefix("     "),
                ["get", "post", "delete"].contains(line.dropFirst(4).dropLast())
            {
                found.append(
                    Described(method: line.dropFirst(4).dropLast().uppercased(), path: path))
            } else if line.hasPrefix("      x-faregate-route: ") {
                found[found.count - 1].route = String(line.dropFirst(24))
            } else if line.hasPrefix("      tags: [") {
                found[found.count - 1].tags = line.dropFirst(13).dropLast().split(separator: ",")
                    .map { $0.trimmingCharacters(in: .whitespaces) }
            }
        }
        return found
    }

    // What is described as metered or free is that, and every dialect that is metered is described.
    @Test func routes() throws {
        let all = try described()
        for one in all {
            let path = one.path.replacing("/{upstream}", with: "")
                .replacing("{model}", with: "gpt-4o")
            for tag in one.tags {
                let family = try #require(ProviderFamily(rawValue: tag))
                let kind = GatewayRoute.classify(
                    method: one.method, path: path, family: family
                ).kind
                switch kind {
                case .metered(let dialect): #expect(one.route == "metered \(dialect.rawValue)")
                case .free: #expect(one.route == "free")
                default: Issue.record("\(one.method) \(one.path) is closed")
                }
            }
        }
        let metered = Set(all.map(\.route))
        for dialect in CallDialect.allCases {
            #expect(metered.contains("metered \(dialect.rawValue)"))
        }
    }

    // The description is a sound OpenAPI document.
    @Test func openAPI() throws {
        let checker = Self.root.appending(path: "Tests/HTTPAPITests/check_openapi.py").path()
        let file = Self.root.appending(path: "schemas/gateway.openapi.yaml").path()
        let (status, output) = try python(checker, [file])
        #expect(status == 0, "\(output)")
    }

    // The schema of the file of upstreams and its reader agree: on the names of all fields, on
    // their limits, and on the names that are taken.
    @Test func schema() throws {
        let schema = try StrictJSON.parse(try text("schemas/upstreams.schema.json"))
        let upstream = try #require(schema["$defs"]?["upstream"]?["properties"])
        guard case .object(let properties) = upstream else {
            Issue.record("no properties")
            return
        }
        for member in properties.members {
            let (good, bad) = try samples(member.key, member.value)
            let others = #""dialect":"openai","base_url":"http://h""#
            for (value, isGood) in good.map({ ($0, true) }) + bad.map({ ($0, false) }) {
                var text = #"{"upstreams":{"a":{"\#(member.key)":\#(value),\#(others)}}}"#
                if member.key == "dialect" || member.key == "base_url" {
                    let rest =
                        member.key == "dialect" ? #""base_url":"http://h""# : #""dialect":"openai""#
                    text = #"{"upstreams":{"a":{"\#(member.key)":\#(value),\#(rest)}}}"#
                }
                let json = try StrictJSON.parse(text)
                let settings = try? UpstreamFile.settings(json, environment: ["VARIABLE": "k"])
                #expect((settings != nil) == isGood, "\(text)")
            }
        }
        let taken = schema["properties"]?["upstreams"]?["propertyNames"]?["not"]?["enum"]
        guard case .array(let names)? = taken else {
            Issue.record("no names are taken")
            return
        }
        #expect(
            Set(names.map { if case .string(let name) = $0 { name } else { "" } })
                == UpstreamFile.reservedNames)
    }

    /// JSON values that the schema of a field takes, and others that it does not.
    private func samples(_ name: String, _ schema: JSONValue) throws -> ([String], [String]) {
        if case .array(let choices)? = schema["enum"] {
            let texts = try choices.map { try CanonicalJSON.encode($0) }
            return (texts.map { String(decoding: $0, as: UTF8.self) }, [#""other""#, "1"])
        }
        if case .integer(let low)? = schema["minimum"], case .integer(let high)? = schema["maximum"]
        {
            return (["\(low)", "\(high)"], ["\(low - 1)", "\(high + 1)", #""1""#])
        }
        switch name {
        case "base_url": return ([#""https://h/v1""#], [#""h""#, #""https://h?a""#])
        case "key": return ([#""k""#], [#""""#, #""a b""#])
        case "count_above": return ([#""0.25""#, #""0""#], [#""-1""#, "0.25", #""much""#])
        case "key_env": return ([#""VARIABLE""#], [#""""#, #""OTHER""#])
        case "models": return ([#"{"a":"b"}"#], [#"{"a":""}"#, #"{"":"b"}"#, "[]"])
        case "model_prefix": return ([#""x/""#], ["1"])
        case "adds_cap": return (["true", "false"], [#""true""#, "1"])
        case "allowed_members": return ([#"["provider"]"#, "[]"], [#""provider""#, "[1]"])
        case "unmetered":
            let bad = [#"["GET a"]"#, #"["GET /a*"]"#, #"["POST /v1/chat/completions"]"#]
            return ([#"["GET /a/*"]"#], bad)
        default:
            Issue.record("\(name) has no samples")
            return ([], [])
        }
    }

    // docs/gateway.md names every field of an upstream, and no other.
    @Test func document() throws {
        let schema = try StrictJSON.parse(try text("schemas/upstreams.schema.json"))
        let document = try text("docs/gateway.md")
        let section = document.split(separator: "## An upstream's settings")[1]
            .split(separator: "\n## ")[0]
        guard case .object(let properties)? = schema["$defs"]?["upstream"]?["properties"] else {
            Issue.record("no properties")
            return
        }
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
        var named: Set<String> = []
        for row in rows {
            for (place, part) in row.split(separator: "|")[0].split(separator: "`").enumerated()
            where place % 2 == 1 { named.insert(String(part)) }
        }
        #expect(named == Set(properties.members.map(\.key)))
    }
}

extension JSONValue {
    fileprivate subscript(_ name: String) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }
}
