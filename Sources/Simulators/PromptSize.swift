// How many tokens OpenAI's models make of a conversation: three for each message, those of its
// role, content and name (and one for there being a name), three that open the answer. Tools are
// declared to the model as functions of a TypeScript namespace.

import CanonicalJSON
import Tokenizers

struct PromptSize {
    private static let perMessage = 3
    private static let primer = 3
    /// An image of 1024 by 1024 in high detail: four tiles.
    private static let image = 765
    private static let lowImage = 85
    private static let file = 200

    private let tokenizer: Tokenizer
    private(set) var tokens: Int
    private(set) var lastText = ""
    private(set) var hasSystem = false
    /// The conversation ends with what a tool gave.
    private(set) var endsWithToolResult = false

    init(_ model: SimulatedModel) {
        tokenizer = Tokenizer.named(model.encoding)
        tokens = Self.primer
    }

    mutating func add(_ text: String) { tokens += tokenizer.count(text) }

    mutating func add(tokens more: Int) { tokens += more }

    /// - Parameter content: a text, or parts of several kinds.
    mutating func message(role: String, content: JSONValue?, name: String? = nil) {
        tokens += Self.perMessage
        add(role)
        if let name {
            add(name)
            tokens += 1
        }
        hasSystem = hasSystem || role == "system" || role == "developer"
        endsWithToolResult = role == "tool"
        guard let content else { return }
        lastText = ""
        if let text = content.text {
            add(text)
            lastText = text
        }
        for part in content.items { self.part(part) }
    }

    private mutating func part(_ part: JSONValue) {
        if let text = part["text"]?.text ?? part["refusal"]?.text {
            add(text)
            lastText += text
        }
        switch part["type"]?.text {
        case "image_url", "input_image", "image":
            let detail = part["image_url"]?["detail"]?.text ?? part["detail"]?.text
            tokens += detail == "low" ? Self.lowImage : Self.image
        case "file", "input_file", "input_audio": tokens += Self.file
        default: break
        }
    }

    mutating func toolCall(name: String, arguments: String) {
        add(name)
        add(arguments)
        endsWithToolResult = false
    }

    mutating func toolResult(_ output: JSONValue?) {
        message(role: "tool", content: output)
        endsWithToolResult = true
    }

    /// - Parameter functions: objects with `name`, `description` and `parameters`.
    mutating func tools(_ functions: [JSONValue]) {
        guard !functions.isEmpty else { return }
        var text = "namespace functions {\n\n"
        for function in functions {
            if let description = function["description"]?.text { text += "// \(description)\n" }
            text += "type \(function["name"]?.text ?? "") = (_: {\n"
            for (name, property) in function["parameters"]?["properties"]?.members ?? [] {
                if let description = property["description"]?.text { text += "// \(description)\n" }
                text += "\(name): \(property["type"]?.text ?? "any"),\n"
            }
            text += "}) => any;\n\n"
        }
        add(text + "} // namespace functions")
        tokens += hasSystem ? 5 : 9
    }

    mutating func schema(_ schema: JSONValue?) {
        if let schema { add(schema.json) }
    }
}

/// How hard a reasoning model thinks.
enum Effort {
    static func tokens(_ effort: String?, _ model: SimulatedModel) -> Int {
        guard model.isReasoning else { return 0 }
        switch effort {
        case "none": return 0
        case "minimal": return 8
        case "low": return 32
        case "high": return 256
        case "xhigh", "max": return 512
        default: return 64
        }
    }
}

/// Which of the tools is called, if any.
struct ToolChoice {
    /// Name and schema of each.
    var tools: [(name: String, schema: JSONValue)]

    /// - Parameters:
    ///   - isForced: the caller wants a tool to be called.
    ///   - named: the one that must be called.
    ///   - isForbidden: no tool may be called.
    func chosen(
        isForced: Bool, named: String?, isForbidden: Bool, prompt: String, afterResult: Bool
    ) -> (name: String, schema: JSONValue)? {
        if isForbidden || tools.isEmpty { return nil }
        if let named { return tools.first { $0.name == named } ?? tools[0] }
        if isForced { return tools[0] }
        // A model that has its answer does not ask again; one that is asked for a tool calls it.
        if afterResult { return nil }
        return tools.first { prompt.contains($0.name) }
    }
}

extension String {
    /// Swift's own `contains` for texts belongs to Foundation.
    func contains(_ other: String) -> Bool {
        if other.isEmpty { return true }
        let (text, wanted) = (Array(utf8), Array(other.utf8))
        guard text.count >= wanted.count else { return false }
        return (0...(text.count - wanted.count)).contains { start in
            text[start] == wanted[0]
                && text[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }
}
