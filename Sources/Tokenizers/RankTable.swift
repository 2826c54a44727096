// The index of a rank table: bytes to rank, and rank to bytes.
//
// What is committed is the tokens alone (CTokenRanks.h). The index over them is built at first use,
// in a few milliseconds, and kept for the life of the process: 4.8 MB for o200k_base, 2.5 MB for
// cl100k_base. An index that is part of the binary would start at once, but more than double what
// is committed.

import CTokenRanks

/// One encoding's tokens.
struct RankTable: @unchecked Sendable {
    // Unchecked, because pointers are not Sendable: what they point at is written before the
    // instance exists, never changed, and never freed.

    /// What `rank` answers for bytes that are no token. Larger than every rank.
    static let none = UInt32.max

    let count: Int
    /// Of the longest token.
    let lengthMax: Int
    private let bytes: UnsafePointer<UInt8>
    private let lengths: UnsafePointer<UInt8>
    private let offsets: UnsafePointer<UInt32>
    /// Of each token: the bytes themselves, first byte lowest, if there are at most eight; a hash
    /// of them otherwise.
    private let keys: UnsafePointer<UInt64>
    /// A hash table of ranks: in each slot a rank plus one, and above it some bits of the hash, so
    /// that what is no token is nearly always known without another look. Nought: nobody is here.
    private let slots: UnsafePointer<UInt32>
    private let slotMask: Int
    private static let rankBits: UInt32 = 18
    private static let rankMask: UInt32 = 1 << rankBits - 1
    /// The rank of every two bytes, and of every single one.
    private let pairs: UnsafePointer<UInt32>
    private let singles: UnsafePointer<UInt32>

    static let o200k = RankTable(
        UnsafeRawBufferPointer(
            start: faregate_ranks_o200k(), count: faregate_ranks_o200k_length()))
    static let cl100k = RankTable(
        UnsafeRawBufferPointer(
            start: faregate_ranks_cl100k(), count: faregate_ranks_cl100k_length()))

    private init(_ table: UnsafeRawBufferPointer) {
        let count = Int(UInt32(littleEndian: table.loadUnaligned(as: UInt32.self)))
        let tokens = table.bindMemory(to: UInt8.self)
        guard let start = tokens.baseAddress, count < Self.rankMask else {
            preconditionFailure("the rank table is part of the binary")
        }
        let lengths = start + 4
        let bytes = lengths + count
        let bytesCount = tokens.count - count - 4
        // Between a quarter and a half of the slots are taken: bytes that are no token, which
        // merging asks for most, are known to be none after one or two looks.
        var slotCount = 1
        while slotCount < 2 * count { slotCount *= 2 }
        let slots = Self.allocate(slotCount, of: UInt32(0))
        let keys = Self.allocate(count, of: UInt64(0))
        let offsets = Self.allocate(count + 1, of: UInt32(0))
        let pairs = Self.allocate(1 << 16, of: Self.none)
        let singles = Self.allocate(1 << 8, of: Self.none)
        var offset = 0
        var lengthMax = 0
        for rank in 0..<count {
            let length = Int(lengths[rank])
            let token = bytes + offset
            offsets[rank] = UInt32(truncatingIfNeeded: offset)
            if length == 1 { singles[Int(token[0])] = UInt32(rank) }
            if length == 2 { pairs[Int(token[0]) << 8 | Int(token[1])] = UInt32(rank) }
            keys[rank] = Self.key(token, length, readable: bytesCount - offset)
            let hash = Self.hash(keys[rank], length)
            var place = Int(truncatingIfNeeded: hash >> 32) & (slotCount - 1)
            while slots[place] != 0 { place = (place + 1) & (slotCount - 1) }
            slots[place] = Self.mark(hash) | UInt32(rank + 1)
            lengthMax = max(lengthMax, length)
            offset += length
        }
        offsets[count] = UInt32(truncatingIfNeeded: offset)
        precondition(offset == bytesCount, "the rank table is as long as it says")
        precondition(!UnsafeBufferPointer(start: singles, count: 256).contains(Self.none))
        self.count = count
        self.lengthMax = lengthMax
        self.bytes = bytes
        self.lengths = lengths
        self.offsets = UnsafePointer(offsets)
        self.keys = UnsafePointer(keys)
        self.slots = UnsafePointer(slots)
        self.slotMask = slotCount - 1
        self.pairs = UnsafePointer(pairs)
        self.singles = UnsafePointer(singles)
    }

