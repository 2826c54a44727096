// The scheme of Standard Webhooks, symmetric: https://www.standardwebhooks.com.
//
//   webhook-id         the notification's id, the same in every attempt
//   webhook-timestamp  seconds since 1970 UTC, of this attempt
//   webhook-signature  v1,<base64 of HMAC-SHA256 over "id.timestamp.body">, one for each secret in
//                      force, separated by spaces
//
// A secret is `whsec_` and the base64 of the key.

import Crypto

package struct WebhookSecret: Sendable, Equatable {
    package let text: String
    private let key: [UInt8]

    /// Nil: not of the form, or not 24 to 64 bytes.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            let key = Base64.decode(text.dropFirst(Self.prefix.utf8.count)),
            (24...64).contains(key.count)
        else { return nil }
        self.text = text
        self.key = key
    }

    /// A new one of 256 random bits.
    package init(random: inout some RandomNumberGenerator) {
        key = (0..<4).flatMap { _ in
            let word: UInt64 = random.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        text = Self.prefix + Base64.encode(key)
    }

    package static let prefix = "whsec_"

    /// `v1,…`
    package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        var hash = HMAC<SHA256>(key: SymmetricKey(data: key))
        hash.update(data: Array("\(id).\(timestamp).".utf8))
        hash.update(data: body)
        return "v1," + Base64.encode(Array(hash.finalize()))
    }
}

/// RFC 4648, section 4, with padding. Foundation's is not in this module's reach.
package enum Base64 {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[start + offset]) : 0)
            }
            for place in 0..<4 {
                let digit = digits[Int(group >> UInt32(18 - 6 * place)) & 63]
                text.append(place <= count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        for _ in 0..<2 where characters.last == UInt8(ascii: "=") { characters.removeLast() }
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var bits = 0
        for character in characters {
            guard let digit = digits.firstIndex(of: character) else { return nil }
            group = group << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
                group &= (1 << UInt32(bits)) - 1
            }
        }
        return group == 0 ? bytes : nil
    }
}
