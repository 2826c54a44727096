import EventLog
import Testing

struct MerkleFrontierTests {
    private func leaf(_ index: Int) -> MerkleHash {
        .leaf([UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)])
    }

    // Appending leaf by leaf gives the root of RFC 6962's definition at every size.
    @Test func agreesWithTheDefinition() {
        var frontier = MerkleFrontier()
        var leaves: [MerkleHash] = []
        #expect(frontier.root == .emptyRoot)
        for index in 0..<700 {
            leaves.append(leaf(index))
            frontier.append(leaf(index))
            #expect(frontier.size == UInt64(leaves.count))
            #expect(frontier.root == MerkleTree.root(of: leaves))
        }
    }

    // A batch is the same as its envelopes one by one.
    @Test func appendsBatches() {
        let bodies = (0..<600).map { Array("body \($0)".utf8) }
        var batch = AppendBatch()
        for body in bodies { batch.append { $0 += body } }
        var byBatch = MerkleFrontier()
        var byLeaf = MerkleFrontier()
        var completed: [CompletedSubtree] = []
        byBatch.append(batch) { completed.append($0) }
        for body in bodies { byLeaf.append(.leaf(body)) }
        #expect(byBatch == byLeaf)
        #expect(completed.map(\.index) == [0, 1])
    }

    // Subtrees of 256 and 65,536 leaves are handed out as they complete, with their own roots.
    @Test func handsOutCompletedSubtrees() throws {
        var frontier = MerkleFrontier()
        var leaves: [MerkleHash] = []
        var completed: [CompletedSubtree] = []
        for index in 0..<(65_536 + 512) {
            leaves.append(leaf(index))
            var now: [CompletedSubtree] = []
            frontier.append(leaf(index)) { now.append($0) }
            let expectedLevels = [8, 16].filter { leaves.count.isMultiple(of: 1 << $0) }
            if now.map(\.level) != expectedLevels {
                Issue.record("after \(leaves.count) leaves: \(now)")
            }
            completed += now
        }
        #expect(completed.count == 258 + 1)
        for subtree in completed where subtree.index < 3 || subtree.index > 250 {
            let start = Int(subtree.index) << subtree.level
            let range = leaves[start..<(start + 1 << subtree.level)]
            #expect(subtree.hash == MerkleTree.root(of: range))
        }
        let top = try #require(completed.first { $0.level == 16 })
        #expect(top.index == 0)
        let row = completed.filter { $0.level == 8 }.map(\.hash)
        #expect(top.hash == MerkleTree.root(of: Array(row.prefix(256))))
    }

    // The kept subtrees and the last fewer than 256 leaves make up the frontier again.
    @Test(arguments: [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_049])
    func isRebuiltFromKeptSubtrees(size: Int) {
        var frontier = MerkleFrontier()
        var kept: [[UInt64]: MerkleHash] = [:]
        for index in 0..<size {
            frontier.append(leaf(index)) { kept[[UInt64($0.level), $0.index]] = $0.hash }
        }
        var rebuilt = MerkleFrontier()
        for (level, indices) in MerkleFrontier.keptSubtrees(size: UInt64(size)) {
            #expect(indices.count < 256)
            for index in indices {
                guard let hash = kept[[UInt64(level), index]] else {
                    Issue.record("subtree \(index) of level \(level) was not handed out")
                    return
                }
                rebuilt.append(subtree: hash, level: level)
            }
        }
        #expect(size - Int(rebuilt.size) < 256)
        for index in Int(rebuilt.size)..<size { rebuilt.append(leaf(index)) }
        #expect(rebuilt == frontier)
    }

    // The exported hashes bring the frontier back; any other number of them is refused.
    @Test func importsWhatItExported() {
        var frontier = MerkleFrontier()
        for index in 0..<333 {
            #expect(MerkleFrontier(size: frontier.size, peaks: frontier.peaks) == frontier)
            #expect(MerkleFrontier(size: frontier.size, peaks: frontier.peaks + [leaf(0)]) == nil)
            frontier.append(leaf(index))
            #expect(frontier.peaks.count == frontier.size.nonzeroBitCount)
        }
        #expect(MerkleFrontier(size: 3, peaks: [leaf(0)]) == nil)
        #expect(MerkleFrontier(size: 0, peaks: []) == MerkleFrontier())
    }

    // The ranges of kept subtrees never overlap and leave fewer than 256 leaves, at any size.
    @Test func keptSubtreesCoverAnySize() {
        let sizes: [UInt64] = [0, 1, 255, 256, 0xffff_ffff, 1 << 56, (1 << 63) + 7, .max]
        for size in sizes {
            var covered: UInt64 = 0
            for (level, indices) in MerkleFrontier.keptSubtrees(size: size) {
                #expect(indices.lowerBound << UInt64(level) == covered)
                #expect(indices.count < 256)
                covered = indices.upperBound << UInt64(level)
            }
            #expect(size - covered < 256)
        }
    }

    // A subtree may start only at a multiple of its size: a trusted caller's mistake is a trap.
    @Test func misplacedSubtreesTrap() async {
        await #expect(processExitsWith: .failure) {
            var frontier = MerkleFrontier()
            frontier.append(.emptyRoot)
            frontier.append(subtree: .emptyRoot, level: 8)
        }
    }
}
