import EventLog
import Testing

struct MerkleTreeTests {
    private static let leafCountMax = 300
    private let leaves = (0..<leafCountMax).map { MerkleHash.leaf(Array("leaf \($0)".utf8)) }

    /// Roots over the first 0, 1, 2 … leaves.
    private let roots: [MerkleHash]

    init() {
        let leaves = leaves
        roots = (0...Self.leafCountMax).map { MerkleTree.root(of: leaves[..<$0]) }
    }

    // The hashes are those of RFC 6962: the vectors of the reference implementation of Certificate
    // Transparency (merkletree tests), which any other implementation gives too.
    @Test func reproducesTheReferenceVectors() {
        let inputs: [[UInt8]] = [
            [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
            Array(0x50...0x57), Array(0x60...0x6f),
        ]
        let expected = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        let leaves = inputs.map { MerkleHash.leaf($0) }
        for (size, hex) in expected.enumerated() {
            #expect(MerkleTree.root(of: Array(leaves.prefix(size))).hex == hex)
        }
    }

    // A node's hash is told from a leaf's by its first byte.
    @Test func leavesAndNodesAreHashedApart() {
        let (left, right) = (leaves[0], leaves[1])
        #expect(MerkleHash.node(left, right) != .leaf(left.bytes + right.bytes))
        #expect(MerkleHash.node(left, right) != .node(right, left))
        #expect(MerkleHash.leaf([]) != .emptyRoot)
    }

    // One issue a proof, not an expectation for each check: there are some 30,000 of them.

    // Every leaf of every tree up to 300 leaves has a proof that verifies, and for that leaf only.
    @Test func inclusionProofsVerify() {
        for size in 1...Self.leafCountMax {
            let tree = Array(leaves.prefix(size))
            // All leaves of small trees, some of each large one: the edges are where they differ.
            let indices =
                size <= 70 ? Array(0..<size) : [0, 1, size / 3, size / 2, size - 2, size - 1]
            for index in indices {
                let proof = MerkleTree.inclusionProof(index: index, leaves: tree)
                func verifies(_ leaf: MerkleHash, at index: Int, _ proof: [MerkleHash]) -> Bool {
                    MerkleTree.verifyInclusion(
                        leaf: leaf, index: UInt64(index), size: UInt64(size), root: roots[size],
                        proof: proof)
                }
                let holds =
                    proof.count <= 9 && verifies(tree[index], at: index, proof)
                    && (index == 0 || !verifies(leaves[0], at: index, proof))
                    && !verifies(tree[index], at: index + 1, proof)
                    && !verifies(tree[index], at: index, proof + [tree[index]])
                    && (size == 1 || !verifies(tree[index], at: index, Array(proof.dropLast())))
                if !holds { Issue.record("leaf \(index) of \(size)") }
            }
        }
    }

    // Every tree up to 300 leaves is shown to be a prefix of larger ones, and no other root is.
    @Test func consistencyProofsVerify() {
        for newSize in 0...Self.leafCountMax {
            let tree = Array(leaves.prefix(newSize))
            let oldSizes =
                newSize <= 70
                ? Array(0...newSize)
                : [0, 1, 2, 63, 64, 65, newSize / 2, newSize - 2, newSize - 1, newSize]
            for oldSize in oldSizes {
                let proof = MerkleTree.consistencyProof(oldSize: oldSize, leaves: tree)
                func verifies(oldRoot: MerkleHash, newRoot: MerkleHash, _ proof: [MerkleHash])
                    -> Bool
                {
                    MerkleTree.verifyConsistency(
                        oldSize: UInt64(oldSize), oldRoot: oldRoot, newSize: UInt64(newSize),
                        newRoot: newRoot, proof: proof)
                }
                let (old, new) = (roots[oldSize], roots[newSize])
                let other = MerkleHash.leaf([0xff])
                let holds =
                    verifies(oldRoot: old, newRoot: new, proof)
                    && !verifies(oldRoot: other, newRoot: new, proof)
                    // Nothing can be said against a newer root when the old tree is empty.
                    && (oldSize == 0 || !verifies(oldRoot: old, newRoot: other, proof))
                    && !verifies(oldRoot: old, newRoot: new, proof + [other])
                    && (proof.isEmpty
                        || !verifies(oldRoot: old, newRoot: new, Array(proof.dropLast())))
                if !holds { Issue.record("\(oldSize) leaves of \(newSize)") }
            }
        }
    }

    // Proofs from outside are refused, whatever they hold; none is a trap.
    @Test func hostileProofsAreRefused() {
        let root = roots[7]
        let long = Array(repeating: leaves[0], count: 200)
        for proof in [[], [leaves[0]], long] {
            for (index, size) in [(UInt64(0), UInt64(0)), (7, 7), (.max, .max), (0, .max), (6, 7)] {
                #expect(
                    !MerkleTree.verifyInclusion(
                        leaf: leaves[6], index: index, size: size, root: root, proof: proof))
            }
            for (old, new) in [(UInt64(7), UInt64(3)), (0, 7), (3, 7), (4, 7), (1, .max), (7, 8)] {
                #expect(
                    !MerkleTree.verifyConsistency(
                        oldSize: old, oldRoot: root, newSize: new, newRoot: root, proof: proof))
            }
        }
    }
}
