// OpenAI Embeddings: a text, texts, token ids, or lists of token ids. Nothing frames them, and
// nothing is put out.

import Billing
import CanonicalJSON

extension Sizer {
    mutating func readEmbeddings(_ body: JSONObject) throws(SizingError) {
        usage.maxOutputTokens = 0
        try required("input", of: body) { (sizer, value) throws(SizingError) in
            switch value {
            case .string(let text): sizer.readInput(text)
            case .array(let elements):
                if case .integer? = elements.first {
                    return try sizer.readIDs(value)
                }
                try sizer.elements(value) { (sizer, value) throws(SizingError) in
                    switch value {
                    case .string(let text): sizer.readInput(text)
                    case .array: try sizer.readIDs(value)
                    default: throw sizer.error("must be a string or an array of token ids")
                    }
                }
            default: throw sizer.error("must be a string or an array")
            }
        }
        try readUsers(body)
    }

    private mutating func readInput(_ text: String) {
        read(text)
        frame(0, max: 2)
    }

    private mutating func readIDs(_ value: JSONValue) throws(SizingError) {
        guard case .array(let ids) = value else { return }
        for (place, id) in ids.enumerated() {
            if case .integer = id { continue }
            path.enter(place)
            throw error("must be a token id, not \(id.kind)")
        }
        frame(ids.count, max: ids.count + 2)
    }
}
