// Byte-pair merging: the rule, for a piece or a stretch of one.
//
// The piece is cut into single bytes. Of all neighbours that together are a token, those with the
// lowest rank are joined, the leftmost first, until no two neighbours are a token.

/// The parts of a piece while it is merged. Used again and again, so that a piece costs no
/// allocation.
struct MergingRoom {
    /// Where each part begins, and after the last one where it ends. At most this many parts are
    /// looked through one by one for the lowest rank.
    let starts: UnsafeMutablePointer<Int32>
    /// The rank of each part joined with the next one.
    private let ranks: UnsafeMutablePointer<UInt32>
    private let tree: MergingTree

    /// Up to here all neighbours are looked through for the lowest rank each time: the time grows
    /// with the square, but nothing has to be kept up to date.
    private static let directMax = 64
    /// Longer stretches get a tree of their own.
    private static let lengthMax = 512

    init() {
        starts = .allocate(capacity: Self.lengthMax + 1)
        ranks = .allocate(capacity: Self.directMax)
        tree = MergingTree(lengthMax: Self.lengthMax)
    }

    func deallocate() {
        starts.deallocate()
        ranks.deallocate()
        tree.deallocate()
    }

    /// Merges `length` bytes, at least one and at most `lengthMax`; returns how many parts remain.
    /// Where they begin is in `starts`.
    @inline(__always)
    func merge(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable
    ) -> Int {
        length <= Self.directMax
            ? mergeDirectly(piece, length, readable: readable, table)
            : mergeByTree(piece, length, readable: readable, table)
    }

    /// The lengths of the parts that remain of any number of bytes.
    func lengths(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable
    ) -> [UInt8] {
        if length > Self.lengthMax {
            let large = MergingTree(lengthMax: length)
            defer { large.deallocate() }
            large.merge(piece, length, readable: readable, table)
            return large.lengths(length)
        }
        let count = merge(piece, length, readable: readable, table)
        return (0..<count).map { UInt8(truncatingIfNeeded: starts[$0 + 1] - starts[$0]) }
    }

    private func mergeByTree(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable
    ) -> Int {
        tree.merge(piece, length, readable: readable, table)
        return tree.copyStarts(length, to: starts)
    }

    private func mergeDirectly(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable
    ) -> Int {
        var count = length
        for place in 0..<length {
            starts[place] = Int32(truncatingIfNeeded: place)
            // The last part has no neighbour.
            ranks[place] =
                place &+ 1 < length
                ? table.rank(ofPair: piece[place], piece[place &+ 1]) : RankTable.none
        }
        starts[length] = Int32(truncatingIfNeeded: length)
        while let lowest = lowest(count) {
            // The part `lowest` takes in the next one.
            var place = lowest &+ 1
            while place &+ 1 < count {
                starts[place] = starts[place &+ 1]
                ranks[place] = ranks[place &+ 1]
                place &+= 1
            }
            starts[place] = starts[place &+ 1]
            count &-= 1
            ranks[lowest] = joined(lowest, count, piece, readable, table)
            if lowest > 0 {
                ranks[lowest &- 1] = joined(lowest &- 1, count, piece, readable, table)
            }
        }
        return count
    }

    /// The first of the lowest ranks; nil: nothing is left to join.
    @inline(__always)
    private func lowest(_ count: Int) -> Int? {
        var lowest = RankTable.none
        var result = 0
        for place in 0..<count where ranks[place] < lowest {
            lowest = ranks[place]
            result = place
        }
        return lowest == RankTable.none ? nil : result
    }

    @inline(__always)
    private func joined(
        _ part: Int, _ count: Int, _ piece: UnsafePointer<UInt8>, _ readable: Int,
        _ table: RankTable
    ) -> UInt32 {
        if part &+ 2 > count { return RankTable.none }
        let start = Int(starts[part])
        return table.rank(
            piece + start, Int(starts[part &+ 2]) &- start, readable: readable &- start)
    }
}
