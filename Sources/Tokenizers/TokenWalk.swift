/// One pass over a text: piece by piece, each a token as a whole or merged.
struct TokenWalk {
    private let table: RankTable
    private let encoding: TokenEncoding
    private let collects: Bool
    private(set) var count = 0
    /// Empty, if they are only counted.
    private(set) var ids: [Int32] = []
    /// Made when the first piece has to be merged: many a short text has none.
    private var room: MergingRoom?

    /// Longer pieces are merged in stretches. Merging at once looks at all parts for each join, so
    /// its time grows with the square.
    private static let directMax = 128

    init(table: RankTable, encoding: TokenEncoding, collects: Bool) {
        self.table = table
        self.encoding = encoding
        self.collects = collects
    }

    /// - Parameter utf8: well-formed.
    mutating func run(_ utf8: UnsafeBufferPointer<UInt8>) {
        guard let text = utf8.baseAddress else { return }
        if collects { ids.reserveCapacity(utf8.count / 3) }
        defer { room?.deallocate() }
        let scanner = PieceScanner(text: text, end: utf8.count)
        var start = 0
        while start < utf8.count {
            let end = scanner.pieceEnd(start, encoding)
            let piece = text + start
            let length = end - start
            let readable = utf8.count - start
            let rank = table.rank(piece, length, readable: readable)
            if rank != RankTable.none {
                add(rank)
            } else {
                merge(piece, length, readable)
            }
            start = end
        }
    }

    @inline(__always)
    private mutating func merge(_ piece: UnsafePointer<UInt8>, _ length: Int, _ readable: Int) {
        let room = self.room ?? MergingRoom()
        self.room = room
        if length <= Self.directMax {
            add(room.merge(piece, length, readable: readable, table), of: piece, room, readable)
        } else {
            var long = LongPieceMerging(piece, length, readable: readable, table, room)
            long.merge()
            add(long)
        }
    }

    @inline(__always)
    private mutating func add(_ rank: UInt32) {
        count &+= 1
        if collects { ids.append(Int32(truncatingIfNeeded: rank)) }
    }

    @inline(__always)
    private mutating func add(
        _ parts: Int, of piece: UnsafePointer<UInt8>, _ room: MergingRoom, _ readable: Int
    ) {
        count &+= parts
        guard collects else { return }
        for part in 0..<parts {
            let start = Int(room.starts[part])
            let length = Int(room.starts[part + 1]) - start
            ids.append(id(piece + start, length, readable - start))
        }
    }

    private mutating func add(_ long: LongPieceMerging) {
        count += long.lengths.count
        guard collects else { return }
        var start = 0
        for length in long.lengths {
            ids.append(id(long.piece + start, Int(length), long.readable - start))
            start += Int(length)
        }
    }

    /// Of a part that merging left, which is a token.
    @inline(__always)
    private func id(_ part: UnsafePointer<UInt8>, _ length: Int, _ readable: Int) -> Int32 {
        Int32(truncatingIfNeeded: table.rank(part, length, readable: readable))
    }
}
