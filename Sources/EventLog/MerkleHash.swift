// SHA-256 values and the three hashes of RFC 6962 section 2.1.
//
//   leaf  = SHA-256(0x00 ‖ canonical bytes of one envelope)
//   node  = SHA-256(0x01 ‖ left child ‖ right child)
//   empty = SHA-256 of no bytes: the root of a tree without leaves
//
// The prefix byte keeps a leaf from ever passing for a node (a second preimage otherwise).

import Crypto

/// 32 bytes of SHA-256, kept inline: an array of hashes is one block of memory.
package struct MerkleHash: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 32

    // In memory order, whatever the machine's byte order: only whole words are compared and hashed.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    private init() {}

    /// Nil unless there are exactly 32 bytes.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    }

    /// Nil unless there are exactly 32 bytes.
    package init?(bytes: [UInt8]) {
        guard let hash = bytes.withUnsafeBytes({ MerkleHash(bytes: $0) }) else { return nil }
        self = hash
    }

    /// Nil unless the text is 64 lower-case hexadecimal digits: one hash has one spelling.
    package init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(ofDigit: digits[index]),
                let low = Self.value(ofDigit: digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    fileprivate init(_ digest: SHA256.Digest) {
        withUnsafeMutableBytes(of: &words) { target in
            digest.withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 2 * Self.byteCount) { text in
            withUnsafeBytes { bytes in
                for (index, byte) in bytes.enumerated() {
                    text[2 * index] = Self.digit(byte >> 4)
                    text[2 * index + 1] = Self.digit(byte & 0x0f)
                }
            }
            return 2 * Self.byteCount
        }
    }

    package var description: String { hex }

    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Lends the 32 bytes for the time of the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: words) { bytes throws(Failure) in try body(bytes) }
    }

    package static func == (left: MerkleHash, right: MerkleHash) -> Bool {
        left.words == right.words
    }

    package func hash(into hasher: inout Hasher) {
        // A SHA-256 value is evenly spread already: one word of it tells as much as all four.
        hasher.combine(words.0)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension MerkleHash {
    /// Root of the tree without leaves.
    package static let emptyRoot = MerkleHash(SHA256().finalize())

    /// Hash of one leaf: SHA-256(0x00 ‖ `bytes`).
    package static func leaf(_ bytes: UnsafeRawBufferPointer) -> MerkleHash {
        var sha = SHA256()
        Swift.withUnsafeBytes(of: UInt8(0)) { sha.update(bufferPointer: $0) }
        sha.update(bufferPointer: bytes)
        return MerkleHash(sha.finalize())
    }

    /// Hash of one leaf: SHA-256(0x00 ‖ `bytes`).
    package static func leaf(_ bytes: [UInt8]) -> MerkleHash {
        bytes.withUnsafeBytes { leaf($0) }
    }

    /// Hash of an inner node: SHA-256(0x01 ‖ `left` ‖ `right`).
    package static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        // One run of 65 bytes and one call: three calls cost more than the copy.
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * byteCount, alignment: 8) { input in
            input[0] = 1
            left.withUnsafeBytes { input[1...].copyBytes(from: $0) }
            right.withUnsafeBytes { input[(1 + byteCount)...].copyBytes(from: $0) }
            var sha = SHA256()
            sha.update(bufferPointer: UnsafeRawBufferPointer(input))
            return MerkleHash(sha.finalize())
        }
    }
}

/// SHA-256 over bytes that come in pieces, for checksums outside the tree.
package struct RunningDigest {
    private var sha = SHA256()

    package init() {}

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { sha.update(bufferPointer: $0) }
    }

    /// Adds `number` as eight bytes, most significant first.
    package mutating func update(_ number: UInt64) {
        withUnsafeBytes(of: number.bigEndian) { sha.update(bufferPointer: $0) }
    }

    package consuming func finish() -> MerkleHash { MerkleHash(sha.finalize()) }
}
