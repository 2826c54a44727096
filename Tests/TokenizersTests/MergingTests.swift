import Testing

@testable import Tokenizers

@Suite struct MergingTests {
    // However a piece is merged (at once, by the tree, in stretches), the result is that of the
    // plain rule.
    @Test(arguments: TokenEncoding.allCases)
    func sameResultInEveryWay(encoding: TokenEncoding) {
        let table = encoding == .o200kBase ? RankTable.o200k : RankTable.cl100k
        var random = SplitMix64(seed: 11)
        for round in 0..<40 {
            let piece = Self.piece(round, &random)
            let expected = plainMerge(piece, table)
            #expect(Self.inStretches(piece, table) == expected, "stretches: \(piece)")
            #expect(Self.byTree(piece, table) == expected, "tree: \(piece)")
            #expect(Self.inRoom(piece, table) == expected, "room: \(piece)")
        }
    }

    /// Few letters, so that much can be joined; runs; anything at all.
    private static func piece(_ round: Int, _ random: inout SplitMix64) -> [UInt8] {
        let length = Int.random(in: 1...200, using: &random)
        switch round % 4 {
        case 0: return (0..<length).map { _ in "ab".utf8.randomElement(using: &random)! }
        case 1:
            return (0..<length).map { _ in "etaoinshr dlu".utf8.randomElement(using: &random)! }
        case 2:
            var piece: [UInt8] = []
            while piece.count < length {
                let byte = " =-*a0\n".utf8.randomElement(using: &random)!
                let run = Int.random(in: 1...100, using: &random)
                piece += repeatElement(byte, count: run)
            }
            return piece
        default: return (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
    }

    private static func inStretches(_ piece: [UInt8], _ table: RankTable) -> [Int32] {
        withRoom(piece) { bytes, room in
            var merging = LongPieceMerging(
                bytes, piece.count, readable: piece.count, table, room)
            merging.merge()
            return ids(merging.lengths.map(Int.init), bytes, table)
        }
    }

    private static func byTree(_ piece: [UInt8], _ table: RankTable) -> [Int32] {
        let tree = MergingTree(lengthMax: piece.count)
        defer { tree.deallocate() }
        return piece.withUnsafeBufferPointer { bytes in
            tree.merge(bytes.baseAddress!, piece.count, readable: piece.count, table)
            return ids(tree.lengths(piece.count).map(Int.init), bytes.baseAddress!, table)
        }
    }

    private static func inRoom(_ piece: [UInt8], _ table: RankTable) -> [Int32] {
        withRoom(piece) { bytes, room in
            let lengths = room.lengths(bytes, piece.count, readable: piece.count, table)
            return ids(lengths.map(Int.init), bytes, table)
        }
    }

    private static func withRoom(
        _ piece: [UInt8], _ body: (UnsafePointer<UInt8>, MergingRoom) -> [Int32]
    ) -> [Int32] {
        let room = MergingRoom()
        defer { room.deallocate() }
        return piece.withUnsafeBufferPointer { body($0.baseAddress!, room) }
    }

    private static func ids(
        _ lengths: [Int], _ bytes: UnsafePointer<UInt8>, _ table: RankTable
    ) -> [Int32] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return Int32(table.rank(bytes + start, length, readable: length))
        }
    }

    // Where equal bytes follow again, a remembered result is the right one: rows of every phase.
    @Test func rowsOfOneCharacter() {
        for character in ["a", " ", "=", "é", "ab", "-=", "中"] {
            for count in [130, 257, 600, 1111] {
                let piece = Array(String(repeating: character, count: count).utf8)
                let expected = Self.byTree(piece, .o200k)
                #expect(Self.inStretches(piece, .o200k) == expected, "\(character) × \(count)")
            }
        }
    }

    // A stretch is found again only with the token before it, and only where all bytes are the
    // same.
    @Test func periodsWithFaults() {
        var random = SplitMix64(seed: 12)
        for period in [1, 3, 16, 64, 65, 100] {
            let unit = (0..<period).map { _ in "abcd".utf8.randomElement(using: &random)! }
            var piece = (0..<2000).map { unit[$0 % period] }
            for _ in 0..<8 { piece[Int.random(in: 0..<2000, using: &random)] = UInt8(ascii: "x") }
            #expect(Self.inStretches(piece, .o200k) == Self.byTree(piece, .o200k), "\(period)")
        }
    }
}
