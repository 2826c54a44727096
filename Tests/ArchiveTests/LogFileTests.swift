import Archive
import EventLog
import FaregateTestSupport
import Glibc
import Testing

@Suite struct LogFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder(isInMemory: true) }

    private func file(_ bytes: [UInt8], _ name: String = "log.jsonl") -> String {
        let path = folder.path + "/" + name
        guard let file = fopen(path, "w") else {
            Issue.record("cannot write \(path)")
            return path
        }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
        return path
    }

    /// Everything in a file, or why it is refused.
    private func read(
        _ bytes: [UInt8]
    ) -> Result<(events: [[UInt8]], checkpoints: [StoredCheckpoint]), ArchiveError> {
        let path = file(bytes)
        do throws(ArchiveError) {
            var reader = try LogFileReader(path: path)
            var (events, checkpoints): ([[UInt8]], [StoredCheckpoint]) = ([], [])
            while let item = try reader.next() {
                switch item {
                case .event(let bytes, let leaf):
                    #expect(leaf == .leaf(bytes))
                    events.append(bytes)
                case .checkpoint(let checkpoint): checkpoints.append(checkpoint)
                }
            }
            return .success((events, checkpoints))
        } catch {
            return .failure(error)
        }
    }

    private func refusal(_ bytes: [UInt8]) throws -> ArchiveError {
        let error: ArchiveError? = if case .failure(let error) = read(bytes) { error } else { nil }
        return try #require(error)
    }

    // A whole log gives back every event and checkpoint byte for byte, for every size of the tree.
    @Test(arguments: [0, 1, 2, 3, 7, 64, 255, 256, 257, 600])
    func wholeLog(count: Int) throws {
        let store = try ArchivableMemory(events: count)
        let (events, checkpoints) = try read(try store.exported()).get()
        #expect(events == (try store.read(after: 0, limit: .max, maxBytes: .max)).map(\.bytes))
        #expect(checkpoints == (try store.checkpoints(after: 0, limit: .max)))
    }

    // An increment begins where its base ends, wherever that is, and proves that it goes on from
    // it.
    @Test(arguments: [1, 2, 5, 6, 100, 255, 256, 299, 300])
    func increment(base: Int) throws {
        let store = try ArchivableMemory(events: 300)
        let bytes = try store.exported(since: UInt64(base))
        let header = try LogFileReader(path: file(bytes)).header
        #expect(header.kind == .increment)
        #expect(header.baseHead.root == (try store.frontier(size: UInt64(base))).root)
        let (events, checkpoints) = try read(bytes).get()
        #expect(events.count == 300 - base)
        #expect(checkpoints.allSatisfy { $0.head.sequence > base })
    }

    @Test func nothingBeyondTheHead() throws {
        let store = try ArchivableMemory(events: 3)
        #expect(throws: ArchiveError.self) { try store.exported(since: 4) }
    }

    // Cut off anywhere, a file is refused as damaged: it never passes for a shorter one.
    @Test func truncation() throws {
        let bytes = try ArchivableMemory(events: 6).exported()
        for length in 1..<bytes.count {
            let error = try refusal(Array(bytes[..<length]))
            let isNamed = error.message.contains("log.jsonl")
            #expect(isNamed && (error.code == .damaged || error.code == .notABackup), "\(length)")
        }
    }

    // Any changed byte is found.
    @Test func flippedBytes() throws {
        let bytes = try ArchivableMemory(events: 6).exported()
        let header = bytes.firstIndex(of: UInt8(ascii: "\n"))!
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            let error = try? refusal(changed)
            // The first line's ledger id and times are covered by the digest, at the end.
            #expect(error != nil, "byte \(place) of the \(place < header ? "first line" : "rest")")
        }
    }

    // A line that was taken out, put in twice or moved is found, with the number of a line.
    @Test func changedLines() throws {
        let bytes = try ArchivableMemory(events: 6).exported()
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { $0 + [UInt8(ascii: "\n")] }
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            #expect((try? refusal(Array(fewer.joined()))) != nil, "without line \(index + 1)")
            var more = lines
            more.insert(lines[index], at: index)
            #expect((try? refusal(Array(more.joined()))) != nil, "line \(index + 1) twice")
        }
        var swapped = lines
        swapped.swapAt(1, 3)
        let error = try refusal(Array(swapped.joined()))
        #expect(error.message.contains("line "))
    }

    // A newer version of the format, and files of something else, are told apart.
    @Test func otherFiles() throws {
        let text = String(decoding: try ArchivableMemory(events: 2).exported(), as: UTF8.self)
        let newer = text.replacing(#""version":1}"#, with: #""version":2}"#)
        #expect(try refusal(Array(newer.utf8)).code == .tooNew)
        for other in ["", "hello\n", "{}\n", "[1]\n", #"{"format":"other"}"#] {
            #expect(try refusal(Array(other.utf8)).code == .notABackup, "\(other)")
        }
    }

    // A missing field is named.
    @Test func missingField() throws {
        let text = String(decoding: try ArchivableMemory(events: 2).exported(), as: UTF8.self)
        let error = try refusal(Array(text.replacing(#""currency":"USD","#, with: "").utf8))
        #expect(error.code == .damaged)
        #expect(error.message.contains("currency"))
    }

    // An excerpt holds the events that were asked for, each proven against the head.
    @Test(arguments: [1, 5, 255, 256, 257, 700])
    func excerpt(count: Int) throws {
        let store = try ArchivableMemory(events: count)
        for filter in [
            LogFileFilter(from: 1, to: .max), LogFileFilter(from: 2, to: 300),
            LogFileFilter(from: 1, to: .max, customer: "acme"),
            LogFileFilter(from: UInt64(count), to: UInt64(count), project: "p"),
        ] {
            var bytes: [UInt8] = []
            _ = try LogExcerpt.write(store, filter: filter, name: "test") { bytes += $0 }
            let events = try read(bytes).get().events
            let expected = try store.read(after: 0, limit: .max, maxBytes: .max).filter {
                let text = String(decoding: $0.bytes, as: UTF8.self)
                return (filter.from...filter.to).contains($0.sequence)
                    && (filter.customer == nil || text.contains(#""customer":"acme""#))
            }
            #expect(events == expected.map(\.bytes))
        }
    }

    // A proof for another event, or with a changed hash, is refused.
    @Test func wrongProof() throws {
        let store = try ArchivableMemory(events: 20)
        var bytes: [UInt8] = []
        let filter = LogFileFilter(from: 7, to: 7)
        _ = try LogExcerpt.write(store, filter: filter, name: "test") { bytes += $0 }
        let start = try #require(bytes.firstRange(of: Array(#""proof":["#.utf8))).upperBound
        bytes[start + 1] = bytes[start + 1] == UInt8(ascii: "0") ? 0x31 : 0x30
        let error = try refusal(bytes)
        #expect(error.message.contains("line 2"))
        #expect(error.message.contains("event 7"))
    }
}

@Suite struct ProofTreeTests {
    // Proofs and root are those of the plain recursion of RFC 6962, at every place of the tree.
    @Test(arguments: [1, 2, 3, 255, 256, 257, 511, 512, 513, 1_000, 1_300])
    func agreesWithTheRecursion(count: Int) {
        let leaves = (0..<count).map { MerkleHash.leaf(Array("leaf \($0)".utf8)) }
        var tree = ProofTree()
        for leaf in leaves { tree.append(leaf) }
        #expect(tree.root == MerkleTree.root(of: leaves))
        for index in Set([0, 1, 2, 255, 256, 257, count / 2, count - 2, count - 1])
        where leaves.indices.contains(index) {
            let start = index / 256 * 256
            let block = Array(leaves[start..<min(start + 256, count)])
            #expect(
                tree.path(of: UInt64(index), block: block)
                    == MerkleTree.inclusionProof(index: index, leaves: leaves))
        }
    }
}

@Suite struct PartialFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var target: String { folder.path + "/backup.db" }

    // A file that is given up leaves nothing; one that is committed has its name and no other.
    @Test func allOrNothing() throws {
        do {
            let partial = try PartialFile(for: target)
            try partial.write([1, 2, 3])
            #expect(folder.names == ["backup.db.partial"])
        }
        #expect(folder.names.isEmpty)
        let partial = try PartialFile(for: target)
        try partial.write([1, 2, 3])
        try partial.commit(isReplacing: false)
        #expect(folder.names == ["backup.db"])
    }

    // What is there is replaced only when that was asked for.
    @Test func noOverwriting() throws {
        try PartialFile(for: target).commit(isReplacing: false)
        let second = try PartialFile(for: target)
        try second.write([4])
        do throws(ArchiveError) {
            try second.commit(isReplacing: false)
            Issue.record("replaced")
        } catch {
            #expect(error.code == .exists)
        }
        try second.commit(isReplacing: true)
        #expect(folder.names == ["backup.db"])
    }

    // Two at once: the second is refused. A left-over of a dead process is taken over.
    @Test func oneWriter() throws {
        do {
            let first = try PartialFile(for: target)
            defer { withExtendedLifetime(first) {} }
            #expect(throws: ArchiveError.self) { try PartialFile(for: target) }
        }
        let left = fopen(target + ".partial", "w")
        fputs("half a backup", left)
        fclose(left)
        do {
            let next = try PartialFile(for: target)
            #expect(next.byteCount == 0)
        }
        // Killed between getting its name and losing the old one: the finished file stays whole.
        let finished = fopen(target, "w")
        fputs("a whole backup", finished)
        fclose(finished)
        #expect(link(target, target + ".partial") == 0)
        let after = try PartialFile(for: target)
        #expect(after.byteCount == 0)
        var status = stat()
        #expect(stat(target, &status) == 0 && status.st_size == 14)
    }
}
