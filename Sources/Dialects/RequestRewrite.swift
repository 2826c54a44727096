// What the gateway changes in a request before it goes to the upstream, and nothing else: the bytes
// outside of the changed values stay as they are.
//
//   output cap  chat       `max_completion_tokens` or `max_tokens`, whichever is there; else the
//                          one that the model takes (reasoning models refuse `max_tokens`)
//               responses  `max_output_tokens`
//               messages   `max_tokens`, which must stay above `thinking.budget_tokens`
//               embeddings have none
//   usage       chat       `stream_options.include_usage`, in requests with `"stream": true`
//
// A cap that is lower already stays. Null is as good as absent. A member that comes twice is
// refused, as is a cap that is no integer: the upstream might read another one than we do. It is
// looked for in the objects that are changed or read (the top level, `stream_options`,
// `thinking`); a body that has passed the strict reader has none anywhere.

import CanonicalJSON

/// The member that caps the output of a chat completion.
package enum ChatCapMember: String, Sendable, Hashable, CaseIterable {
    /// `max_completion_tokens` for models that refuse the older name, else `max_tokens`, which
    /// every compatible server knows.
    case byModel = "by_model"
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"
}

/// What to change in a request.
package struct RequestChanges: Sendable, Hashable {
    /// The request may ask for no more output tokens than this, for each completion. At least 1.
    package var outputCap: Int64?
    package var chatCapMember: ChatCapMember
    /// `stream_options.include_usage` is set to true where the request asks for a stream.
    package var asksForStreamUsage: Bool
    /// Members of the top level that the upstream does not take. An output cap is never removed.
    package var removedMembers: [String]

    package init(
        outputCap: Int64? = nil, chatCapMember: ChatCapMember = .byModel,
        asksForStreamUsage: Bool = false, removedMembers: [String] = []
    ) {
        self.outputCap = outputCap
        self.chatCapMember = chatCapMember
        self.asksForStreamUsage = asksForStreamUsage
        self.removedMembers = removedMembers
    }
}

/// One change that was made.
package struct RequestEdit: Sendable, Hashable {
    /// `max_tokens`, `stream_options.include_usage` …
    package var path: String
    /// As it was written, if it was a number, boolean or null, else its kind (`object`); nil: it
    /// was absent.
    package var old: String?
    /// As it is written now; nil: it was removed.
    package var new: String?

    package init(path: String, old: String? = nil, new: String? = nil) {
        self.path = path
        self.old = old
        self.new = new
    }
}

package struct RewrittenRequest: Sendable, Hashable {
    package var bytes: [UInt8]
    /// Empty: the bytes are those that were given.
    package var edits: [RequestEdit]

    package init(bytes: [UInt8], edits: [RequestEdit] = []) {
        self.bytes = bytes
        self.edits = edits
    }
}

/// Why a request cannot be changed as asked.
package enum RequestRewriteError: Error, Sendable, Hashable {
    /// Not a JSON object, a member twice, or a member of a wrong type. `param` names the place.
    case invalid(param: String?, message: String)
    /// Anthropic: the output cap must stay above `thinking.budget_tokens`.
    case belowThinkingBudget(cap: Int64, budget: Int64)
}

package enum RequestRewrite {
    /// - Parameter model: in place of the body's own (Azure's deployment).
    package static func apply(
        _ changes: RequestChanges, to body: [UInt8], dialect: CallDialect, model: String? = nil
    ) throws(RequestRewriteError) -> RewrittenRequest {
        try body.withUnsafeBufferPointer { (buffer) throws(RequestRewriteError) in
            var rewriter = try RequestRewriter(UnsafeRawBufferPointer(buffer), changes)
            if let cap = changes.outputCap {
                try rewriter.capOutput(at: cap, dialect: dialect, model: model)
            }
            if changes.asksForStreamUsage && dialect == .openAIChat {
                try rewriter.askForUsage()
            }
            return rewriter.result(of: body)
        }
    }

    /// OpenAI's models that take `max_completion_tokens` only: o1, o3 …, gpt-5 and later, also
    /// fine-tuned (`ft:`) and with a provider's name before them (`openai/`).
    package static func refusesMaxTokens(model: String) -> Bool {
        var name = model.lowercased()[...]
        if let slash = name.lastIndex(of: "/") { name = name[name.index(after: slash)...] }
        if name.hasPrefix("ft:") { name = name.dropFirst(3) }
        if name.hasPrefix("o") {
            return name.dropFirst().first.map { ("1"..."9").contains($0) } ?? false
        }
        guard name.hasPrefix("gpt-") else { return false }
        let number = name.dropFirst(4).prefix { ("0"..."9").contains($0) }
        return Int(number).map { $0 >= 5 } ?? false
    }
}

