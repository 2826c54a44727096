import Testing

@testable import Estimation

/// An image whose cost is published, or was measured by others.
struct ImageCase: Sendable {
    var model: String
    var width: Int
    var height: Int
    var detail: ImageDetail?
    var tokens: Int

    init(_ model: String, _ width: Int, _ height: Int, _ detail: ImageDetail?, _ tokens: Int) {
        (self.model, self.width, self.height) = (model, width, height)
        (self.detail, self.tokens) = (detail, tokens)
    }
}

@Suite struct ImagesTests {
    // The providers' own examples (the pages that the sources name), and measured ones
    // (the data set JOHNISKING/image-token-cost).
    @Test(arguments: [
        ImageCase("gpt-4o", 1024, 1024, .high, 765), ImageCase("gpt-4o", 2048, 4096, nil, 1105),
        ImageCase("gpt-4o", 4096, 8192, .low, 85), ImageCase("gpt-4o", 100, 100, .auto, 255),
        ImageCase("gpt-4o-mini", 1024, 1024, .high, 25_501),
        ImageCase("gpt-5.1", 1024, 1024, .high, 630), ImageCase("o3", 1024, 1024, nil, 675),
        ImageCase("gpt-4.1-mini", 1024, 1024, .high, 1659),
        ImageCase("o4-mini", 1800, 2400, .high, 2498),
        ImageCase("gpt-5.4", 1024, 1024, .high, 1229),
        ImageCase("gpt-5.4", 2048, 2048, .high, 3000),
        ImageCase("gpt-6-astra", 4032, 3024, .auto, 14_364),
        ImageCase("gpt-6-astra", 4032, 3024, .high, 2942),
        ImageCase("gpt-6-astra", 2560, 1440, .high, 2765),
        ImageCase("gpt-5.5", 4032, 3024, nil, 11_868), ImageCase("gpt-5.5", 3840, 2160, nil, 9792),
        ImageCase("gpt-5.6-sol", 256, 256, .low, 77),
        ImageCase("claude-sonnet-4-5", 1092, 1092, nil, 1521),
        ImageCase("claude-sonnet-4-5", 1920, 1080, nil, 1560),
        ImageCase("claude-opus-4-7", 1920, 1080, nil, 2691),
        ImageCase("claude-opus-4-7", 3840, 2160, nil, 4784),
        ImageCase("claude-opus-4-7", 3024, 1964, nil, 4760),
        ImageCase("claude-opus-4-7", 4032, 3024, nil, 4740),
        ImageCase("gemini-2.5-pro", 384, 384, nil, 258),
        ImageCase("gemini-2.5-pro", 1536, 768, nil, 516),
        ImageCase("gemini-3-pro", 640, 480, nil, 1120),
    ])
    func publishedExamples(image: ImageCase) {
        let count = ImageTokens.count(
            width: image.width, height: image.height, detail: image.detail, model: image.model)
        #expect(count.expected == image.tokens, "\(image)")
        #expect(count.max >= count.expected, "\(image)")
    }

    private static let models = [
        "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5", "gpt-5-mini",
        "gpt-5-nano", "gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.4-mini", "gpt-5.5", "gpt-5.6-sol",
        "gpt-6-astra", "o1", "o3", "o4-mini", "computer-use-preview", "claude-3-5-sonnet-20241022",
        "claude-opus-4-7", "gemini-2.5-flash", "gemini-3-pro", "llava", "",
    ]

    // No image costs more than the most of its family, and none less than one token: all sizes,
    // also those that no image has.
    @Test(arguments: models)
    func boundsHold(model: String) {
        let sides = [
            Int.min, 0, 1, 32, 33, 384, 385, 512, 769, 1000, 1568, 2048, 2049, 3072, 6001, 65_536,
            Int.max,
        ]
        for detail in [nil, .low, .high, .original, .auto] as [ImageDetail?] {
            let most = ImageTokens.countOfUnknownSize(detail: detail, model: model)
            #expect(most.expected <= most.max, "\(model) \(String(describing: detail))")
            for width in sides {
                for height in sides {
                    let count = ImageTokens.count(
                        width: width, height: height, detail: detail, model: model)
                    let isBound =
                        count.expected >= 1 && count.expected <= count.max && count.max <= most.max
                    #expect(isBound, "\(model) \(width) × \(height): \(count), at most \(most)")
                }
            }
        }
    }

    // Where figures disagree, the bound covers both: here 2,931 are reported, and the page gives
    // 2,765.
    @Test func dearestReading() {
        let count = ImageTokens.count(
            width: 2560, height: 1440, detail: .high, model: "gpt-6-astra")
        #expect(count == (2765, 2932))
        // An earlier edition of the page had 2.46 for the smallest.
        let nano = ImageTokens.count(width: 320, height: 320, detail: nil, model: "gpt-5-nano")
        #expect(nano == (150, 247))
    }

    // An image of unknown size is held at what the dearest one costs.
    @Test func unknownSize() {
        #expect(ImageTokens.countOfUnknownSize(detail: nil, model: "gpt-4o") == (765, 1445))
        #expect(ImageTokens.countOfUnknownSize(detail: .low, model: "gpt-4o") == (85, 85))
        #expect(ImageTokens.countOfUnknownSize(detail: nil, model: "gpt-6-astra").max == 36_001)
        #expect(ImageTokens.countOfUnknownSize(detail: nil, model: "claude-opus-4-7").max == 5001)
        #expect(ImageTokens.countOfUnknownSize(detail: nil, model: "unknown").max == 48_169)
    }
}