    private static func allocate<Element: BitwiseCopyable>(
        _ count: Int, of element: Element
    ) -> UnsafeMutablePointer<Element> {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: count)
        start.initialize(repeating: element, count: count)
        return start
    }

    /// The rank of `length` bytes, at least one, or `none`.
    /// - Parameter readable: how many bytes may be read from `token` on: at least `length`.
    @inline(__always)
    func rank(_ token: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> UInt32 {
        if length > lengthMax { return Self.none }
        let key = Self.key(token, length, readable: readable)
        let hash = Self.hash(key, length)
        let mark = Self.mark(hash)
        var place = Int(truncatingIfNeeded: hash &>> 32) & slotMask
        while true {
            let slot = slots[place]
            if slot == 0 { return Self.none }
            if (slot ^ mark) <= Self.rankMask {
                let rank = Int((slot & Self.rankMask) &- 1)
                if keys[rank] == key, Int(lengths[rank]) == length,
                    length <= 8 || hasBytes(offsets[rank], token, length)
                {
                    return UInt32(truncatingIfNeeded: rank)
                }
            }
            place = (place &+ 1) & slotMask
        }
    }

    @inline(__always)
    func rank(ofPair first: UInt8, _ second: UInt8) -> UInt32 {
        pairs[Int(first) &<< 8 | Int(second)]
    }

    /// Every byte is a token.
    @inline(__always)
    func rank(ofByte byte: UInt8) -> UInt32 { singles[Int(byte)] }

    /// The bytes of a token; nil: there is none of that rank.
    func token(_ rank: Int) -> UnsafeBufferPointer<UInt8>? {
        guard rank >= 0, rank < count else { return nil }
        let start = Int(offsets[rank])
        return UnsafeBufferPointer(start: bytes + start, count: Int(offsets[rank + 1]) - start)
    }

    @inline(__always)
    private func hasBytes(_ offset: UInt32, _ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let known = UnsafeRawPointer(bytes + Int(offset))
        let given = UnsafeRawPointer(token)
        var place = 0
        while place &+ 8 <= length {
            if known.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                != given.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            {
                return false
            }
            place &+= 8
        }
        // The last eight bytes, of which some have been looked at.
        return known.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            == given.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
    }

    @inline(__always)
    private static func key(
        _ token: UnsafePointer<UInt8>, _ length: Int, readable: Int
    ) -> UInt64 {
        let raw = UnsafeRawPointer(token)
        if length <= 8 {
            if readable >= 8 {
                let eight = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
                return eight & (UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- 8 &* length))
            }
            var key: UInt64 = 0
            for place in 0..<length {
                key |= UInt64(token[place]) &<< UInt64(truncatingIfNeeded: 8 &* place)
            }
            return key
        }
        var hash: UInt64 = 0
        var place = 0
        while place &+ 8 < length {
            hash = mixed(hash, raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place &+= 8
        }
        return mixed(hash, raw.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self))
    }

    @inline(__always)
    private static func mixed(_ hash: UInt64, _ eight: UInt64) -> UInt64 {
        let product = (hash ^ UInt64(littleEndian: eight)) &* 0x9E37_79B9_7F4A_7C15
        return product ^ (product &>> 29)
    }

    /// The upper half says where a key is looked for, the lower half has its mark.
    @inline(__always)
    private static func hash(_ key: UInt64, _ length: Int) -> UInt64 {
        let spread = key ^ (UInt64(truncatingIfNeeded: length) &* 0xA24B_AED4_963E_E407)
        let product = spread &* 0x9FB2_1C65_1E98_DF25
        return product ^ (product &>> 32)
    }

    @inline(__always)
    private static func mark(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash) & ~rankMask
    }
}
