/// A small generator with a seed of its own, so that a failing case can be run again.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Numbers of all sizes, and often one of the edges.
    mutating func anyInt64() -> Int64 {
        let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        if Int.random(in: 0..<8, using: &self) == 0 {
            return edges[Int.random(in: 0..<edges.count, using: &self)]
        }
        return Int64(truncatingIfNeeded: next()) >> Int64.random(in: 0..<63, using: &self)
    }
}
