// Where the text is cut before anything is merged: the two published patterns, read by hand.
//
// cl100k_base:
//     '(?i:[sdmt]|ll|ve|re)
//     [^\r\n\p{L}\p{N}]?\p{L}+
//     \p{N}{1,3}
//      ?[^\s\p{L}\p{N}]+[\r\n]*
//     \s+$
//     \s*[\r\n]
//     \s+(?!\S)
//     \s
//
// o200k_base (U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], W = [\p{Ll}\p{Lm}\p{Lo}\p{M}]):
//     [^\r\n\p{L}\p{N}]?U*W+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//     [^\r\n\p{L}\p{N}]?U+W*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//     \p{N}{1,3}
//      ?[^\s\p{L}\p{N}]+[\r\n/]*
//     \s*[\r\n]+
//     \s+(?!\S)
//     \s+
//
// The first alternative that matches wins, and every character begins some alternative, so the
// pieces cover the text. No state is kept between pieces. Each character is looked at a small
// constant number of times, whatever the text: where a regular expression would step back, the
// place to step back to is remembered on the way.

/// A text in valid UTF-8, and where its next piece ends.
struct PieceScanner {
    let text: UnsafePointer<UInt8>
    let end: Int
    let classes = CharacterClasses.shared

    /// The end of the piece that begins at `start`, which is less than `end`.
    @inline(__always)
    func pieceEnd(_ start: Int, _ encoding: TokenEncoding) -> Int {
        switch encoding {
        case .cl100kBase: cl100kPieceEnd(start)
        case .o200kBase: o200kPieceEnd(start)
        }
    }

    private func cl100kPieceEnd(_ start: Int) -> Int {
        let (first, second) = look(start)
        if first.has(.letter) { return skip(second, .letter) }
        if text[start] == UInt8(ascii: "'") {
            let contraction = contractionEnd(start)
            if contraction > start { return contraction }
        }
        if first.has(.number) { return numberEnd(second) }
        if !first.has(.newline), second < end {
            let (next, third) = look(second)
            if next.has(.letter) { return skip(third, .letter) }
        }
        let symbols = symbolsEnd(start, first, second)
        if symbols > start {
            var place = symbols
            while place < end, isNewline(text[place]) { place &+= 1 }
            return place
        }
        let spaces = spaces(start)
        if spaces.end == end { return end }
        if spaces.afterNewline > start { return spaces.afterNewline }
        return spaces.last > start ? spaces.last : spaces.end
    }

    private func o200kPieceEnd(_ start: Int) -> Int {
        let (first, second) = look(start)
        if first.has(.letter) {
            let word = wordEnd(start)
            return contractionEnd(word.end)
        }
        if first.has(.number) { return numberEnd(second) }
        if !first.has(.newline), second < end {
            let word = wordEnd(second)
            // A mark may be the prefix, or the word: that is tried before the second alternative.
            if word.isFirstAlternative || word.end > second && !first.has(.mark) {
                return contractionEnd(word.end)
            }
        }
        if first.has(.mark) { return contractionEnd(second) }
        let symbols = symbolsEnd(start, first, second)
        if symbols > start {
            var place = symbols
            while place < end, isNewline(text[place]) || text[place] == UInt8(ascii: "/") {
                place &+= 1
            }
            return place
        }
        let spaces = spaces(start)
        if spaces.afterNewline > start { return spaces.afterNewline }
        if spaces.end == end { return end }
        return spaces.last > start ? spaces.last : spaces.end
    }

    /// `U*W+`, else `U+W*`; `end` is `start` where neither matches.
    ///
    /// `U*` takes all it can. Where `W` follows, `W+` takes all it can. Where not, `U*` gives back
    /// as much as `W+` needs: up to the last character that is in both.
    @inline(__always)
    private func wordEnd(_ start: Int) -> (end: Int, isFirstAlternative: Bool) {
        var place = start
        var afterBoth = start
        while place < end {
            let (next, after) = look(place)
            if !next.has(.upperSide) {
                if next.has(.lower) { return (skip(after, .lowerSide), true) }
                break
            }
            if next.has(.bothSides) { afterBoth = after }
            place = after
        }
        return afterBoth > start ? (afterBoth, true) : (place, false)
    }

