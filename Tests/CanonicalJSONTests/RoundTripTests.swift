import Testing

@testable import CanonicalJSON

struct RoundTripTests {
    // Any value, written and read again, is the same value; writing it again gives the same bytes,
    // from any order of members; the scanner agrees on where it ends.
    @Test func valuesSurvive() throws {
        var random = SeededGenerator(seed: 0x5EED_0001)
        for _ in 0..<3_000 {
            let value = randomValue(&random, depth: 0)
            let bytes = try CanonicalJSON.encode(value)
            let read = try StrictJSON.parse(bytes)
            #expect(read == value)
            #expect(try CanonicalJSON.encode(read) == bytes)
            #expect(try CanonicalJSON.encode(shuffled(value, &random)) == bytes)
            #expect(try StrictJSON.parse(CanonicalJSON.pretty(value)) == value)
            try CanonicalScanner.reading(bytes) { (scanner) throws(JSONError) in
                try scanner.skipValue()
                try scanner.finish()
            }
        }
    }

    // A finite double's text reads back as that double, and is canonical already.
    @Test func doublesSurvive() throws {
        var random = SeededGenerator(seed: 0x5EED_0002)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            var bytes: [UInt8] = []
            #expect(appendECMAScriptNumber(value, to: &bytes))
            #expect(Double(text(bytes)) == value)
            if !isIntegerText(text(bytes)) {
                #expect(try CanonicalJSON.encode(StrictJSON.parse(bytes)) == bytes)
            }
        }
    }

    private func randomValue(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        switch random.below(depth < 5 ? 9 : 6) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2:
            return .integer(
                Int64.random(in: -9_007_199_254_740_991...9_007_199_254_740_991, using: &random))
        case 3: return .integer(Int64(random.below(2_000) - 1_000))
        case 4, 5: return .string(randomText(&random))
        case 6:
            return .array((0..<random.below(6)).map { _ in randomValue(&random, depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<random.below(random.below(10) == 0 ? 40 : 6) {
                let name = randomText(&random)
                if object[name] == nil {
                    object.append(name, randomValue(&random, depth: depth + 1))
                }
            }
            return .object(object)
        }
    }

    private func randomText(_ random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<random.below(20) {
            let bound = [0x20, 0x80, 0x800, 0x11_0000][random.below(4)]
            text.unicodeScalars.append(Unicode.Scalar(UInt32(random.below(bound))) ?? "\u{FFFD}")
        }
        return text
    }

    private func shuffled(_ value: JSONValue, _ random: inout SeededGenerator) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { shuffled($0, &random) })
        case .object(let object):
            let members = object.members.shuffled(using: &random)
            return .object(JSONObject(members.map { ($0.key, shuffled($0.value, &random)) }))
        default: return value
        }
    }
}
