// What an answer consists of, before any dialect: for each choice, pieces in the order in which a
// model would write them. A piece is what one event of a stream carries, about a token.

import CanonicalJSON

struct Piece: Sendable {
    enum Part: Sendable, Equatable {
        /// Thinking that the caller sees.
        case thinking
        case text
        /// Begins a tool call; the text is the tool's name.
        case tool(id: String)
        /// JSON of the arguments of the tool call begun before.
        case arguments
    }

    var choice: Int
    var part: Part
    var text: String
}

struct Composition: Sendable {
    enum Finish: Sendable { case stop, length, tools }

    var model: SimulatedModel
    /// All choices, in the order of a stream.
    var pieces: [Piece]
    /// By choice.
    var finishes: [Finish]
    /// Tokens of thinking that nobody sees, before the first piece.
    var hiddenReasoning: Int

    /// Output tokens of the first pieces: what a provider bills when the stream ends after them.
    func outputTokens(afterPieces count: Int) -> Int {
        let shown = pieces.prefix(count)
        var tokens = 0
        for choice in finishes.indices {
            let own = shown.filter { $0.choice == choice }
            var run = ""
            var part: Piece.Part?
            // A block of one kind is one text to the tokenizer.
            for piece in own {
                if let part, part != piece.part {
                    tokens += model.tokens(run)
                    run = ""
                }
                part = piece.part
                run += piece.text
            }
            tokens += model.tokens(run)
        }
        return tokens + hiddenReasoning
    }

    /// Of these, thinking.
    func thinkingTokens(afterPieces count: Int) -> Int {
        let shown = pieces.prefix(count).filter { $0.part == .thinking }
        return model.tokens(shown.map(\.text).joined()) + hiddenReasoning
    }
}

/// What a dialect found in a request, that decides what is answered.
struct Wish: Sendable {
    var model: SimulatedModel
    var choices = 1
    /// Most output tokens of each choice, thinking included; nil: as many as come.
    var outputMax: Int?
    /// Tokens to think before the answer.
    var reasoning = 0
    /// The caller sees the thinking.
    var showsThinking = false
    /// Name and schema of the tool to call.
    var tool: (name: String, schema: JSONValue)?
    /// The tool to call when it is ordered.
    var firstTool: (name: String, schema: JSONValue)?
    /// Schema of the answer; nil: plain text.
    var schema: JSONValue?
    var idPrefix = "call_"
}

enum Composer {
    private static let leastTokens = 16
    private static let spread: UInt64 = 64

    static func compose(_ wish: Wish, _ orders: Instructions, seed: UInt64) -> Composition {
        var generator = SplitMix(seed)
        let thinking = orders.reasoning ?? wish.reasoning
        var byChoice: [[Piece]] = []
        var finishes: [Composition.Finish] = []
        let limit = wish.outputMax ?? .max
        let hidden = wish.showsThinking ? 0 : min(thinking, limit)
        for choice in 0..<max(1, wish.choices) {
            var pieces: [Piece] = []
            if wish.showsThinking, thinking > 0 {
                let count = min(thinking, limit) * 100 / wish.model.percent
                pieces += Words.text(&generator, count: max(1, count)).map {
                    Piece(choice: choice, part: .thinking, text: $0)
                }
            }
            pieces += body(wish, orders, choice, &generator)
            let finish: Composition.Finish = wish.tool == nil ? .stop : .tools
            let room = limit == .max ? limit : limit - hidden
            let isCut = trim(&pieces, choice, to: room, wish.model)
            byChoice.append(pieces)
            finishes.append(isCut ? .length : finish)
        }
        return Composition(
            model: wish.model, pieces: interleaved(byChoice), finishes: finishes,
            // Every choice thinks for itself.
            hiddenReasoning: hidden * max(1, wish.choices))
    }

    private static func body(
        _ wish: Wish, _ orders: Instructions, _ choice: Int, _ generator: inout SplitMix
    ) -> [Piece] {
        if let tool = wish.tool {
            let id = wish.idPrefix + String(generator.next(), radix: 36)
            return [Piece(choice: choice, part: .tool(id: id), text: tool.name)]
                + slices(SchemaFiller(tool.schema).text).map {
                    Piece(choice: choice, part: .arguments, text: $0)
                }
        }
        if let schema = wish.schema {
            return slices(SchemaFiller(schema).text).map {
                Piece(choice: choice, part: .text, text: $0)
            }
        }
        var pieces: [Piece] = []
        if let size = orders.hugeChunk {
            // Spaced, so that no tokenizer is asked to merge a megabyte of one letter.
            let text = String(repeating: "huge ", count: size / 5 + 1)
            pieces.append(Piece(choice: choice, part: .text, text: String(text.prefix(size))))
        }
        let count = orders.output ?? Composer.leastTokens + Int(generator.next() % spread)
        let words = max(0, count * 100 / wish.model.percent)
        return pieces
            + Words.text(&generator, count: words).map {
                Piece(choice: choice, part: .text, text: $0)
            }
    }

    /// JSON in pieces of four characters, as a stream would bring it.
    private static func slices(_ text: String) -> [String] {
        var slices: [String] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            slices.append(String(rest.prefix(4)))
            rest = rest.dropFirst(4)
        }
        return slices
    }

    /// Drops the pieces that do not fit in `limit` tokens; whether any was dropped.
    private static func trim(
        _ pieces: inout [Piece], _ choice: Int, to limit: Int, _ model: SimulatedModel
    ) -> Bool {
        let whole = Composition(
            model: model, pieces: pieces.map { Piece(choice: 0, part: $0.part, text: $0.text) },
            finishes: [.stop], hiddenReasoning: 0)
        guard whole.outputTokens(afterPieces: pieces.count) > limit else { return false }
        var (low, high) = (0, pieces.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if whole.outputTokens(afterPieces: middle) <= limit {
                low = middle
            } else {
                high = middle - 1
            }
        }
        let part = begun(pieces[low], after: pieces[..<low], limit, model)
        pieces.removeLast(pieces.count - low)
        if let part { pieces.append(part) }
        return true
    }

    /// As much of a piece of many words as there is room for; nil: nothing, or it has few.
    private static func begun(
        _ piece: Piece, after pieces: ArraySlice<Piece>, _ limit: Int, _ model: SimulatedModel
    ) -> Piece? {
        let words = piece.text.split(separator: " ")
        guard piece.part == .text, words.count > 8 else { return nil }
        func cut(_ count: Int) -> Piece {
            var part = piece
            part.text = words[..<count].joined(separator: " ")
            return part
        }
        var (low, high) = (0, words.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            let whole = Composition(
                model: model,
                pieces: (pieces + [cut(middle)]).map {
                    Piece(choice: 0, part: $0.part, text: $0.text)
                }, finishes: [.stop], hiddenReasoning: 0)
            if whole.outputTokens(afterPieces: pieces.count + 1) <= limit {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low == 0 ? nil : cut(low)
    }

    /// One piece of each choice in turn, as providers send several.
    private static func interleaved(_ choices: [[Piece]]) -> [Piece] {
        if choices.count == 1 { return choices[0] }
        let longest = choices.map(\.count).max() ?? 0
        return (0..<longest).flatMap { place in
            choices.compactMap { place < $0.count ? $0[place] : nil }
        }
    }
}
