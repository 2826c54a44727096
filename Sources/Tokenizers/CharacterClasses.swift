import CTokenRanks

/// What the two patterns ask about a character.
struct CharacterClass: OptionSet {
    let rawValue: UInt8

    /// `\p{Lu}` and `\p{Lt}`.
    static let upper = CharacterClass(rawValue: 1)
    /// `\p{Ll}`.
    static let lower = CharacterClass(rawValue: 2)
    /// `\p{Lm}` and `\p{Lo}`: letters without case.
    static let caseless = CharacterClass(rawValue: 4)
    /// `\p{M}`, which is no letter.
    static let mark = CharacterClass(rawValue: 8)
    /// `\p{N}`.
    static let number = CharacterClass(rawValue: 16)
    /// `\s`.
    static let space = CharacterClass(rawValue: 32)
    /// Carriage return and line feed, which are spaces, too.
    static let newline = CharacterClass(rawValue: 64)

    /// `\p{L}`.
    static let letter: CharacterClass = [.upper, .lower, .caseless]
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`.
    static let upperSide: CharacterClass = [.upper, .caseless, .mark]
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
    static let lowerSide: CharacterClass = [.lower, .caseless, .mark]
    /// What belongs to both sides.
    static let bothSides: CharacterClass = [.caseless, .mark]
    /// What `[^\s\p{L}\p{N}]` leaves out.
    static let wordOrSpace: CharacterClass = [.upper, .lower, .caseless, .number, .space]
    /// What `[^\r\n\p{L}\p{N}]` leaves out.
    static let noPrefix: CharacterClass = [.upper, .lower, .caseless, .number, .newline]

    @inline(__always)
    func has(_ any: CharacterClass) -> Bool { rawValue & any.rawValue != 0 }
}

/// The class of every code point, in two stages: a block number for each 256 code points, and the
/// blocks that differ. The Swift runtime's own properties are not asked: their version of Unicode
/// is the machine's, and a token count must be the same everywhere.
struct CharacterClasses: @unchecked Sendable {
    // Unchecked, because pointers are not Sendable: what they point at is written before the one
    // instance exists, never changed, and never freed.
    private let blocks: UnsafePointer<UInt16>
    private let classes: UnsafePointer<UInt8>

    static let shared = CharacterClasses()

    private init() {
        let runs = UnsafeRawBufferPointer(
            start: faregate_character_classes(), count: faregate_character_classes_length())
        let runCount = runs.count / 4
        let blockCount = 0x110000 / 256
        let blocks = UnsafeMutablePointer<UInt16>.allocate(capacity: blockCount)
        // Blocks of a single class are shared, one for each class that occurs (there are eight);
        // of the others there are as many as runs at most.
        var storage: [UInt8] = []
        storage.reserveCapacity(256 * 256)
        var uniform = [UInt16?](repeating: nil, count: 256)
        var run = 0
        func start(_ run: Int) -> Int {
            if run >= runCount { return 0x110000 }
            let packed = runs.loadUnaligned(fromByteOffset: 4 * run, as: UInt32.self)
            return Int(UInt32(littleEndian: packed) >> 8)
        }
        for block in 0..<blockCount {
            let first = block * 256
            while start(run + 1) <= first { run += 1 }
            let value = runs[4 * run]
            if start(run + 1) >= first + 256 {
                if uniform[Int(value)] == nil {
                    uniform[Int(value)] = UInt16(storage.count / 256)
                    storage.append(contentsOf: repeatElement(value, count: 256))
                }
                blocks[block] = uniform[Int(value)] ?? 0
                continue
            }
            blocks[block] = UInt16(storage.count / 256)
            var place = first
            while place < first + 256 {
                while start(run + 1) <= place { run += 1 }
                let end = min(start(run + 1), first + 256)
                storage.append(contentsOf: repeatElement(runs[4 * run], count: end - place))
                place = end
            }
        }
        let classes = UnsafeMutablePointer<UInt8>.allocate(capacity: storage.count)
        classes.initialize(from: storage, count: storage.count)
        self.blocks = UnsafePointer(blocks)
        self.classes = UnsafePointer(classes)
    }

    /// - Parameter scalar: below 0x110000.
    @inline(__always)
    func of(_ scalar: UInt32) -> CharacterClass {
        let block = Int(blocks[Int(scalar &>> 8)])
        return CharacterClass(rawValue: classes[block &<< 8 | Int(scalar & 0xFF)])
    }

    /// The class of an ASCII byte.
    @inline(__always)
    func ofASCII(_ byte: UInt8) -> CharacterClass {
        // The block of code point 0 is the first that was stored.
        CharacterClass(rawValue: classes[Int(byte)])
    }
}