private struct RequestRewriter {
    private let source: JSONReader
    private let top: ObjectLayout
    private let changes: RequestChanges
    private var text = TextChanges()
    private var added: [String] = []
    private var edits: [RequestEdit] = []

    private static let caps: Set<String> = [
        "max_tokens", "max_completion_tokens", "max_output_tokens",
    ]

    init(_ body: UnsafeRawBufferPointer, _ changes: RequestChanges) throws(RequestRewriteError) {
        var reader = JSONReader(body)
        do throws(JSONError) {
            top = try ObjectLayout(&reader)
            try reader.finish()
        } catch {
            let param = error.path.isEmpty ? nil : error.path
            throw .invalid(param: param, message: "The body is no JSON object: \(error).")
        }
        if let name = top.duplicate { throw Self.duplicate(name) }
        source = reader
        self.changes = changes
    }

    func result(of body: [UInt8]) -> RewrittenRequest {
        var text = text
        var edits = edits
        let removed = Set(changes.removedMembers).subtracting(Self.caps)
        for member in top.members where removed.contains(member.name) {
            edits.append(RequestEdit(path: member.name, old: written(member)))
        }
        text.edit(top, removing: { removed.contains($0.name) }, adding: added)
        return RewrittenRequest(bytes: text.apply(to: body), edits: edits)
    }

    // MARK: Output cap

    mutating func capOutput(
        at cap: Int64, dialect: CallDialect, model: String?
    ) throws(RequestRewriteError) {
        switch dialect {
        case .openAIChat:
            let isNewer = try lower("max_completion_tokens", to: cap)
            let isOlder = try lower("max_tokens", to: cap)
            if !isNewer && !isOlder {
                set(chatMember(model), to: cap)
            } else if changes.chatCapMember != .byModel {
                try repeatCap(as: changes.chatCapMember.rawValue, upTo: cap)
            }
        case .openAIResponses:
            if try !lower("max_output_tokens", to: cap) { set("max_output_tokens", to: cap) }
        case .anthropicMessages:
            try checkThinking(cap)
            if try !lower("max_tokens", to: cap) { set("max_tokens", to: cap) }
        case .openAIEmbeddings: break
        }
    }

    /// The server reads one of the two names only: a cap under the other is none.
    private mutating func repeatCap(
        as name: String, upTo cap: Int64
    ) throws(RequestRewriteError) {
        guard try integer(name, in: top, path: name) == nil else { return }
        let other = name == "max_tokens" ? "max_completion_tokens" : "max_tokens"
        set(name, to: min(try integer(other, in: top, path: other) ?? cap, cap))
    }

    private func chatMember(_ model: String?) -> String {
        switch changes.chatCapMember {
        case .maxTokens, .maxCompletionTokens: return changes.chatCapMember.rawValue
        case .byModel:
            // A null stands for a name that the client knows.
            for name in ["max_completion_tokens", "max_tokens"] where top[name] != nil {
                return name
            }
            var model = model
            if model == nil, let member = top["model"], member.kind == .string {
                model = string(member.value)
            }
            let isNewer = RequestRewrite.refusesMaxTokens(model: model ?? "")
            return isNewer ? "max_completion_tokens" : "max_tokens"
        }
    }

