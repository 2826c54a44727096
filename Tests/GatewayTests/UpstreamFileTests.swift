import CanonicalJSON
import Dialects
import Gateway
import Testing

/// The file of the upstreams: what it may say, and what is said when it says something else.
@Suite struct UpstreamFileTests {
    private func settings(
        _ text: String, environment: [String: String] = [:]
    ) throws -> GatewaySettings {
        try UpstreamFile.settings(try StrictJSON.parse(text), environment: environment)
    }

    private func upstream(_ members: String) -> String {
        #"{"upstreams":{"a":{"dialect":"openai","base_url":"http://127.0.0.1:1"\#(members)}}}"#
    }

    // Everything that can be said, and the defaults of what is not.
    @Test func wholeFile() throws {
        let found = try settings(
            #"""
            {"customer_from":{"default":["safety_identifier","user"]},"upstreams":{
              "z":{"dialect":"anthropic","base_url":"https://api.anthropic.com","key":"sk-ant"},
              "azure":{"dialect":"openai","base_url":"https://me.openai.azure.com/",
                "key_env":"AZURE","path_style":"azure","usage_convention":"cache_inclusive",
                "models":{"mine":"gpt-4o"},"model_prefix":"azure/","retries":0,
                "unmetered":["POST /v1/moderations","GET /v1/files/*"],
                "connect_timeout_seconds":1,"idle_timeout_seconds":2,"total_timeout_seconds":3,
                "drain_seconds":4,"drain_bytes":5,"hold_seconds":60,"stream_bytes_max":7000,
                "answer_bytes_max":8000,"connections_max":9}}}
            """#, environment: ["AZURE": "secret-of-azure"])
        #expect(found.upstreams.map(\.name) == ["azure", "z"])
        #expect(found.customerFrom == ["default": [.safetyIdentifier, .user]])
        let azure = found.upstreams[0]
        #expect(azure.key?.secret == "secret-of-azure")
        #expect(azure.keyOrigin == "environment AZURE")
        #expect(azure.pathStyle == .azure)
        #expect(azure.usageConvention == .inclusive)
        #expect(azure.priceName(of: "mine") == "gpt-4o")
        #expect(azure.priceName(of: "other") == "azure/other")
        #expect(azure.unmetered[0].covers(method: "POST", path: "/v1/moderations"))
        #expect(!azure.unmetered[0].covers(method: "POST", path: "/v1/moderations/x"))
        #expect(azure.unmetered[1].covers(method: "GET", path: "/v1/files/f1/content"))
        #expect(!azure.unmetered[1].covers(method: "DELETE", path: "/v1/files/f1"))
        #expect(azure.limits.connectSeconds == 1 && azure.limits.connectionsMax == 9)
        #expect(azure.limits.drainBytes == 5 && azure.limits.streamBytesMax == 7_000)
        let other = found.upstreams[1]
        #expect(other.dialect == .anthropic)
        #expect(other.limits == UpstreamLimits())
        #expect(other.keyOrigin == "the file")
    }

    // A key shows itself in no description.
    @Test func keysAreSilent() throws {
        let found = try settings(upstream(#","key":"canary-of-a-key""#))
        var dumped = ""
        dump(found, to: &dumped)
        #expect(!dumped.contains("canary"))
        #expect(!"\(found)".contains("canary"))
        #expect(!String(reflecting: found).contains("canary"))
    }

    // What is wrong is named, and its value is not repeated.
    @Test(arguments: [
        (#"{}"#, "upstreams"),
        (#"{"upstreams":{},"upstream":{}}"#, "upstream"),
        (#"{"upstreams":{"v1":{}}}"#, "upstreams.v1"),
        (#"{"upstreams":{"Open AI":{}}}"#, #"upstreams["Open AI"]"#),
        (#"{"upstreams":{"a":{"base_url":"http://x"}}}"#, "upstreams.a.dialect"),
        (#"{"upstreams":{"a":{"dialect":"gemini","base_url":"http://x"}}}"#, "upstreams.a.dialect"),
        (#"{"upstreams":{"a":{"dialect":"openai"}}}"#, "upstreams.a.base_url"),
        (#"{"customer_from":{"p":["user","user"]},"upstreams":{}}"#, "customer_from.p"),
        (#"{"customer_from":{"p":["metadata"]},"upstreams":{}}"#, "customer_from.p"),
    ])
    func faults(text: String, param: String) throws {
        let error = #expect(throws: FieldError.self) { _ = try settings(text) }
        #expect(error?.param == param)
    }

    @Test(arguments: [
        (#","key":"a","key_env":"b""#, "key_env"), (#","key_env":"NOT_THERE""#, "key_env"),
        (#","key":"with space""#, "key"), (#","retries":9"#, "retries"),
        (#","hold_seconds":1"#, "hold_seconds"), (#","idle_timeout":1"#, "idle_timeout"),
        (#","unmetered":["/v1/x"]"#, "unmetered"), (#","unmetered":["GET /a/*/b"]"#, "unmetered"),
        (#","unmetered":["GET /a*"]"#, "unmetered"), (#","models":{"":"x"}"#, #"models[""]"#),
        (#","usage_convention":"both""#, "usage_convention"),
    ])
    func faultsOfAnUpstream(members: String, param: String) throws {
        let error = #expect(throws: FieldError.self) { _ = try settings(upstream(members)) }
        #expect(error?.param == "upstreams.a." + param || error?.param == "upstreams.a" + param)
        #expect(error?.message.contains("with space") == false)
    }

    // A route that is metered cannot be opened, and is not passed over in silence.
    @Test func unmeteredButMetered() throws {
        for route in ["/v1/chat/completions", "/responses", "/openai/deployments/x/embeddings"] {
            let error = #expect(throws: FieldError.self) {
                _ = try settings(upstream(#","unmetered":["POST \#(route)"]"#))
            }
            #expect(error?.param == "upstreams.a.unmetered")
            #expect(error?.message.contains("POST \(route), which is metered") == true)
        }
        let found = try settings(upstream(#","unmetered":["GET /v1/responses/*","POST /v1/*"]"#))
        #expect(found.upstreams[0].unmetered.count == 2)
    }

    // A variable that is missing is named with its upstream; a key in its place is not.
    @Test func missingVariable() throws {
        var error = #expect(throws: FieldError.self) {
            _ = try settings(upstream(#","key_env":"MY_KEY_2""#))
        }
        #expect(error?.message.contains("not in the environment: MY_KEY_2 (") == true)
        #expect(error?.message.contains("upstream 'a'") == true)
        error = #expect(throws: FieldError.self) {
            _ = try settings(upstream(#","key_env":"gsk_canary""#))
        }
        #expect(error?.message.contains("canary") == false)
    }

    // Only what can be the beginning of a URL is a base, and its password is not repeated.
    @Test(arguments: [
        "api.openai.com", "ftp://x", "https://", "https://user:secret@x", "https://x/?a=1",
        "https://x#f", "https://x:0", "https://x:99999", "https://a b", "https://[::1", "//x",
    ])
    func baseURLFaults(text: String) {
        let error = #expect(throws: BaseURL.Fault.self) { _ = try BaseURL(text) }
        #expect(error?.text.contains("secret") == false)
    }

    // The version may stand in the base, in the path, or in both, and is sent once.
    @Test(arguments: [
        ("https://h", "/v1/models", "", "https://h/v1/models"),
        ("https://h/v1", "/v1/models", "", "https://h/v1/models"),
        ("https://h/v1/", "/models", "a=b", "https://h/v1/models?a=b"),
        ("https://h/api/v1", "/v1/models", "", "https://h/api/v1/models"),
        ("https://h/api", "/v1/models", "", "https://h/api/v1/models"),
        ("http://[::1]:11434", "/v1/x", "", "http://[::1]:11434/v1/x"),
        ("https://h/v1", "/v10/x", "", "https://h/v1/v10/x"),
    ])
    func joining(base: String, path: String, query: String, url: String) throws {
        #expect(try BaseURL(base).url(path: path, query: query) == url)
    }
}
