/// The same rule with a tree of minima over the ranks: a join costs the tree's depth, whatever the
/// length. Parts are named by where they begin.
struct MergingTree {
    /// The leaves, a power of two of them, are at the end: the rank of each part joined with the
    /// next one. Each node before is the lower of its two children at twice its place; the root is
    /// at 1.
    private let ranks: UnsafeMutablePointer<UInt32>
    /// Where the next part begins, and where the one before does.
    private let ends: UnsafeMutablePointer<Int32>
    private let previous: UnsafeMutablePointer<Int32>

    init(lengthMax: Int) {
        ranks = .allocate(capacity: 2 * Self.leaves(lengthMax))
        ends = .allocate(capacity: lengthMax)
        previous = .allocate(capacity: lengthMax + 1)
    }

    func deallocate() {
        ranks.deallocate()
        ends.deallocate()
        previous.deallocate()
    }

    private static func leaves(_ length: Int) -> Int {
        var leaves = 1
        while leaves < length { leaves *= 2 }
        return leaves
    }

    func merge(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable
    ) {
        let leaves = Self.leaves(length)
        for place in 0..<length {
            ends[place] = Int32(truncatingIfNeeded: place &+ 1)
            previous[place] = Int32(truncatingIfNeeded: place &- 1)
            ranks[leaves &+ place] =
                place &+ 1 < length
                ? table.rank(ofPair: piece[place], piece[place &+ 1]) : RankTable.none
        }
        for place in length..<max(leaves, length) { ranks[leaves &+ place] = RankTable.none }
        for node in (1..<leaves).reversed() {
            ranks[node] = min(ranks[2 &* node], ranks[2 &* node &+ 1])
        }
        while ranks[1] != RankTable.none {
            let part = leftmostLowest(leaves)
            let next = Int(ends[part])
            let end = Int(ends[next])
            set(next, RankTable.none, leaves)
            ends[part] = Int32(truncatingIfNeeded: end)
            if end < length {
                previous[end] = Int32(truncatingIfNeeded: part)
                let joined = Int(ends[end]) &- part
                set(part, table.rank(piece + part, joined, readable: readable &- part), leaves)
            } else {
                set(part, RankTable.none, leaves)
            }
            if part > 0 {
                let before = Int(previous[part])
                let rank = table.rank(piece + before, end &- before, readable: readable &- before)
                set(before, rank, leaves)
            }
        }
    }

    @inline(__always)
    private func leftmostLowest(_ leaves: Int) -> Int {
        let lowest = ranks[1]
        var node = 1
        while node < leaves {
            node &*= 2
            if ranks[node] != lowest { node &+= 1 }
        }
        return node &- leaves
    }

    @inline(__always)
    private func set(_ part: Int, _ rank: UInt32, _ leaves: Int) {
        var node = leaves &+ part
        ranks[node] = rank
        while node > 1 {
            node /= 2
            let lower = min(ranks[2 &* node], ranks[2 &* node &+ 1])
            if ranks[node] == lower { return }
            ranks[node] = lower
        }
    }

    /// Returns how many parts there are.
    func copyStarts(_ length: Int, to starts: UnsafeMutablePointer<Int32>) -> Int {
        var count = 0
        var part = 0
        while part < length {
            starts[count] = Int32(truncatingIfNeeded: part)
            count &+= 1
            part = Int(ends[part])
        }
        starts[count] = Int32(truncatingIfNeeded: length)
        return count
    }

    func lengths(_ length: Int) -> [UInt8] {
        var lengths: [UInt8] = []
        var part = 0
        while part < length {
            lengths.append(UInt8(truncatingIfNeeded: Int(ends[part]) - part))
            part = Int(ends[part])
        }
        return lengths
    }
}
