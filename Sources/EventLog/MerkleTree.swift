// Roots and proofs over a whole list of leaf hashes, after the definitions of RFC 6962 section 2.1,
// and the checks of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
//
//   MTH({})      = SHA-256()
//   MTH({d0})    = leaf hash of d0
//   MTH(D[n])    = node(MTH(D[0:k]), MTH(D[k:n])), k the largest power of two below n
//
// Leaves are counted from 0 here: event number s is leaf s - 1.
//
// These are the plain recursions, for verifying and for tests: they hash the whole list. The store
// appends with `MerkleFrontier`, which must always agree with them.

package enum MerkleTree {
    /// MTH over `leaves`.
    package static func root(of leaves: ArraySlice<MerkleHash>) -> MerkleHash {
        guard let first = leaves.first else { return .emptyRoot }
        guard leaves.count > 1 else { return first }
        let middle = leaves.startIndex + split(leaves.count)
        return .node(root(of: leaves[..<middle]), root(of: leaves[middle...]))
    }

    package static func root(of leaves: [MerkleHash]) -> MerkleHash {
        root(of: leaves[...])
    }

    /// PATH(index, leaves): the hashes that lead from one leaf to the root, the lowest first.
    package static func inclusionProof(index: Int, leaves: [MerkleHash]) -> [MerkleHash] {
        precondition(leaves.indices.contains(index), "the leaf is in the tree")
        return inclusionPath(index: index, leaves: leaves[...])
    }

    /// PROOF(oldSize, leaves): the hashes that show the tree over the first `oldSize` leaves to be
    /// a prefix of the whole. Empty when `oldSize` is 0 or all leaves.
    package static func consistencyProof(oldSize: Int, leaves: [MerkleHash]) -> [MerkleHash] {
        precondition((0...leaves.count).contains(oldSize), "the old tree is a prefix")
        guard oldSize > 0 else { return [] }
        return consistencyPath(oldSize: oldSize, leaves: leaves[...], isWhole: true)
    }

    /// Whether `proof` shows `leaf` to be leaf number `index` of the tree with `size` leaves and
    /// root hash `root`. False, never a trap, for any proof from outside.
    package static func verifyInclusion(
        leaf: MerkleHash, index: UInt64, size: UInt64, root: MerkleHash, proof: [MerkleHash]
    ) -> Bool {
        guard index < size else { return false }
        var place = PathPlace(node: index, last: size - 1)
        var hash = leaf
        for sibling in proof {
            guard place.last > 0 else { return false }
            if place.isRightOrLast {
                hash = .node(sibling, hash)
                place.skipLevelsWithoutSibling()
            } else {
                hash = .node(hash, sibling)
            }
            place.goUp()
        }
        return place.last == 0 && hash == root
    }

    /// Whether `proof` shows the tree (`oldSize`, `oldRoot`) to be a prefix of the tree (`newSize`,
    /// `newRoot`). False, never a trap, for any proof from outside.
    package static func verifyConsistency(
        oldSize: UInt64, oldRoot: MerkleHash, newSize: UInt64, newRoot: MerkleHash,
        proof: [MerkleHash]
    ) -> Bool {
        guard oldSize <= newSize else { return false }
        if oldSize == newSize { return proof.isEmpty && oldRoot == newRoot }
        if oldSize == 0 { return proof.isEmpty && oldRoot == .emptyRoot }

        var place = PathPlace(node: oldSize - 1, last: newSize - 1)
        while place.node & 1 == 1 { place.goUp() }
        var path = proof[...]
        // A perfect old tree is a node of the new one, so its own hash is left out of the proof.
        let isPerfect = oldSize.nonzeroBitCount == 1
        guard let start = isPerfect ? oldRoot : path.popFirst() else { return false }
        var oldHash = start
        var newHash = start
        for hash in path {
            guard place.last > 0 else { return false }
            if place.isRightOrLast {
                oldHash = .node(hash, oldHash)
                newHash = .node(hash, newHash)
                place.skipLevelsWithoutSibling()
            } else {
                newHash = .node(newHash, hash)
            }
            place.goUp()
        }
        return place.last == 0 && oldHash == oldRoot && newHash == newRoot
    }

    /// Largest power of two below `count`, which is at least 2.
    private static func split(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }

    private static func inclusionPath(
        index: Int, leaves: ArraySlice<MerkleHash>
    ) -> [MerkleHash] {
        guard leaves.count > 1 else { return [] }
        let middle = leaves.startIndex + split(leaves.count)
        let (left, right) = (leaves[..<middle], leaves[middle...])
        return index < middle
            ? inclusionPath(index: index, leaves: left) + [root(of: right)]
            : inclusionPath(index: index, leaves: right) + [root(of: left)]
    }

    /// SUBPROOF(oldSize, leaves, isWhole) of RFC 6962 section 2.1.2.
    private static func consistencyPath(
        oldSize: Int, leaves: ArraySlice<MerkleHash>, isWhole: Bool
    ) -> [MerkleHash] {
        if oldSize == leaves.count { return isWhole ? [] : [root(of: leaves)] }
        let leftCount = split(leaves.count)
        let middle = leaves.startIndex + leftCount
        let (left, right) = (leaves[..<middle], leaves[middle...])
        return oldSize <= leftCount
            ? consistencyPath(oldSize: oldSize, leaves: left, isWhole: isWhole) + [root(of: right)]
            : consistencyPath(oldSize: oldSize - leftCount, leaves: right, isWhole: false)
                + [root(of: left)]
    }
}

/// Where a proof has got to: the number of a node among those of its level, and of the last one.
private struct PathPlace {
    var node: UInt64
    var last: UInt64

    var isRightOrLast: Bool { node & 1 == 1 || node == last }

    mutating func goUp() {
        node >>= 1
        last >>= 1
    }

    /// A last node that is a left child has no sibling: it goes up as it is.
    mutating func skipLevelsWithoutSibling() {
        while node & 1 == 0 && node != 0 { goUp() }
    }
}
