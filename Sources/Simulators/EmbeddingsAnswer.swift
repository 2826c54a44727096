// `POST /v1/embeddings`: a text, texts, or token ids; vectors as numbers or as base64 of
// little-endian 32-bit floats, which is what OpenAI's own SDK asks for.

import CanonicalJSON
import Tokenizers

struct EmbeddingsAnswer {
    private let model: SimulatedModel
    private let inputs: [JSONValue]
    private let dimensions: Int
    private let isBase64: Bool
    let call: Call

    init(_ body: JSONValue) throws(ProviderError) {
        let (model, suffix) = try ChatRequest.modelName(body, nil, .openAI)
        self.model = model
        switch body["input"] {
        case .string(let text): inputs = [.string(text)]
        case .array(let items) where items.isEmpty:
            throw .invalid("input must not be empty", param: "input")
        case .array(let items):
            if case .integer = items[0] { inputs = [.array(items)] } else { inputs = items }
        default: throw .invalid("Missing required parameter: 'input'.", param: "input")
        }
        let usual = model.name.contains("large") ? 3_072 : 1_536
        dimensions = try ChatRequest.number(body, "dimensions", 1...4_096) ?? usual
        isBase64 = body["encoding_format"]?.text == "base64"
        let tokenizer = Tokenizer.named(model.encoding)
        let tokens = inputs.reduce(0) { sum, input in
            sum + (input.text.map { tokenizer.count($0) } ?? input.items.count)
        }
        call = Call(
            dialect: .embeddings, wish: Wish(model: model), suffix: suffix,
            input: InputCount(fresh: tokens), lastText: inputs.last?.text ?? "")
    }

    func whole(_ labels: Labels, _ usage: Usage?) -> JSONValue {
        let data = inputs.enumerated().map { index, input -> JSONValue in
            var hash = Hash()
            hash.add(input.json)
            var generator = SplitMix(hash.value)
            // Eighths are exact in binary.
            let vector = (0..<dimensions).map { _ in Float(generator.next() % 16) / 8 - 1 }
            return json([
                "object": .string("embedding"), "index": count(index),
                "embedding": isBase64
                    ? .string(Self.base64(vector))
                    : .array(vector.map { .number("\($0)") }),
            ])
        }
        var object = JSONObject([
            ("object", .string("list")), ("data", .array(data)), ("model", .string(labels.model)),
        ])
        if let usage {
            object.append(
                "usage",
                json([
                    "prompt_tokens": count(usage.input.total),
                    "total_tokens": count(usage.input.total),
                ]))
        }
        return .object(object)
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func base64(_ vector: [Float]) -> String {
        let bytes = vector.flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
        }
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 {
                let byte = index < group.count ? group[start + index] : 0
                bits = bits << 8 | UInt32(byte)
            }
            for index in 0..<4 {
                let isPadding = index > group.count
                let digit = Int(bits >> (18 - 6 * UInt32(index)) & 63)
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[digit])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
