// Images for Anthropic's and Google's models.
//
// Claude (platform.claude.com/docs/en/build-with-claude/vision): a token for each patch of 28
// pixels. An image is scaled down until its long side and its tokens are within the limits of the
// generation: 1568 pixels and 1568 tokens, or, from Claude 4.7 on, 2576 and 4784. Earlier editions
// divided the area by 750, which is up to a twentieth more.
//
// Gemini (ai.google.dev/gemini-api/docs/image-understanding): 258 tokens for an image of at most
// 384 pixels on both sides, else 258 for each tile of 768 pixels. Tiles may be as small as two
// thirds of the short side, at least 256 pixels, which is the dearer reading. Gemini 3 takes 1120
// for any image, and 2240 at most (ai.google.dev/gemini-api/docs/media-resolution).

struct ClaudeImages: ImageRule {
    var sideMax: Int
    var tokensMax: Int

    static let standard = ClaudeImages(sideMax: 1568, tokensMax: 1568)
    static let highResolution = ClaudeImages(sideMax: 2576, tokensMax: 4784)

    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int) {
        let long = max(size.width, size.height)
        let short = min(size.width, size.height)
        if long <= sideMax, tokens(long, short) <= tokensMax {
            let byArea = divided(long * short, 750)
            return (tokens(long, short), min(max(tokens(long, short), byArea), maximum(detail)))
        }
        // The largest scale within both limits; tokens grow with the scale.
        var fits = 1
        var tooLarge = min(long, sideMax) + 1
        while tooLarge - fits > 1 {
            let middle = (fits + tooLarge) / 2
            if tokens(middle, scaled(short, middle, long)) <= tokensMax {
                fits = middle
            } else {
                tooLarge = middle
            }
        }
        return (tokens(fits, scaled(short, fits, long)), maximum(detail))
    }

    func maximum(_ detail: ImageDetail) -> Int { divided(tokensMax * 28 * 28, 750) }

    private func tokens(_ long: Int, _ short: Int) -> Int { divided(long, 28) * divided(short, 28) }

    private func scaled(_ side: Int, _ numerator: Int, _ denominator: Int) -> Int {
        max((side * numerator + denominator / 2) / denominator, 1)
    }
}

struct GeminiImages: ImageRule {
    /// The same for every image.
    var isFixed: Bool

    private static let perTile = 258
    /// Larger images are scaled down to this.
    private static let sideMax = 3072

    func count(_ size: ImageSize, _ detail: ImageDetail) -> (expected: Int, max: Int) {
        if isFixed { return (1120, maximum(detail)) }
        let long = max(size.width, size.height)
        if long <= 384 { return (Self.perTile, Self.perTile) }
        let scale = min(long, Self.sideMax)
        let width = divided(size.width * scale, long)
        let height = divided(size.height * scale, long)
        let tiles = divided(width, 768) * divided(height, 768)
        let unit = min(max(min(width, height) * 2 / 3, 256), 768)
        let smallTiles = divided(width, unit) * divided(height, unit)
        return (Self.perTile * tiles, Self.perTile * max(tiles, smallTiles))
    }

    func maximum(_ detail: ImageDetail) -> Int {
        // Twelve by two tiles of 256 pixels.
        isFixed ? 2240 : Self.perTile * 24
    }
}
