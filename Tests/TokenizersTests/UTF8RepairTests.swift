import Testing

@testable import Tokenizers

@Suite struct UTF8RepairTests {
    // One U+FFFD for each maximal subpart, as Python decodes with errors="replace" (the examples of
    // The Unicode Standard, tables 3-8 to 3-11, and edges).
    @Test(arguments: [
        ([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41], "�������\u{FFFD}A"),
        ([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41], "��������A"),
        ([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42], "�����A��B"),
        ([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], "����A"),
        ([0x41, 0xE4, 0xB8], "A�"),
        ([0x80], "�"),
        ([0xF4, 0x8F, 0xBF, 0xBF], "\u{10FFFF}"),
        ([0xEF, 0xBF, 0xBD, 0xFE], "��"),
    ])
    func maximalSubparts(bytes: [UInt8], expected: String) {
        let repaired = bytes.withUnsafeBufferPointer { UTF8Repair.repaired($0) }
        #expect(String(decoding: repaired ?? bytes, as: UTF8.self) == expected)
        // Swift's own decoding follows the same practice.
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    // What is well-formed is left alone, and what was repaired is well-formed.
    @Test func randomBytes() {
        var random = SplitMix64(seed: 15)
        for _ in 0..<3000 {
            let length = Int.random(in: 0...24, using: &random)
            var bytes = (0..<length).map { _ in
                // Lead and continuation bytes often, so that sequences begin and break off.
                [0x41, 0x80, 0xBF, 0xC3, 0xE0, 0xE4, 0xED, 0xF0, 0xF4, 0x9F, 0xA0, 0xFF]
                    .randomElement(using: &random)! as UInt8
            }
            if length > 20 { bytes = Array("plain text, long enough for words".utf8) + bytes }
            let repaired = bytes.withUnsafeBufferPointer { UTF8Repair.repaired($0) }
            let isWellFormed = String(validating: bytes, as: UTF8.self) != nil
            #expect((repaired == nil) == isWellFormed)
            let text = Array(String(decoding: bytes, as: UTF8.self).utf8)
            #expect((repaired ?? bytes) == text, "\(bytes)")
            let repairedLength = bytes.withUnsafeBufferPointer { UTF8Repair.repairedLength($0) }
            #expect(repairedLength == text.count, "\(bytes)")
        }
    }
}
