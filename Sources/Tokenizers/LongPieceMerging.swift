// Byte-pair merging of a piece of any length, in time that grows with its length.
//
// Why it may be done in stretches: let a row of tokens be such that any two neighbours, merged
// alone from their bytes, come out as those two. Then the row is what merging gives for the whole.
// For suppose some join in the whole crossed a border of the row, and take the first one that does.
// Until then nothing crossed, so the parts on both sides of that border were what they are when the
// two tokens are merged alone at that point (of several possible joins the lowest rank and the
// leftmost is taken, and that is so among those within the two tokens as well), and there the same
// join would cross. And the other way round: two neighbours in what merging gives for the whole
// come out as themselves when merged alone, because nothing crossed their outer borders.
//
// So the piece is taken in from the left, some bytes at a time. The last few tokens so far are
// dissolved and merged anew together with the next bytes. If the border to the tokens before them
// holds, the new row is right; if it does not, more tokens are dissolved.

struct LongPieceMerging {
    let table: RankTable
    let piece: UnsafePointer<UInt8>
    let length: Int
    /// How many bytes may be read from `piece` on.
    let readable: Int
    private let room: MergingRoom

    /// The lengths of the tokens so far.
    private(set) var lengths: [UInt8] = []
    /// How many bytes they cover.
    private var covered = 0

    /// How many bytes are taken in at once, and how many tokens are dissolved at first.
    private static let stepMin = 64
    private static let dissolvedMin = 2

    /// What a stretch came to, with the token before it.
    private struct Result {
        var start: Int
        var length: Int
        /// How many of the bytes are the token before.
        var before: Int
        var parts: [UInt8]
    }

    /// The last few. Where the same bytes follow again, as in a row of one character, so does the
    /// same result.
    private var recent: [Result] = []
    private var oldest = 0
    private static let recentMax = 8

    init(
        _ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ table: RankTable,
        _ room: MergingRoom
    ) {
        self.table = table
        self.piece = piece
        self.length = length
        self.readable = readable
        self.room = room
    }

    mutating func merge() {
        var step = Self.stepMin
        while covered < length {
            let dissolved = extend(to: min(covered + step, length))
            // No more is merged again than is new, so that the whole stays linear also where tokens
            // are long, or many of them hang together.
            step = Self.stepMin
            while step < dissolved { step *= 2 }
        }
    }

    /// Takes in the bytes up to `end`; returns how many bytes were dissolved for it.
    private mutating func extend(to end: Int) -> Int {
        var tokens = 0
        var start = covered
        var wanted = Self.dissolvedMin
        while true {
            while tokens < wanted, tokens < lengths.count {
                tokens += 1
                start -= Int(lengths[lengths.count - tokens])
            }
            let before = tokens < lengths.count ? Int(lengths[lengths.count - tokens - 1]) : 0
            if let parts = remembered(start - before, end, before) {
                return accept(parts, dissolved: tokens, start: start, end: end)
            }
            let parts = room.lengths(
                piece + start, end - start, readable: readable - start, table)
            if before == 0 || holds(start - before, before, Int(parts[0])) {
                remember(
                    Result(
                        start: start - before, length: end - start + before, before: before,
                        parts: parts))
                return accept(parts, dissolved: tokens, start: start, end: end)
            }
            wanted *= 2
        }
    }

    private mutating func accept(
        _ parts: [UInt8], dissolved tokens: Int, start: Int, end: Int
    ) -> Int {
        let dissolved = covered - start
        lengths.removeLast(tokens)
        lengths.append(contentsOf: parts)
        covered = end
        return dissolved
    }

    private func remembered(_ start: Int, _ end: Int, _ before: Int) -> [UInt8]? {
        for result in recent
        where result.length == end - start && result.before == before
            && isSame(start, result.start, result.length)
        {
            return result.parts
        }
        return nil
    }

    private mutating func remember(_ result: Result) {
        if recent.count < Self.recentMax {
            recent.append(result)
        } else {
            recent[oldest] = result
            oldest = (oldest + 1) % Self.recentMax
        }
    }

    private func isSame(_ first: Int, _ second: Int, _ length: Int) -> Bool {
        for place in 0..<length where piece[first + place] != piece[second + place] { return false }
        return true
    }

    /// Two neighbouring tokens, merged from their bytes, come out as those two.
    private func holds(_ start: Int, _ first: Int, _ second: Int) -> Bool {
        let count = room.merge(
            piece + start, first + second, readable: readable - start, table)
        return count == 2 && room.starts[1] == Int32(truncatingIfNeeded: first)
    }
}
