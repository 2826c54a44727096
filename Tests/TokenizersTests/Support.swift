import Foundation

@testable import Tokenizers

/// A text of `fixtures/tokens/golden.tsv`, and the ids that tiktoken gave it.
struct GoldenText {
    var bytes: [UInt8]
    var ids: [TokenEncoding: [Int32]]

    static func all() throws -> [GoldenText] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../fixtures/tokens/golden.tsv")
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            return GoldenText(
                bytes: bytes(hex: fields[0]),
                ids: [.o200kBase: numbers(fields[1]), .cl100kBase: numbers(fields[2])])
        }
    }

    private static func numbers(_ text: Substring) -> [Int32] {
        text.split(separator: " ").compactMap { Int32($0) }
    }

    private static func bytes(hex: Substring) -> [UInt8] {
        let digits = hex.utf8.map { UInt8($0 > 57 ? $0 - 87 : $0 - 48) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

extension Tokenizer {
    func encode(_ bytes: [UInt8]) -> [Int32] { bytes.withUnsafeBufferPointer { encode($0) } }
    func count(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBufferPointer { count($0) } }
}

/// A sequence of numbers that is the same in every run.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The rule in its plainest form: as slow as it is short.
func plainMerge(_ piece: [UInt8], _ table: RankTable) -> [Int32] {
    func rank(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer {
            table.rank($0.baseAddress!, $0.count, readable: $0.count)
        }
    }
    var starts = Array(0...piece.count)
    while starts.count > 2 {
        let ranks = (0..<starts.count - 2).map { rank(piece[starts[$0]..<starts[$0 + 2]]) }
        guard let lowest = ranks.min(), lowest != RankTable.none,
            let place = ranks.firstIndex(of: lowest)
        else { break }
        starts.remove(at: place + 1)
    }
    return zip(starts, starts.dropFirst()).map { Int32(rank(piece[$0..<$1])) }
}
