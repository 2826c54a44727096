// The signature of Stripe's webhooks. One header:
//
//     Stripe-Signature: t=1492774577,v1=<64 lower-case hex digits>[,v1=…][,v0=…]
//
// v1 is the HMAC-SHA256 of `t`, a full stop and the body's bytes as they came; the key is the whole
// secret, `whsec_` included. There is one v1 for each secret in force; other schemes are passed
// over. Source: Stripe's documentation, "Webhooks". Stricter than Stripe's libraries: exactly one
// `t`, of digits alone; a time too far ahead is refused as one too far behind is.

import Crypto

package enum WebhookVerdict: String, Sendable, CaseIterable {
    case valid
    case missingHeader = "missing_header"
    case malformedHeader = "malformed_header"
    case noSignature = "no_signature_with_expected_scheme"
    case mismatch = "signature_mismatch"
    case outsideTolerance = "timestamp_outside_tolerance"
}

package struct WebhookVerifier: Sendable {
    private let keys: [SymmetricKey]
    package let toleranceSeconds: Int64

    package static let toleranceSecondsDefault: Int64 = 300
    private static let headerBytesMax = 4_096

    /// - Parameters:
    ///   - secrets: as Stripe shows them; space around them is taken off.
    ///   - toleranceSeconds: 1 or more.
    /// Nil without a secret, with an empty one, or without a tolerance.
    package init?(
        secrets: [String], toleranceSeconds: Int64 = Self.toleranceSecondsDefault
    ) {
        let trimmed = secrets.map(Self.trimmed)
        guard !trimmed.isEmpty, !trimmed.contains(where: \.isEmpty), toleranceSeconds >= 1 else {
            return nil
        }
        keys = trimmed.map { SymmetricKey(data: $0) }
        self.toleranceSeconds = toleranceSeconds
    }

    private static func trimmed(_ secret: String) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }
        let bytes = Array(secret.utf8.drop(while: isSpace))
        return Array(bytes.prefix(bytes.count - bytes.reversed().prefix(while: isSpace).count))
    }

    /// Judges one delivery.
    ///
    /// - Parameter now: seconds since 1970 UTC.
    package func verify(header: String?, body: [UInt8], now: Int64) -> WebhookVerdict {
        guard let header, !header.isEmpty else { return .missingHeader }
        guard header.utf8.count <= Self.headerBytesMax else { return .malformedHeader }
        var time: (text: Substring, seconds: Int64)?
        var signatures: [Substring] = []
        for item in header.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = item.firstIndex(of: "=") else { return .malformedHeader }
            let value = item[item.index(after: equals)...]
            switch item[..<equals] {
            case "t":
                guard time == nil, (1...12).contains(value.utf8.count),
                    value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                    let seconds = Int64(value)
                else { return .malformedHeader }
                time = (value, seconds)
            case "v1": signatures.append(value)
            default: break
            }
        }
        guard let time else { return .malformedHeader }
        if signatures.isEmpty { return .noSignature }
        var isSigned = false
        for key in keys {
            let wanted = Array(Self.hex(key, String(time.text), body).utf8)
            for signature in signatures where Self.isEqual(Array(signature.utf8), wanted) {
                isSigned = true
            }
        }
        guard isSigned else { return .mismatch }
        let isTimely = abs(time.seconds - now) <= toleranceSeconds
        return isTimely ? .valid : .outsideTolerance
    }

    /// The header's value, as Stripe makes it.
    package static func header(secret: String, body: [UInt8], seconds: Int64) -> String {
        let key = SymmetricKey(data: trimmed(secret))
        return "t=\(seconds),v1=\(hex(key, String(seconds), body))"
    }

    private static func hex(_ key: SymmetricKey, _ time: String, _ body: [UInt8]) -> String {
        var hash = HMAC<SHA256>(key: key)
        hash.update(data: Array(time.utf8) + [UInt8(ascii: ".")])
        hash.update(data: body)
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in hash.finalize() {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// In a time that does not depend on where they differ.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}
