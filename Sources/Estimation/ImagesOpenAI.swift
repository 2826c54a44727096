// Images for OpenAI's models, after developers.openai.com/api/docs/guides/images-vision (2026):
// some models count tiles of 512 pixels, others patches of 32 pixels times a factor. Earlier
// editions of that page gave the small models larger factors and smaller budgets;
// openai/openai-python#2851 shows how they were read. `max` follows the dearer of the two.

import Tokenizers

extension ImageTokens {
    static func openAIRule(_ model: ModelName) -> (any ImageRule)? {
        if model.begins(with: "gpt-4o-mini") { return TileImages.gpt4oMini }
        if model.begins(with: "gpt-4.1-mini") { return PatchImages(perMille: 1620) }
        if model.begins(with: "gpt-4.1-nano") { return PatchImages(perMille: 2460) }
        if model.begins(with: "gpt-4", "chatgpt-4o") { return TileImages.gpt4o }
        if model.begins(with: "o4-mini", "codex-mini") {
            return PatchImages(perMille: 1720, expectedBudget: 1536)
        }
        if model.begins(with: "o1", "o3", "o4") { return TileImages(base: 75, tile: 150) }
        if model.begins(with: "computer-use-preview") { return TileImages(base: 65, tile: 129) }
        guard model.begins(with: "gpt-"), let version = model.version, version.major >= 5 else {
            return nil
        }
        let isSmall = model.contains("mini")
        let isSmallest = model.contains("nano")
        let dearest = isSmall ? 1620 : isSmallest ? 2460 : 1200
        switch (version.major, version.minor) {
        case (5, 0) where isSmall: return PatchImages(perMille: 1200, dearestPerMille: dearest)
        case (5, 0) where isSmallest: return PatchImages(perMille: 1500, dearestPerMille: dearest)
        case (5, 0...1): return TileImages(base: 70, tile: 140)
        case (5, 2...3): return PatchImages(perMille: 1200, dearestPerMille: dearest)
        case (5, 4):
            return PatchImages(perMille: 1200, dearestPerMille: dearest, edition: .gpt5_4)
        case (5, 5):
            return PatchImages(perMille: 1200, dearestPerMille: dearest, edition: .gpt5_5)
        default: return PatchImages(perMille: 1200, dearestPerMille: dearest, edition: .gpt5_6)
        }
    }
}

/// A base, and something for each tile of 512 pixels. Scaled down to 2048 pixels, then so that the
/// short side has 768.
struct TileImages: ImageRule {
    var base: Int
    var tile: Int

    static let gpt4o = TileImages(base: 85, tile: 170)
    static let gpt4oMini = TileImages(base: 2833, tile: 5667)

    /// 768 by 2048 pixels.
    private static let tilesMax = 8

    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int) {
        if detail == .low { return (base, base) }
        let long = min(max(size.width, size.height), 2048)
        var short =
            max(size.width, size.height) > 2048
            ? divided(min(size.width, size.height) * 2048, max(size.width, size.height))
            : min(size.width, size.height)
        var scaledLong = long
        if short > 768 {
            scaledLong = divided(long * 768, short)
            short = 768
        }
        let tiles = divided(scaledLong, 512) * divided(short, 512)
        return (base + tile * tiles, base + tile * tiles)
    }

    func maximum(_ detail: ImageDetail) -> Int {
        detail == .low ? base : base + tile * Self.tilesMax
    }
}

/// Patches of 32 pixels times a factor. Scaled down to the limits of the detail.
struct PatchImages: ImageRule {
    /// The multiplier, in parts per thousand.
    var perMille: Int
    var dearestPerMille: Int
    /// A smaller budget that an earlier edition documents, and nothing contradicts.
    var expectedBudget: Int?
    var edition: Edition

    /// Whose table of details.
    enum Edition { case one, gpt5_4, gpt5_5, gpt5_6 }

    init(
        perMille: Int, dearestPerMille: Int? = nil, expectedBudget: Int? = nil,
        edition: Edition = .one
    ) {
        self.perMille = perMille
        self.dearestPerMille = max(dearestPerMille ?? perMille, perMille)
        self.expectedBudget = expectedBudget
        self.edition = edition
    }

    private struct Limits {
        var side: Int
        var patches: Int

        static let thumbnail = Limits(side: 512, patches: 256)
        static let one = Limits(side: 2048, patches: 6144)
        static let high = Limits(side: 2048, patches: 2500)
        static let original = Limits(side: 6000, patches: 10_000)
        /// Beyond, the provider refuses the image.
        static let whole = Limits(side: 65_535, patches: 30_000)
    }

    private func limits(_ detail: ImageDetail) -> Limits {
        switch (edition, detail) {
        case (.one, _), (.gpt5_4, .low): .one
        case (.gpt5_5, .low), (.gpt5_6, .low): .thumbnail
        case (_, .high), (.gpt5_4, .auto): .high
        case (.gpt5_4, .original), (.gpt5_5, _): .original
        case (.gpt5_6, _): .whole
        }
    }

    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int) {
        let limits = limits(detail)
        var expected = limits
        expected.patches = min(limits.patches, expectedBudget ?? limits.patches)
        // Public figures for GPT-6 are those of the budget alone, without the limit on the side.
        var dearest = limits
        dearest.side = Limits.whole.side
        let patches = max(Self.patches(size, limits), Self.patches(size, dearest))
        return (
            divided(Self.patches(size, expected) * perMille, 1000),
            // The provider's own arithmetic may differ by one.
            divided(patches * dearestPerMille, 1000) + 1
        )
    }

    func maximum(_ detail: ImageDetail) -> Int {
        divided(limits(detail).patches * dearestPerMille, 1000) + 1
    }

    private static func patches(_ size: ImageSize, _ limits: Limits) -> Int {
        var width = Double(size.width)
        var height = Double(size.height)
        let longest = max(width, height)
        if longest > Double(limits.side) {
            width = max((width * Double(limits.side) / longest).rounded(), 1)
            height = max((height * Double(limits.side) / longest).rounded(), 1)
        }
        let patches = (width / 32).rounded(.up) * (height / 32).rounded(.up)
        if patches <= Double(limits.patches) { return Int(patches) }
        // The page's two steps: the area first, then so that whole patches fit.
        var shrink = (1024 * Double(limits.patches) / (width * height)).squareRoot()
        shrink *= min(
            (width * shrink / 32).rounded(.down) / (width * shrink / 32),
            (height * shrink / 32).rounded(.down) / (height * shrink / 32))
        let columns = ((width * shrink).rounded(.down) / 32).rounded(.up)
        let rows = ((height * shrink).rounded(.down) / 32).rounded(.up)
        // A strip less than a patch high is outside the page's arithmetic.
        return min(max(Int(columns * rows), 1), limits.patches)
    }
}

/// Rounded up.
func divided(_ number: Int, _ divisor: Int) -> Int { (number + divisor - 1) / divisor }
