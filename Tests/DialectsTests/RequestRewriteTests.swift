import CanonicalJSON
import Dialects
import Testing

@Suite struct RequestRewriteTests {
    private func rewrite(
        _ body: String, _ changes: RequestChanges, model: String? = nil
    ) throws(RequestRewriteError) -> String {
        text(
            try RequestRewrite.apply(
                changes, to: bytes(body), dialect: .openAIChat, model: model
            ).bytes)
    }

    private func rewrite(
        _ body: String, _ dialect: CallDialect, _ changes: RequestChanges
    ) throws(RequestRewriteError) -> String {
        text(try RequestRewrite.apply(changes, to: bytes(body), dialect: dialect).bytes)
    }

    private static let cap = RequestChanges(outputCap: 100)
    private static let usage = RequestChanges(asksForStreamUsage: true)

    // A cap is lowered in place, set where there is none, and left where it is low enough.
    @Test(arguments: [
        (#"{"max_tokens": 4096, "model":"m"}"#, #"{"max_tokens": 100, "model":"m"}"#),
        (#"{"max_tokens":100}"#, #"{"max_tokens":100}"#),
        (#"{"max_tokens":1}"#, #"{"max_tokens":1}"#),
        (#"{"max_tokens":null }"#, #"{"max_tokens":100 }"#),
        (
            #"{"max_completion_tokens":null,"model":"m"}"#,
            #"{"max_completion_tokens":100,"model":"m"}"#
        ),
        (
            #"{"max_tokens":4096,"max_completion_tokens":50}"#,
            #"{"max_tokens":100,"max_completion_tokens":50}"#
        ),
        (
            #"{"max_tokens":500,"max_completion_tokens":900}"#,
            #"{"max_tokens":100,"max_completion_tokens":100}"#
        ),
        (#"{"model":"gpt-4o" }"#, #"{"model":"gpt-4o","max_tokens":100 }"#),
        (#"{"model":"gpt-5.4-mini"}"#, #"{"model":"gpt-5.4-mini","max_completion_tokens":100}"#),
        (#"{"model":"openai\/o3"}"#, #"{"model":"openai\/o3","max_completion_tokens":100}"#),
        ("{}", #"{"max_tokens":100}"#), (" { \n} ", " {\"max_tokens\":100 \n} "),
        (#"{"max\u005ftokens":4096}"#, #"{"max\u005ftokens":100}"#),
        (
            #"{"messages":[{"max_tokens":5000}]}"#,
            #"{"messages":[{"max_tokens":5000}],"max_tokens":100}"#
        ),
    ])
    func chatCap(_ body: String, _ expected: String) throws {
        #expect(try rewrite(body, Self.cap) == expected)
    }

    // The names that models take; a setting overrules them, and Azure's deployment names the model.
    @Test func capNames() throws {
        for model in [
            "o1", "o3-mini", "o4-mini-2025", "gpt-5", "gpt-5.2-pro", "GPT-6", "gpt-10",
            "ft:gpt-5:org::1", "ft:o4-mini", "openai/gpt-5",
        ] {
            #expect(RequestRewrite.refusesMaxTokens(model: model), "\(model)")
        }
        for model in [
            "gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-oss-120b", "opus", "o", "omni-1",
            "llama-3", "", "claude-opus-5", "gpt-", "ft:gpt-4o",
        ] {
            #expect(!RequestRewrite.refusesMaxTokens(model: model), "\(model)")
        }
        let set = RequestChanges(outputCap: 7, chatCapMember: .maxTokens)
        #expect(try rewrite(#"{"model":"o3"}"#, set) == #"{"model":"o3","max_tokens":7}"#)
        #expect(try rewrite("{}", Self.cap, model: "o3") == #"{"max_completion_tokens":100}"#)
    }

    // A server that reads one name only is given the cap under that name, too, and no more than was
    // asked for under the other.
    @Test func capUnderBothNames() throws {
        let set = RequestChanges(outputCap: 100, chatCapMember: .maxTokens)
        #expect(
            try rewrite(#"{"max_completion_tokens":7}"#, set)
                == #"{"max_completion_tokens":7,"max_tokens":7}"#)
        #expect(
            try rewrite(#"{"max_completion_tokens":700}"#, set)
                == #"{"max_completion_tokens":100,"max_tokens":100}"#)
        #expect(try rewrite(#"{"max_tokens":7}"#, set) == #"{"max_tokens":7}"#)
    }

    // The other dialects have one name each; embeddings have no output.
    @Test func otherDialects() throws {
        #expect(
            try rewrite(#"{"max_output_tokens":500}"#, .openAIResponses, Self.cap)
                == #"{"max_output_tokens":100}"#)
        #expect(
            try rewrite(#"{"a":1}"#, .openAIResponses, Self.cap)
                == #"{"a":1,"max_output_tokens":100}"#)
        #expect(
            try rewrite(#"{"max_tokens":500}"#, .anthropicMessages, Self.cap)
                == #"{"max_tokens":100}"#)
        #expect(try rewrite("{}", .openAIEmbeddings, Self.cap) == "{}")
    }

    // Anthropic's cap stays above the thinking budget, or nothing is changed and it is said; where
    // the budget is above the cap already, the client has asked for that.
    @Test func thinkingBudget() throws {
        func body(_ cap: Int, _ budget: Int) -> String {
            #"{"max_tokens":\#(cap),"thinking":{"type":"enabled","budget_tokens":\#(budget)}}"#
        }
        #expect(throws: RequestRewriteError.belowThinkingBudget(cap: 100, budget: 100)) {
            try rewrite(body(4_000, 100), .anthropicMessages, Self.cap)
        }
        #expect(throws: RequestRewriteError.belowThinkingBudget(cap: 100, budget: 3_000)) {
            try rewrite(body(4_000, 3_000), .anthropicMessages, Self.cap)
        }
        #expect(try rewrite(body(4_000, 99), .anthropicMessages, Self.cap) == body(100, 99))
        #expect(try rewrite(body(90, 50), .anthropicMessages, Self.cap) == body(90, 50))
        #expect(try rewrite(body(2_000, 3_000), .anthropicMessages, Self.cap) == body(100, 3_000))
        #expect(
            try rewrite(
                #"{"max_tokens":4000,"thinking":{"type":"adaptive"}}"#, .anthropicMessages, Self.cap
            )
                == #"{"max_tokens":100,"thinking":{"type":"adaptive"}}"#)
    }

    // Usage is asked for in streams only, whatever form the options have.
    @Test(arguments: [
        (#"{"stream":true}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
        (#"{"stream":false}"#, #"{"stream":false}"#), ("{}", "{}"),
        (#"{"stream":null}"#, #"{"stream":null}"#),
        (
            #"{"stream":true,"stream_options":null,"n":1}"#,
            #"{"stream":true,"stream_options":{"include_usage":true},"n":1}"#
        ),
        (
            #"{"stream_options": { } ,"stream":true}"#,
            #"{"stream_options": {"include_usage":true } ,"stream":true}"#
        ),
        (
            #"{"stream":true,"stream\u005foptions":{ "include_obfuscation" : false }}"#,
            #"{"stream":true,"stream\u005foptions":{ "include_obfuscation" : false,"include_usage":true }}"#
        ),
        (
            #"{"stream":true,"stream_options":{"include_usage": false}}"#,
            #"{"stream":true,"stream_options":{"include_usage": true}}"#
        ),
        (
            #"{"stream":true,"stream_options":{"include_usage":null}}"#,
            #"{"stream":true,"stream_options":{"include_usage":true}}"#
        ),
        (
            #"{"stream":true,"stream_options":{"include_usage":true}}"#,
            #"{"stream":true,"stream_options":{"include_usage":true}}"#
        ),
    ])
    func streamUsage(_ body: String, _ expected: String) throws {
        #expect(try rewrite(body, Self.usage) == expected)
        #expect(try rewrite(body, .openAIResponses, Self.usage) == body)
    }

    // Members go with one comma; an output cap is never removed.
    @Test(arguments: [
        (#"{"a":1,"b":2,"c":3}"#, #"{"b":2,"c":3}"#),
        (#"{"b":2 , "a":1 , "c":3}"#, #"{"b":2 , "c":3}"#),
        (#"{"b":2 , "a":1 }"#, #"{"b":2 }"#), (#"{ "a" : [1,{"a":2}] }"#, "{  }"),
        (#"{"a":1,"x":2,"b":3}"#, #"{"b":3}"#), (#"{"b":3,"a":1,"x":2}"#, #"{"b":3}"#),
        (#"{"a":1,"b":3,"x":2}"#, #"{"b":3}"#), (#"{"a":1,"x":2}"#, "{}"),
        (#"{"\u0061":1}"#, "{}"), (#"{"max_tokens":5}"#, #"{"max_tokens":5}"#),
    ])
    func removal(_ body: String, _ expected: String) throws {
        let changes = RequestChanges(removedMembers: ["a", "x", "max_tokens", "absent"])
        #expect(try rewrite(body, changes) == expected)
    }

    // All changes at once, each listed with what was there before.
    @Test func edits() throws {
        let changed = try RequestRewrite.apply(
            RequestChanges(
                outputCap: 9, asksForStreamUsage: true, removedMembers: ["logprobs", "user"]),
            to: bytes(
                #"{"user":"u","max_tokens":10,"stream":true,"logprobs":true}"#),
            dialect: .openAIChat)
        #expect(
            text(changed.bytes)
                == #"{"max_tokens":9,"stream":true,"stream_options":{"include_usage":true}}"#)
        #expect(
            changed.edits == [
                RequestEdit(path: "max_tokens", old: "10", new: "9"),
                RequestEdit(path: "stream_options.include_usage", new: "true"),
                RequestEdit(path: "user", old: "string"),
                RequestEdit(path: "logprobs", old: "true"),
            ])
        let same = try RequestRewrite.apply(
            RequestChanges(outputCap: 10, asksForStreamUsage: true),
            to: bytes(#"{"max_tokens":10}"#),
            dialect: .openAIChat)
        #expect(same.edits.isEmpty)
    }

    // What upstreams may read in several ways is refused, with the place.
    @Test(
        arguments: [
            (#"{"max_tokens":1,"max_tokens":2}"#, "max_tokens"),
            (#"{"max_tokens":1,"max\u005ftokens":2}"#, "max_tokens"),
            (#"{"x":1,"x":1}"#, "x"),
            (
                #"{"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}"#,
                "stream_options.include_usage"
            ),
            (#"{"max_tokens":12.5}"#, "max_tokens"), (#"{"max_tokens":1e3}"#, "max_tokens"),
            (#"{"max_tokens":"12"}"#, "max_tokens"), (#"{"max_tokens":true}"#, "max_tokens"),
            (#"{"max_tokens":99999999999999999999}"#, "max_tokens"),
            (#"{"max_completion_tokens":[]}"#, "max_completion_tokens"),
            (#"{"stream":true,"stream_options":5}"#, "stream_options"),
            (
                #"{"stream":true,"stream_options":{"include_usage":"yes"}}"#,
                "stream_options.include_usage"
            ),
            ("[]", nil), ("", nil), ("{", nil), ("{} x", nil), (#"{"a":"\ud800"}"#, "a"),
            ("{\"a\":1,}", nil), ("\u{FEFF}{}", nil),
        ] as [(String, String?)])
    func refused(_ body: String, _ param: String?) throws {
        let changes = RequestChanges(outputCap: 100, asksForStreamUsage: true)
        do throws(RequestRewriteError) {
            Issue.record("accepted: \(try rewrite(body, changes))")
        } catch {
            guard case .invalid(let found, let message) = error else {
                Issue.record("another error: \(error)")
                return
            }
            if let param { #expect(found == param) }
            #expect(!message.isEmpty)
        }
    }

    // Whatever else is in a request, it means the same afterwards but for the changes, and all of
    // its other bytes are the same.
    @Test func anyRequest() throws {
        var numbers = SeededNumbers(seed: 0xCAB)
        for _ in 0..<4_000 {
            let body = RandomRequest.body(&numbers)
            let changes = RequestChanges(
                outputCap: numbers.below(2) == 0 ? 50 : nil,
                asksForStreamUsage: numbers.below(2) == 0,
                removedMembers: numbers.below(2) == 0 ? ["user", "q"] : [])
            let changed = try RequestRewrite.apply(changes, to: bytes(body), dialect: .openAIChat)
            let old = try members(bytes(body))
            let new = try members(changed.bytes)
            var expected = old
            for edit in changed.edits {
                let value = try edit.new.map { try StrictJSON.parse($0) }
                guard edit.path == "stream_options.include_usage", let value else {
                    expected[edit.path] = value
                    continue
                }
                var options = JSONObject()
                if case .object(let object)? = old["stream_options"] {
                    for (key, value) in object.members where key != "include_usage" {
                        options.append(key, value)
                    }
                }
                options.append("include_usage", value)
                expected["stream_options"] = .object(options)
            }
            #expect(new == expected, "\(body) → \(text(changed.bytes))")
            if changed.edits.isEmpty { #expect(changed.bytes == bytes(body)) }
            // Where nothing was taken away, all that was there still is, in order.
            if changed.edits.allSatisfy({ $0.old == nil }), old["stream_options"] != .null {
                var rest = bytes(body)[...]
                for byte in changed.bytes where byte == rest.first { rest = rest.dropFirst() }
                #expect(rest.isEmpty, "\(body) → \(text(changed.bytes))")
            }
            if let cap = changes.outputCap { try checkCap(new, cap) }
            let again = try RequestRewrite.apply(changes, to: changed.bytes, dialect: .openAIChat)
            #expect(again.edits.isEmpty, "a second time there is nothing to change")
        }
    }

    private func members(_ body: [UInt8]) throws -> [String: JSONValue] {
        guard case .object(let object) = try StrictJSON.parse(body) else { return [:] }
        return Dictionary(uniqueKeysWithValues: object.members.map { ($0.key, $0.value) })
    }

    private func checkCap(_ members: [String: JSONValue], _ cap: Int64) throws {
        let caps = ["max_tokens", "max_completion_tokens"].compactMap { name -> Int64? in
            guard case .integer(let value)? = members[name] else { return nil }
            return value
        }
        #expect(!caps.isEmpty)
        #expect(caps.allSatisfy { $0 <= cap })
    }
}

private enum RandomRequest {
    static func body(_ numbers: inout SeededNumbers) -> String {
        let spaces = ["", "", " ", "\n", "\t ", "  \r\n"]
        var members = [
            ("model", [#""gpt-4o""#, #""o3""#, #""gp\u0074-5""#, "5"]),
            ("max_tokens", ["5", "50", "51", "1000000", "null"]),
            ("max_completion_tokens", ["5", "4096", "null"]),
            ("stream", ["true", "false", "null"]),
            (
                "stream_options",
                [
                    "null", "{}", #"{ "include_usage" : true}"#, #"{"include_usage":false}"#,
                    #"{"x":[1, 2],"include\u005fusage":null }"#, #"{"include_obfuscation":true}"#,
                ]
            ),
            ("user", [#""u""#, "{}"]), ("q", ["1.50", "[]", #""\u00e9 é""#]),
            ("messages", [#"[{"role":"user","content":"max_tokens\": 5 }"}]"#, "[ ]"]),
        ]
        var parts: [String] = []
        while !members.isEmpty && numbers.below(9) > 0 {
            let (name, values) = members.remove(at: numbers.below(members.count))
            let quoted =
                numbers.below(3) == 0
                ? "\"" + name.replacing("_", with: "\\u005f") + "\"" : "\"\(name)\""
            func space() -> String { numbers.pick(spaces) }
            parts.append(
                space() + quoted + space() + ":" + space() + numbers.pick(values) + space())
        }
        let space = numbers.pick(spaces)
        return space + "{" + (parts.isEmpty ? space : parts.joined(separator: ",")) + "}" + space
    }
}
