// The right edge of the Merkle tree: all that is needed to append leaves and to know the root.
//
// A tree of n leaves is a row of perfect subtrees, one for each set bit of n, the largest first:
// 13 = 8 + 4 + 1. The frontier keeps their root hashes ("peaks"), so at most 64. Appending a leaf
// is adding one in binary: equal neighbours merge like carries, once a leaf on average.
//
// Complete subtrees of 256 leaves (level 8), 65,536 leaves (level 16) and so on are handed out as
// they complete. A store keeps them, so that the frontier can be rebuilt, and a proof be made, by
// reading at most 256 hashes a level.

/// Root hash of the complete subtree over the leaves `index << level` ..< `(index + 1) << level`,
/// leaves counted from 0.
package struct CompletedSubtree: Sendable, Equatable {
    /// Height above the leaves, a multiple of 8.
    package var level: Int
    package var index: UInt64
    package var hash: MerkleHash

    package init(level: Int, index: UInt64, hash: MerkleHash) {
        self.level = level
        self.index = index
        self.hash = hash
    }
}

package struct MerkleFrontier: Sendable, Equatable {
    /// Levels whose subtrees are kept are the multiples of this; a kept subtree has 256 children.
    package static let keptLevelStep = 8

    /// How many leaves there are.
    package private(set) var size: UInt64

    /// Root hashes of the perfect subtrees, the largest (leftmost) first.
    package private(set) var peaks: [MerkleHash]

    package init() {
        size = 0
        peaks = []
    }

    /// The frontier with `peaks` as exported before; nil unless there is one for each set bit of
    /// `size`.
    package init?(size: UInt64, peaks: [MerkleHash]) {
        guard peaks.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// RFC 6962 Merkle tree hash over all leaves. Costs one hash less than there are peaks.
    package var root: MerkleHash {
        guard var root = peaks.last else { return .emptyRoot }
        for peak in peaks.dropLast().reversed() {
            root = .node(peak, root)
        }
        return root
    }

    /// Appends one leaf hash; calls `completed` for each kept subtree that the leaf completes, the
    /// lowest level first.
    package mutating func append(
        _ leaf: MerkleHash, completed: (CompletedSubtree) -> Void = { _ in }
    ) {
        append(subtree: leaf, level: 0, completed: completed)
    }

    /// Appends the leaves of all envelopes of `batch`.
    package mutating func append(
        _ batch: AppendBatch, completed: (CompletedSubtree) -> Void = { _ in }
    ) {
        batch.bytes.withUnsafeBytes { bytes in
            for index in 0..<batch.count {
                let range = batch.range(at: index)
                append(.leaf(UnsafeRawBufferPointer(rebasing: bytes[range])), completed: completed)
            }
        }
    }

    /// Appends 2^`level` leaves at once by the hash of the perfect subtree over them. The size so
    /// far must be a multiple of 2^`level`.
    package mutating func append(
        subtree hash: MerkleHash, level: Int, completed: (CompletedSubtree) -> Void = { _ in }
    ) {
        precondition((0..<64).contains(level), "a tree has fewer than 2^64 leaves")
        precondition(
            size.trailingZeroBitCount >= level, "a subtree starts at a multiple of its size")
        let (newSize, overflow) = size.addingReportingOverflow(1 << UInt64(level))
        precondition(!overflow, "a tree has fewer than 2^64 leaves")

        var hash = hash
        var height = level
        while size & (1 << UInt64(height)) != 0 {
            hash = .node(peaks.removeLast(), hash)
            height += 1
            if height.isMultiple(of: Self.keptLevelStep) {
                completed(
                    CompletedSubtree(
                        level: height, index: (newSize >> UInt64(height)) - 1, hash: hash))
            }
        }
        peaks.append(hash)
        size = newSize
        assert(peaks.count == size.nonzeroBitCount)
    }

    /// Which kept subtrees make up the frontier over `size` leaves: for each kept level from the
    /// highest down, the range of subtree indices that no higher level covers (fewer than 256
    /// each). The leaves that none covers are the last `size % 256`.
    package static func keptSubtrees(size: UInt64) -> [(level: Int, indices: Range<UInt64>)] {
        var rows: [(level: Int, indices: Range<UInt64>)] = []
        for level in stride(from: 64 - keptLevelStep, to: 0, by: -keptLevelStep) {
            let end = size >> UInt64(level)
            let start = level + keptLevelStep < 64 ? (end >> UInt64(keptLevelStep)) << 8 : 0
            if start < end { rows.append((level, start..<end)) }
        }
        return rows
    }
}
