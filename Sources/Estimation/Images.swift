import Tokenizers

/// How closely a model is to look at an image.
package enum ImageDetail: String, Sendable, Hashable, CaseIterable {
    case low, high, original, auto
}

/// Width and height in pixels.
package struct ImageSize: Sendable, Hashable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// What an image costs in tokens of the prompt, by the provider's published rule.
///
/// Where documents disagree, `expected` follows the newest, and `max` the dearest reading.
package enum ImageTokens {
    /// - Parameter detail: nil, where the request does not say: the provider's default.
    package static func count(
        width: Int, height: Int, detail: ImageDetail?, model: String
    ) -> (expected: Int, max: Int) {
        // A header may claim any size; nobody takes an image beyond this, and no product overflows.
        let size = ImageSize(
            width: min(max(width, 1), sideMax), height: min(max(height, 1), sideMax))
        return rule(ModelName(model)).count(size, detail ?? .auto)
    }

    /// An image of which only the address is known: what a large one costs.
    package static func countOfUnknownSize(
        detail: ImageDetail?, model: String
    ) -> (expected: Int, max: Int) {
        let rule = rule(ModelName(model))
        // A photograph as telephones take them.
        let expected = rule.count(ImageSize(width: 4032, height: 3024), detail ?? .auto).expected
        return (expected, rule.maximum(detail ?? .auto))
    }

    private static let sideMax = 1_000_000

    static func rule(_ model: ModelName) -> any ImageRule {
        if model.contains("claude") || model.begins(with: "anthropic") {
            // The new generation sees more, and costs more.
            let isOld = model.version != nil && !model.isAtLeast(4, 7)
            return isOld ? ClaudeImages.standard : ClaudeImages.highResolution
        }
        if model.begins(with: "gemini", "gemma", "learnlm") {
            return GeminiImages(isFixed: model.begins(with: "gemini") && model.isAtLeast(3, 0))
        }
        return openAIRule(model) ?? UnknownImages()
    }
}

/// One family's rule.
protocol ImageRule: Sendable {
    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int)
    /// Of the largest image.
    func maximum(_ detail: ImageDetail) -> Int
}

/// A model of which nothing is known: as gpt-4o counts, at most what the dearest model takes.
struct UnknownImages: ImageRule {
    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int) {
        (TileImages.gpt4o.count(size, detail).expected, maximum(detail))
    }

    func maximum(_ detail: ImageDetail) -> Int { TileImages.gpt4oMini.maximum(.high) }
}
