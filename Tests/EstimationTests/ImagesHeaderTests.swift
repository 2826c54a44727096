import Testing

@testable import Estimation

@Suite struct ImagesHeaderTests {
    private static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
        + [0, 0, 7, 128, 0, 0, 4, 56, 8, 6]
    private static let gif: [UInt8] = Array("GIF89a".utf8) + [0x40, 0x01, 0xF0, 0x00, 0]
    /// A frame header behind 60,000 bytes of metadata, filling and a marker without length.
    private static let jpeg: [UInt8] =
        [0xFF, 0xD8, 0xFF, 0xE1, 0xEA, 0x60] + [UInt8](repeating: 0x41, count: 60_000 - 2)
        + [0xFF, 0x01, 0xFF, 0xFF, 0xFF, 0xC4, 0, 3, 9]
        + [0xFF, 0xC2, 0, 17, 8, 0x0B, 0xD0, 0x0F, 0xC0, 3]

    private static func webP(_ chunk: String, _ payload: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + [0, 1, 0, 0] + Array("WEBP".utf8) + Array(chunk.utf8) + [0, 0, 0, 0]
            + payload
    }

    private static func size(_ bytes: [UInt8]) -> ImageSize? {
        ImageHeader.size(ofBase64: base64(bytes))
    }

    /// With padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[$1]) : 0) }
            for place in 0...3 {
                text.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : "=")
            }
        }
        return text
    }

    // Width and height stand where each format puts them.
    @Test func formats() {
        #expect(Self.size(Self.png) == ImageSize(width: 1920, height: 1080))
        #expect(Self.size(Self.gif) == ImageSize(width: 320, height: 240))
        #expect(Self.size(Self.jpeg) == ImageSize(width: 4032, height: 3024))
        let lossy: [UInt8] = [0, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0xE0, 0x41]
        #expect(Self.size(Self.webP("VP8 ", lossy)) == ImageSize(width: 640, height: 480))
        // 14 bits each, less one: 0x27F | 0x1DF << 14.
        let lossless: [UInt8] = [0x2F, 0x7F, 0xC2, 0x77, 0x00]
        #expect(Self.size(Self.webP("VP8L", lossless)) == ImageSize(width: 640, height: 480))
        let extended: [UInt8] = [0, 0, 0, 0, 0x7F, 0x07, 0, 0x37, 0x04, 0]
        #expect(Self.size(Self.webP("VP8X", extended)) == ImageSize(width: 1920, height: 1080))
    }

    // A data URL and bare base64 are one thing; the alphabet for URLs is read, too.
    @Test func dataURLs() {
        let text = Self.base64(Self.png)
        let size = ImageSize(width: 1920, height: 1080)
        #expect(ImageHeader.size(ofBase64: "data:image/png;base64," + text) == size)
        #expect(ImageHeader.size(ofBase64: "data:image/png;name=a;base64," + text) == size)
        #expect(ImageHeader.size(ofBase64: "data:image/png," + text) == nil)
        #expect(ImageHeader.size(ofBase64: "data:image/png;base64") == nil)
        #expect(ImageHeader.size(ofBase64: "https://example.com/a.png") == nil)
        let forURLs = Self.base64(Self.jpeg).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        #expect(ImageHeader.size(ofBase64: String(forURLs)) == ImageSize(width: 4032, height: 3024))
    }

    // Cut short anywhere, a header gives its size or nothing.
    @Test func cutShort() {
        for image in [Self.png, Self.gif, Self.webP("VP8X", [0, 0, 0, 0, 1, 0, 0, 1, 0, 0])] {
            let text = Self.base64(image)
            let whole = ImageHeader.size(ofBase64: text)
            #expect(whole != nil)
            for length in 0..<text.count {
                let part = ImageHeader.size(ofBase64: String(text.prefix(length)))
                #expect(part == nil || part == whole)
            }
        }
        #expect(ImageHeader.size(ofBase64: String(Self.base64(Self.jpeg).dropLast(16))) == nil)
    }

    // Damaged headers end in nothing or in some size, never in a trap or an endless search.
    @Test func damaged() {
        var state: UInt64 = 16
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        let images = [
            Self.png, Self.gif, Array(Self.jpeg.prefix(64)),
            Self.webP("VP8L", [0x2F, 0x7F, 0xC2, 0x77, 0x00]),
        ]
        for round in 0..<4000 {
            var text = Array(Self.base64(images[round % images.count]).utf8)
            for _ in 0...random(6) { text[random(text.count)] = UInt8(random(256)) }
            let size = text.withUnsafeBufferPointer { ImageHeader.size(ofBase64: $0) }
            if let size { #expect(size.width > 0 && size.height > 0) }
        }
        // Segments without end, each as short as can be.
        var endless: [UInt8] = [0xFF, 0xD8]
        for _ in 0..<5000 { endless += [0xFF, 0xE0, 0, 2] }
        #expect(Self.size(endless) == nil)
        // A size of nothing is none.
        #expect(Self.size(Array("GIF89a".utf8) + [0, 0, 1, 0, 0]) == nil)
    }
}
