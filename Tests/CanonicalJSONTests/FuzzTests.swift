import CanonicalJSON
import Testing

struct FuzzTests {
    private static let documents = [
        "{\"actor\":\"key_1\",\"data\":{\"amount\":4175000,\"budgets\":[{\"held\":0,\"id\":\"d\"}],"
            + "\"model\":\"gpt\"},\"sequence\":12345,\"type\":\"usage.reserved\"}",
        "[1,-2,3.5,1e10,true,false,null,\"\\u00e9\\ud83d\\ude00\\n\",\"\u{E9}\u{1F600}\",{}]",
        " { \"a\" : [ ] , \"b\" : { \"c\" : \"\\\\\" } } ",
        "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":99999999999999999999}",
    ].map { Array($0.utf8) }

    private static let interesting =
        Array("{}[]:,\"\\u0eE+-. \tntf1\n".utf8) + [0, 0x80, 0xC3, 0xED, 0xFF]

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let byte =
            random.below(2) == 0
            ? Self.interesting[random.below(Self.interesting.count)]
            : UInt8(truncatingIfNeeded: random.next())
        let place = random.below(bytes.count + 1)
        switch random.below(5) {
        case 0 where place < bytes.count: bytes[place] = byte
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2: bytes.removeLast(bytes.count - place)
        case 3 where place < bytes.count:
            let end = min(bytes.count, place + random.below(8))
            bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count + 1))
        default: bytes.insert(byte, at: place)
        }
    }

    /// Everything that reads `bytes` must return or throw.
    private func exercise(_ bytes: [UInt8], _ random: inout SeededGenerator) throws {
        do {
            let value = try StrictJSON.parse(bytes)
            // What was read can be printed and read again; and written, unless a number forbids.
            #expect(try StrictJSON.parse(CanonicalJSON.pretty(value)) == value)
            do {
                let canonical = try CanonicalJSON.encode(value)
                #expect(try CanonicalJSON.encode(StrictJSON.parse(canonical)) == canonical)
            } catch {
                #expect([.inexactNumber, .invalidNumber].contains(error.code))
            }
        } catch {
            #expect((0...bytes.count).contains(error.offset))
            #expect(!error.description.isEmpty)
        }
        wander(bytes, &random)
    }

    /// Calls of the scanner in any order, right or wrong.
    private func wander(_ bytes: [UInt8], _ random: inout SeededGenerator) {
        CanonicalScanner.reading(bytes) { scanner in
            var failures = 0
            for _ in 0..<40 where failures < 4 {
                do {
                    switch random.below(11) {
                    case 0, 1: try scanner.enterObject()
                    case 2: _ = try scanner.field("data")
                    case 3: try scanner.require("held")
                    case 4: _ = try scanner.nextMember()
                    case 5: try scanner.enterArray()
                    case 6: _ = try scanner.nextElement()
                    case 7: _ = try scanner.readString()
                    case 8: _ = try scanner.readInt64()
                    case 9: try scanner.skipValue()
                    default: try scanner.leaveObject()
                    }
                } catch {
                    failures += 1
                }
                #expect((0...bytes.count).contains(scanner.offset))
            }
        }
    }

    // Documents damaged at random never trap any reader, and are read consistently if at all.
    @Test func damagedDocuments() throws {
        var random = SeededGenerator(seed: 0xF022_0001)
        for round in 0..<8_000 {
            var bytes = Self.documents[round % Self.documents.count]
            for _ in 0...random.below(4) { mutate(&bytes, &random) }
            try exercise(bytes, &random)
        }
    }

    // Neither do bytes at random, of JSON's alphabet and of all values.
    @Test func randomBytes() throws {
        var random = SeededGenerator(seed: 0xF022_0002)
        for round in 0..<8_000 {
            let bytes = (0..<random.below(40)).map { _ in
                round % 2 == 0
                    ? Self.interesting[random.below(Self.interesting.count)]
                    : UInt8(truncatingIfNeeded: random.next())
            }
            try exercise(bytes, &random)
        }
    }

    // UTF-8 in a string is accepted exactly when the standard library's own validation accepts it,
    // and then means the same.
    @Test func utf8ValidationAgreesWithTheStandardLibrary() {
        var random = SeededGenerator(seed: 0xF022_0003)
        let leads: [UInt8] = [
            0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
            0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var accepted = 0
        for round in 0..<30_000 {
            let content = (0..<random.below(round % 3 == 0 ? 12 : 5)).map { _ in
                leads[random.below(leads.count)]
            }
            let expected = String(validating: content, as: UTF8.self)
            switch outcome([0x22] + content + [0x22]) {
            case .success(let value):
                #expect(expected.map(JSONValue.string) == value)
                accepted += 1
            case .failure(let error):
                #expect(expected == nil)
                #expect(error.code == .invalidUTF8)
            }
        }
        #expect(accepted > 500)
    }
}