    /// ` ?[^\s\p{L}\p{N}]+`; `start` where it does not match.
    @inline(__always)
    private func symbolsEnd(_ start: Int, _ first: CharacterClass, _ second: Int) -> Int {
        if !first.has(.wordOrSpace) { return skipSymbols(second) }
        guard text[start] == UInt8(ascii: " "), second < end else { return start }
        let (next, third) = look(second)
        return next.has(.wordOrSpace) ? start : skipSymbols(third)
    }

    /// The rest of `\p{N}{1,3}`.
    @inline(__always)
    private func numberEnd(_ second: Int) -> Int {
        var place = second
        for _ in 0..<2 where place < end {
            let (next, after) = look(place)
            if !next.has(.number) { break }
            place = after
        }
        return place
    }

    /// A run of spaces: its end, where its last character begins, and the end of its last newline
    /// (`start`, if it has none).
    @inline(__always)
    private func spaces(_ start: Int) -> (end: Int, last: Int, afterNewline: Int) {
        var place = start
        var last = start
        var afterNewline = start
        while place < end {
            let (next, after) = look(place)
            if !next.has(.space) { break }
            if next.has(.newline) { afterNewline = after }
            last = place
            place = after
        }
        return (place, last, afterNewline)
    }

    /// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)`; `start` where it does not match. Without regard
    /// to case, the long s (U+017F) is an s, too.
    @inline(__always)
    private func contractionEnd(_ start: Int) -> Int {
        guard end &- start >= 2, text[start] == UInt8(ascii: "'") else { return start }
        switch text[start &+ 1] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start &+ 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return hasLetter(start &+ 2, UInt8(ascii: "e")) ? start &+ 3 : start
        case UInt8(ascii: "l"):
            return hasLetter(start &+ 2, UInt8(ascii: "l")) ? start &+ 3 : start
        default:
            let isLongS = end &- start >= 3 && text[start &+ 1] == 0xC5 && text[start &+ 2] == 0xBF
            return isLongS ? start &+ 3 : start
        }
    }

    @inline(__always)
    private func hasLetter(_ place: Int, _ letter: UInt8) -> Bool {
        place < end && text[place] | 0x20 == letter
    }

    @inline(__always)
    private func isNewline(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    @inline(__always)
    private func skip(_ start: Int, _ set: CharacterClass) -> Int {
        var place = start
        while place < end {
            let (next, after) = look(place)
            if !next.has(set) { break }
            place = after
        }
        return place
    }

    @inline(__always)
    private func skipSymbols(_ start: Int) -> Int {
        var place = start
        while place < end {
            let (next, after) = look(place)
            if next.has(.wordOrSpace) { break }
            place = after
        }
        return place
    }

    /// The class of the character at `place`, and where the next one begins.
    @inline(__always)
    private func look(_ place: Int) -> (CharacterClass, Int) {
        let byte = text[place]
        return byte < 0x80 ? (classes.ofASCII(byte), place &+ 1) : lookBeyondASCII(place)
    }

    /// The text is valid: what the first byte promises is there.
    private func lookBeyondASCII(_ place: Int) -> (CharacterClass, Int) {
        let first = UInt32(text[place])
        if first < 0xE0 {
            return (classes.of((first & 0x1F) &<< 6 | continuation(place &+ 1)), place &+ 2)
        }
        if first < 0xF0 {
            let scalar =
                (first & 0x0F) &<< 12 | continuation(place &+ 1) &<< 6 | continuation(place &+ 2)
            return (classes.of(scalar), place &+ 3)
        }
        let scalar =
            (first & 0x07) &<< 18 | continuation(place &+ 1) &<< 12
            | continuation(place &+ 2) &<< 6 | continuation(place &+ 3)
        return (classes.of(scalar), place &+ 4)
    }

    @inline(__always)
    private func continuation(_ place: Int) -> UInt32 { UInt32(text[place] & 0x3F) }
}
