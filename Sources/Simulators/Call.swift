// A request as its dialect understood it, and what an answer reports.

import CanonicalJSON

enum Dialect: String, Sendable {
    case chat = "openai.chat"
    case responses = "openai.responses"
    case embeddings = "openai.embeddings"
    case messages = "anthropic.messages"

    var family: ProviderFamily { self == .messages ? .anthropic : .openAI }
}

/// Input tokens by what they cost.
struct InputCount: Sendable, Equatable {
    /// Neither read from a cache nor written to one.
    var fresh = 0
    var cacheRead = 0
    var cacheWrite5m = 0
    var cacheWrite1h = 0

    var cacheWrite: Int { cacheWrite5m + cacheWrite1h }
    var total: Int { fresh + cacheRead + cacheWrite }
}

struct Call: Sendable {
    var dialect: Dialect
    var wish: Wish
    /// After the model's name, behind a `+`.
    var suffix: String?
    var input: InputCount
    /// Of the last message, where instructions may stand.
    var lastText = ""
    var isStreaming = false
    /// `stream_options.include_usage`.
    var wantsUsage = false
    var askedTier: String?

    var model: SimulatedModel { wish.model }
}

/// What an answer says was used.
struct Usage: Sendable {
    var input: InputCount
    var output: Int
    /// Of `output`.
    var thinking: Int
    /// OpenRouter's, as a decimal number.
    var cost: String?
}

/// How an answer is to be labelled.
struct Labels: Sendable {
    var id: String
    /// Seconds since 1970.
    var created: Int
    var model: String
    var tier: String?
}

/// One server-sent event.
struct Event: Sendable {
    var name: String?
    var data: String

    init(_ value: JSONValue, name: String? = nil) {
        self.name = name
        data = value.json
    }

    init(text: String) { data = text }

    var bytes: [UInt8] {
        let head = name.map { "event: \($0)\n" } ?? ""
        return Array("\(head)data: \(data)\n\n".utf8)
    }
}

/// An answer in one dialect, whole or piece by piece.
protocol Rendering: Sendable {
    /// Of an answer that is not streamed.
    func whole(_ usage: Usage?) -> JSONValue
    /// Before the first piece.
    mutating func opening(_ usage: Usage?) -> [Event]
    /// - Parameter usage: of everything up to and with this piece, where chunks are to carry it.
    mutating func events(for piece: Piece, _ usage: Usage?) -> [Event]
    /// After the last piece.
    mutating func closing(_ usage: Usage?) -> [Event]
    /// What says that the stream is complete.
    func end() -> [Event]
    /// An error within the stream.
    func failure(_ error: ProviderError) -> [Event]
}

extension Composition {
    /// The text of one kind of one choice.
    func text(_ part: Piece.Part, of choice: Int) -> String {
        pieces.filter { $0.choice == choice && $0.part == part }.map(\.text).joined()
    }

    /// The tool call of a choice: only begun when the tokens did not suffice for more.
    func toolCall(of choice: Int) -> (id: String, name: String, arguments: String)? {
        for piece in pieces where piece.choice == choice {
            if case .tool(let id) = piece.part {
                return (id, piece.text, text(.arguments, of: choice))
            }
        }
        return nil
    }
}
