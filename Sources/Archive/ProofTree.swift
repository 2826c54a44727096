// Inclusion proofs for many events of a long log, in a few bytes of memory an event.
//
// Kept are the roots of all complete subtrees of 256 leaves and more (a hash for every 128 events),
// and the leaves after the last of them. A proof needs besides only the up to 256 leaves around its
// own, which are read once more.

package import EventLog

package struct ProofTree {
    /// A block is the leaves of the lowest subtrees that are kept.
    package static let blockLeaves: UInt64 = 256

    /// How many leaves there are.
    package private(set) var size: UInt64 = 0

    /// At place k, the roots of the complete subtrees of 256 · 2^k leaves.
    private var levels: [[MerkleHash]] = []
    /// The leaves after the last complete block.
    private var tail: [MerkleHash] = []

    package init() {}

    package mutating func append(_ leaf: MerkleHash) {
        size += 1
        tail.append(leaf)
        guard tail.count == Int(Self.blockLeaves) else { return }
        var hash = MerkleTree.root(of: tail)
        tail.removeAll(keepingCapacity: true)
        var level = 0
        while true {
            if level == levels.count { levels.append([]) }
            levels[level].append(hash)
            let count = levels[level].count
            guard count.isMultiple(of: 2) else { return }
            hash = .node(levels[level][count - 2], hash)
            level += 1
        }
    }

    package var root: MerkleHash {
        size == 0 ? .emptyRoot : hash(from: 0, count: size, block: [], blockStart: .max)
    }

    /// The path from leaf number `index`, counted from 0, to the root, the lowest hash first.
    ///
    /// - Parameter block: the leaves of its block, as many as there are.
    package func path(of index: UInt64, block: [MerkleHash]) -> [MerkleHash] {
        precondition(index < size, "the leaf is in the tree")
        let blockStart = index - index % Self.blockLeaves
        var path: [MerkleHash] = []
        var (start, count) = (UInt64(0), size)
        while count > 1 {
            let left = Self.split(count)
            if index < start + left {
                path.append(
                    hash(
                        from: start + left, count: count - left, block: block,
                        blockStart: blockStart))
                count = left
            } else {
                path.append(hash(from: start, count: left, block: block, blockStart: blockStart))
                start += left
                count -= left
            }
        }
        return path.reversed()
    }

    /// Root over a range that RFC 6962's splitting comes to.
    private func hash(
        from start: UInt64, count: UInt64, block: [MerkleHash], blockStart: UInt64
    ) -> MerkleHash {
        if count.nonzeroBitCount == 1 {
            if count >= Self.blockLeaves {
                let level = count.trailingZeroBitCount - Self.blockLeaves.trailingZeroBitCount
                return levels[level][Int(start / count)]
            }
            let isInBlock = blockStart <= start && start - blockStart < Self.blockLeaves
            let leaves = isInBlock ? block : tail
            let first = Int(start % Self.blockLeaves)
            return MerkleTree.root(of: leaves[first..<first + Int(count)])
        }
        let left = Self.split(count)
        return .node(
            hash(from: start, count: left, block: block, blockStart: blockStart),
            hash(from: start + left, count: count - left, block: block, blockStart: blockStart))
    }

    /// Largest power of two below `count`, which is at least 2.
    private static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }
}
