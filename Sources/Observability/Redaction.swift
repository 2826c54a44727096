// Keeping secrets out of what people and log collectors see.
//
// A log line must be safe to paste into a ticket. Secrets are kept out twice: whoever logs one says
// so (`redacted`), and the log handler goes over every line again, for what slipped through in an
// error's text or a header dump.

/// What stands where a secret was.
package let redactionMark = "[redacted]"

/// The text to log in place of a secret: nothing of it, not even its length.
///
/// A prefix or a digest would do for telling two keys apart, but both help whoever guesses a short
/// one; a key's id is on the log for that.
package func redacted(_ secret: String?) -> String {
    secret.map { $0.isEmpty ? "" : redactionMark } ?? ""
}

package enum Redaction {
    /// Names of metadata whose value is a secret whatever it looks like. Compared without case.
    private static let secretNames: Set<String> = [
        "admin_key", "api_key", "authorization", "cookie", "idempotency_key", "key", "password",
        "secret", "set-cookie", "token", "x-api-key",
    ]

    /// Every API key of ours begins so.
    private static let keyPrefix = Array("fg_".utf8)

    package static func isSecret(name: String) -> Bool { secretNames.contains(name.lowercased()) }

    /// `text` with everything that looks like an API key of ours masked.
    package static func text(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard var found = firstKey(in: bytes, from: 0) else { return text }
        var masked: [UInt8] = []
        var copied = 0
        while true {
            masked += bytes[copied..<found.lowerBound + keyPrefix.count]
            masked += Array(redactionMark.utf8)
            copied = found.upperBound
            guard let next = firstKey(in: bytes, from: copied) else { break }
            found = next
        }
        masked += bytes[copied...]
        return String(decoding: masked, as: UTF8.self)
    }

    /// The first run of `fg_` and at least eight characters that a key can have.
    private static func firstKey(in bytes: [UInt8], from start: Int) -> Range<Int>? {
        var index = start
        while index + keyPrefix.count + 8 <= bytes.count {
            if bytes[index] == keyPrefix[0], bytes[index...].starts(with: keyPrefix),
                index == 0 || !isKeyCharacter(bytes[index - 1])
            {
                var end = index + keyPrefix.count
                while end < bytes.count, isKeyCharacter(bytes[end]) { end += 1 }
                if end - index >= keyPrefix.count + 8 { return index..<end }
            }
            index += 1
        }
        return nil
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
