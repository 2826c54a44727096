// The memory of ids: a table that forgets nothing and stays as quick as it was.

import Engine
import FaregateTestSupport
import Testing

@Suite struct FingerprintIndexTests {
    private func fingerprint(_ number: Int) -> Fingerprint {
        Fingerprint(.reservation, "p", "id \(number)")
    }

    // Whatever is set and set again is found as it was set last, next to a dictionary; nothing else
    // is.
    @Test(arguments: 1...5)
    func likeADictionary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = FingerprintIndex()
        var plain: [Fingerprint: UInt64] = [:]
        for step in 1...6_000 {
            // Few high bytes and few low bits: full shards, long runs of neighbours.
            let key =
                random.chance(50)
                ? Fingerprint(high: random.next() & 0x0300_0000_0000_0007, low: random.next() & 63)
                : fingerprint(Int(random.number(1...3_000)))
            if random.chance(70) {
                index.set(key, UInt64(step))
                plain[key] = UInt64(step)
            } else {
                #expect(index[key] == plain[key])
            }
        }
        #expect(index.count == plain.count)
        for (key, sequence) in plain { #expect(index[key] == sequence) }
    }

    // What is written out and read in again answers the same; equal tables give equal bytes,
    // whatever the order in which they were filled.
    @Test func serialised() throws {
        var forwards = FingerprintIndex()
        var backwards = FingerprintIndex()
        for number in 1...5_000 { forwards.set(fingerprint(number), UInt64(number)) }
        for number in (1...5_000).reversed() { backwards.set(fingerprint(number), UInt64(number)) }
        let bytes = forwards.serialized()
        #expect(bytes.count == 5_000 * 24)
        #expect(bytes == backwards.serialized())
        let read = try #require(FingerprintIndex(serialized: bytes))
        #expect(read.count == 5_000)
        #expect(read.serialized() == bytes)
        for number in 1...5_000 { #expect(read[fingerprint(number)] == UInt64(number)) }
        #expect(read[fingerprint(0)] == nil)
        #expect(FingerprintIndex(serialized: [])?.count == 0)
    }

    // Bytes that no table wrote are refused: another length, an entry without an event.
    @Test func damaged() {
        var index = FingerprintIndex()
        index.set(fingerprint(1), 7)
        let bytes = index.serialized()
        #expect(FingerprintIndex(serialized: Array(bytes.dropLast())) == nil)
        #expect(
            FingerprintIndex(serialized: bytes.dropLast(8) + Array(repeating: 0, count: 8)) == nil)
    }

    // Looking one of many up takes as few steps as looking one of few up.
    @Test func lookUpStaysFlat() {
        var index = FingerprintIndex()
        var number = 0
        for size in [10_000, 60_000] {
            while number < size {
                number += 1
                index.set(fingerprint(number), UInt64(number))
            }
            let probes = index.probeCounts()
            #expect(probes.entries == size)
            // Linear probing at most three quarters full: 2.5 steps on average in theory.
            #expect(probes.total <= probes.entries * 3)
            #expect(probes.longest < 128)
        }
    }

    // Hex of 32 digits and back; anything else is no fingerprint.
    @Test(arguments: [
        "", "00", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
        "0123456789ABCDEF0123456789abcdef", "0123456789abcdeg0123456789abcdef",
        "é123456789abcdef0123456789abcde",
    ])
    func hexRefusals(text: String) {
        #expect(Fingerprint(hex: text) == nil)
    }

    @Test func hexRoundTrip() {
        for number in 0..<200 {
            let key = fingerprint(number)
            #expect(key.hex.utf8.count == 32)
            #expect(Fingerprint(hex: key.hex) == key)
        }
    }

    // Project and id are told apart, and ids from keys: no two pairs of equal letters meet.
    @Test func domainsAndProjects() {
        let all: Set<Fingerprint> = [
            Fingerprint(.reservation, "a", "bc"), Fingerprint(.reservation, "ab", "c"),
            Fingerprint(.reservation, "abc", ""), Fingerprint(.reservation, "", "abc"),
            Fingerprint(.idempotencyKey, "a", "bc"), Fingerprint(.request, "a", "bc"),
        ]
        #expect(all.count == 6)
    }
}
