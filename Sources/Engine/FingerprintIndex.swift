// The memory of ids: 128-bit fingerprint of a reservation id or Idempotency-Key → sequence number
// of an event on the log. "Same id, same answer" holds for ever, so nothing is ever evicted; what
// is kept for each id is 24 bytes, and the answer itself is read from the log.
//
// Fingerprints are the first 16 bytes of a SHA-256, so equal fingerprints mean equal ids for all
// purposes (2⁻⁸² at ten million ids). The table is split into 256 shards by the first byte: growing
// one moves 1/256 of the entries, which keeps the pause of a growing table short.

import Crypto

/// First 16 bytes of a SHA-256.
package struct Fingerprint: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// What is being fingerprinted; keeps ids and keys of equal text apart.
    package enum Domain: UInt8, Sendable {
        case reservation = 0x72
        case idempotencyKey = 0x6b
        case request = 0x71
    }

    package init(_ domain: Domain, _ project: String, _ text: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(project.utf8.count + text.utf8.count + 10)
        bytes.append(domain.rawValue)
        withUnsafeBytes(of: UInt64(project.utf8.count).littleEndian) {
            bytes.append(contentsOf: $0)
        }
        bytes.append(contentsOf: project.utf8)
        bytes.append(contentsOf: text.utf8)
        self.init(hashing: bytes)
    }

    /// The fingerprint of plain bytes.
    package init(hashing bytes: [UInt8]) {
        let digest = SHA256.hash(data: bytes)
        (high, low) = digest.withUnsafeBytes {
            (
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// 32 lower-case hex digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<16 {
                let word = index < 8 ? high : low
                let byte = UInt8(truncatingIfNeeded: word >> UInt64((7 - index % 8) * 8))
                buffer[index * 2] = hexDigit(byte >> 4)
                buffer[index * 2 + 1] = hexDigit(byte & 15)
            }
            return 32
        }
    }

    /// Reads 32 hex digits; nil for anything else.
    package init?(hex text: String) {
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in text.utf8 {
            let digit: UInt64
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                digit = UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
            if count < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
            count += 1
        }
        guard count == 32 else { return nil }
        self.init(high: words.0, low: words.1)
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

package struct FingerprintIndex: Sendable {
    fileprivate struct Slot: Sendable {
        var high: UInt64
        var low: UInt64
        /// 0: empty.
        var sequence: UInt64
    }

    fileprivate struct Shard: Sendable {
        var slots: [Slot] = []
        var count = 0
    }

    private var shards: [Shard]
    package private(set) var count = 0

    package init() { shards = Array(repeating: Shard(), count: 256) }

    package subscript(_ key: Fingerprint) -> UInt64? {
        let shard = Int(key.high >> 56)
        return shards[shard].slots.withUnsafeBufferPointer { slots -> UInt64? in
            if slots.isEmpty { return nil }
            let mask = slots.count - 1
            var place = Int(truncatingIfNeeded: key.low) & mask
            while slots[place].sequence != 0 {
                if slots[place].low == key.low, slots[place].high == key.high {
                    return slots[place].sequence
                }
                place = (place + 1) & mask
            }
            return nil
        }
    }

    /// Sets the entry for `key`, replacing an earlier one.
    package mutating func set(_ key: Fingerprint, _ sequence: UInt64) {
        precondition(sequence > 0, "sequence numbers start at 1")
        if shards[Int(key.high >> 56)].set(key, sequence) { count += 1 }
    }

    /// How many slots finding each entry takes: their sum, and the most for one entry. One pass
    /// over everything; to see that the table stays quick.
    package func probeCounts() -> (entries: Int, total: Int, longest: Int) {
        var result = (entries: 0, total: 0, longest: 0)
        for shard in shards {
            let mask = shard.slots.count - 1
            for (place, slot) in shard.slots.enumerated() where slot.sequence != 0 {
                let probes = (place - Int(truncatingIfNeeded: slot.low) & mask) & mask + 1
                result = (result.entries + 1, result.total + probes, max(result.longest, probes))
            }
        }
        return result
    }

    /// 24 bytes an entry, little-endian, in ascending order of the fingerprint: equal indexes give
    /// equal bytes.
    package func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 24)
        for shard in shards {
            let entries = shard.slots.filter { $0.sequence != 0 }
                .sorted { ($0.high, $0.low) < ($1.high, $1.low) }
            for entry in entries {
                for word in [entry.high, entry.low, entry.sequence] {
                    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
                }
            }
        }
        return bytes
    }

    /// Reads what `serialized` wrote; nil when the length or an entry cannot be right.
    package init?(serialized bytes: [UInt8]) {
        guard bytes.count % 24 == 0 else { return nil }
        self.init()
        for offset in stride(from: 0, to: bytes.count, by: 24) {
            let words = bytes.withUnsafeBytes { raw in
                (0..<3).map {
                    UInt64(
                        littleEndian: raw.loadUnaligned(
                            fromByteOffset: offset + $0 * 8, as: UInt64.self))
                }
            }
            if words[2] == 0 { return nil }
            set(Fingerprint(high: words[0], low: words[1]), words[2])
        }
    }
}

extension FingerprintIndex.Shard {
    /// True when the key is new.
    fileprivate mutating func set(_ key: Fingerprint, _ sequence: UInt64) -> Bool {
        // At most three quarters full.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let place = place(of: key)
        let isNew = slots[place].sequence == 0
        slots[place] = .init(high: key.high, low: key.low, sequence: sequence)
        if isNew { count += 1 }
        return isNew
    }

    private func place(of key: Fingerprint) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.low) & mask
        while slots[place].sequence != 0,
            slots[place].low != key.low || slots[place].high != key.high
        {
            place = (place + 1) & mask
        }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = Array(
            repeating: .init(high: 0, low: 0, sequence: 0), count: max(16, old.count * 2))
        for slot in old where slot.sequence != 0 {
            slots[place(of: Fingerprint(high: slot.high, low: slot.low))] = slot
        }
    }
}