    /// - Returns: whether the request has the cap.
    private mutating func lower(_ name: String, to cap: Int64) throws(RequestRewriteError) -> Bool {
        guard let value = try integer(name, in: top, path: name) else { return false }
        if value > cap { set(name, to: cap) }
        return true
    }

    private func checkThinking(_ cap: Int64) throws(RequestRewriteError) {
        guard let member = top["thinking"], member.kind == .object else { return }
        let thinking = try layout(member)
        guard
            let budget = try integer("budget_tokens", in: thinking, path: "thinking.budget_tokens")
        else { return }
        let asked = try integer("max_tokens", in: top, path: "max_tokens")
        // A request whose budget is above its cap already thinks between tool calls, where the
        // budget may be.
        if cap <= budget && (asked ?? .max) > max(cap, budget) {
            throw .belowThinkingBudget(cap: cap, budget: budget)
        }
    }

    /// Nil where the member is absent or null.
    private func integer(
        _ name: String, in layout: ObjectLayout, path: String
    ) throws(RequestRewriteError) -> Int64? {
        guard let member = layout[name], member.kind != .null else { return nil }
        guard let value = member.integer else {
            throw .invalid(param: path, message: "\(path) must be an integer.")
        }
        return value
    }

    // MARK: Usage

    mutating func askForUsage() throws(RequestRewriteError) {
        guard top["stream"]?.bool == true, !changes.removedMembers.contains("stream_options")
        else { return }
        let path = "stream_options.include_usage"
        guard let options = top["stream_options"] else {
            added.append("\"stream_options\":{\"include_usage\":true}")
            edits.append(RequestEdit(path: path, new: "true"))
            return
        }
        if options.kind == .null {
            text.replace(options.value, by: "{\"include_usage\":true}")
            edits.append(RequestEdit(path: path, new: "true"))
            return
        }
        guard options.kind == .object else {
            throw .invalid(param: "stream_options", message: "stream_options must be an object.")
        }
        let inner = try layout(options)
        guard let member = inner["include_usage"] else {
            text.edit(inner, removing: { _ in false }, adding: ["\"include_usage\":true"])
            edits.append(RequestEdit(path: path, new: "true"))
            return
        }
        switch member.kind {
        case .bool where member.bool == true: return
        case .bool, .null:
            text.replace(member.value, by: "true")
            edits.append(RequestEdit(path: path, old: written(member), new: "true"))
        default: throw .invalid(param: path, message: "\(path) must be a boolean.")
        }
    }

    // MARK: Parts

    /// Writes the member in the place of its old value, or as a new one.
    private mutating func set(_ name: String, to value: Int64) {
        edits.append(RequestEdit(path: name, old: top[name].map(written), new: String(value)))
        if let member = top[name] {
            text.replace(member.value, by: String(value))
        } else {
            added.append("\"\(name)\":\(value)")
        }
    }

    private func layout(_ member: ObjectLayout.Member) throws(RequestRewriteError) -> ObjectLayout {
        // Of the same bytes, so that places mean the same. It was read once: it is well-formed.
        var reader = source
        reader.move(to: member.value.lowerBound)
        guard let layout = try? ObjectLayout(&reader) else {
            throw .invalid(param: member.name, message: "\(member.name) must be an object.")
        }
        if let name = layout.duplicate { throw Self.duplicate("\(member.name).\(name)") }
        return layout
    }

    private func string(_ value: Range<Int>) -> String? {
        var reader = source
        reader.move(to: value.lowerBound)
        guard let text = try? reader.readText() else { return nil }
        return reader.string(text)
    }

    private func written(_ member: ObjectLayout.Member) -> String {
        switch member.kind {
        case .number, .bool, .null: String(decoding: source.source(member.value), as: UTF8.self)
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private static func duplicate(_ name: String) -> RequestRewriteError {
        let isPlain =
            name.utf8.count <= 64
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        return .invalid(
            param: isPlain ? name : nil, message: "The body has a member twice.")
    }
}
