// Ids and secrets that the server makes.

/// 22 letters and digits after the prefix: 128 random bits.
package func newID(_ prefix: String) -> String { prefix + randomText(count: 22) }

/// The secret of an API key: `fg_` and 43 characters, 256 random bits.
package func newKeySecret() -> String { "fg_" + randomText(count: 43) }

private func randomText(count: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var random = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        // Ten characters of six bits each; the four bits left over are not used.
        var word: UInt64 = random.next()
        for _ in 0..<min(10, count - bytes.count) {
            bytes.append(alphabet[Int(word & 63)])
            word >>= 6
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
