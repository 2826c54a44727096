import EventLog
import Testing

struct MerkleHashTests {
    // A hash has one spelling, 64 lower-case digits, and comes back from it.
    @Test func textRoundTrips() throws {
        let bytes = (0..<32).map { UInt8($0 * 8 + 3) }
        let hash = try #require(MerkleHash(bytes: bytes))
        #expect(hash.hex == "030b131b232b333b434b535b636b737b838b939ba3abb3bbc3cbd3dbe3ebf3fb")
        #expect("\(hash)" == hash.hex)
        #expect(hash.bytes == bytes)
        #expect(MerkleHash(hex: hash.hex) == hash)
        #expect(MerkleHash(hex: hash.hex.uppercased()) == nil)
        #expect(MerkleHash(hex: String(hash.hex.dropLast())) == nil)
        #expect(MerkleHash(hex: hash.hex + "00") == nil)
        #expect(MerkleHash(hex: "g" + hash.hex.dropFirst()) == nil)
        #expect(MerkleHash(hex: "é" + hash.hex.dropFirst(2)) == nil)
    }

    // Anything but 32 bytes is no hash.
    @Test func otherLengthsAreRefused() {
        #expect(MerkleHash(bytes: []) == nil)
        #expect(MerkleHash(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(MerkleHash(bytes: [UInt8](repeating: 0, count: 33)) == nil)
    }

    // Equality is over all 32 bytes.
    @Test func everyByteCounts() throws {
        let zero = try #require(MerkleHash(bytes: [UInt8](repeating: 0, count: 32)))
        var seen: Set<MerkleHash> = [zero]
        for index in 0..<32 {
            var bytes = [UInt8](repeating: 0, count: 32)
            bytes[index] = 1
            let hash = try #require(MerkleHash(bytes: bytes))
            #expect(hash != zero)
            seen.insert(hash)
        }
        #expect(seen.count == 33)
    }

    // A snapshot's digest covers its place, its format and every boundary between parts.
    @Test func snapshotDigestsDiffer() {
        typealias Part = StoredSnapshot.Part
        let snapshots = [
            StoredSnapshot(sequence: 1, format: 1, parts: []),
            StoredSnapshot(sequence: 2, format: 1, parts: []),
            StoredSnapshot(sequence: 1, format: 2, parts: []),
            StoredSnapshot(sequence: 1, format: 1, parts: [Part(name: "a", bytes: [])]),
            StoredSnapshot(sequence: 1, format: 1, parts: [Part(name: "", bytes: [0x61])]),
            StoredSnapshot(sequence: 1, format: 1, parts: [Part(name: "a", bytes: [0x62])]),
            StoredSnapshot(sequence: 1, format: 1, parts: [Part(name: "ab", bytes: [])]),
            StoredSnapshot(
                sequence: 1, format: 1,
                parts: [Part(name: "a", bytes: []), Part(name: "", bytes: [0x62])]),
        ]
        #expect(Set(snapshots.map(\.digest)).count == snapshots.count)
    }
}
