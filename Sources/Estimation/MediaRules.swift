// What images, sound and documents amount to.
//
//   image      by the model's own rule, from the size in the file's first bytes; an image of which
//              only the address is known counts as a large one
//   sound      10 tokens a second (OpenAI). The length is not read from the file: what is expected
//              is that of 16-bit samples at 24 kHz (wav) or 64 kbit/s (anything else), the maximum
//              that of the poorest recording, 8 kbit/s
//   document   its text is not looked for in here: pages of 50 KB with 3,000 tokens each are
//              expected ("each page typically uses 1,500-3,000 tokens", Anthropic, and as an image
//              besides); it is bounded by what the model can read at all. A text file is its bytes

import CanonicalJSON

extension Sizer {
    // MARK: Images

    /// - Parameter address: a data URL, or that of an image elsewhere.
    mutating func addImage(at address: String, detail: ImageDetail? = nil) {
        let isInline = address.utf8.starts(with: "data:".utf8)
        addImage(isInline ? ImageHeader.size(ofBase64: address) : nil, detail)
    }

    mutating func addImage(base64: String) { addImage(ImageHeader.size(ofBase64: base64), nil) }

    mutating func addImageOfUnknownSize(detail: ImageDetail? = nil) { addImage(nil, detail) }

    private mutating func addImage(_ size: ImageSize?, _ detail: ImageDetail?) {
        let unknown = ImageTokens.countOfUnknownSize(detail: detail, model: model)
        guard let size else { return addImage(unknown) }
        let count = ImageTokens.count(
            width: size.width, height: size.height, detail: detail, model: model)
        addImage(count)
    }

    mutating func detail(of object: JSONObject) throws(SizingError) -> ImageDetail? {
        guard let name = try text("detail", of: object) else { return nil }
        return ImageDetail(rawValue: name)
    }

    // MARK: Sound

    mutating func addSound(base64: String, format: String?) {
        let bytes = base64.utf8.count / 4 * 3
        addAudio(bytes / (format == "wav" ? 4_800 : 800), max: bytes / 100 + 1)
    }

    // MARK: Documents

    /// - Parameter data: a data URL or bare base64.
    mutating func addDocument(base64 data: String) {
        let bytes = data.utf8.count / 4 * 3
        let isText = data.utf8.starts(with: "data:text/".utf8)
        if isText {
            frame(bytes / 4, max: bytes)
        } else {
            frame((bytes / 50_000 + 1) * Self.pageTokens, max: 0)
            needFullContexts(1)
        }
    }

    /// A document that lies elsewhere.
    mutating func addDocumentOfUnknownSize() {
        frame(10 * Self.pageTokens, max: 0)
        needFullContexts(1)
    }

    private static var pageTokens: Int { 3_000 }
}
