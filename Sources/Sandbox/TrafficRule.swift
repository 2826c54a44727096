// Who makes which call, and what becomes of it: the rule by which a trace, which knows only sizes
// and times, is spread over customers and models. It depends on the seed and the line number alone,
// so a trace is spread the same way every time.
//
//   draw(salt) = mix(seed + γ × (4 × line + salt))      mod 2⁶⁴; mix is SplitMix64's finaliser,
//                                                        γ = 0x9E3779B97F4A7C15
//   customer   = draw(0) over the cast, by weight       weight of rank r (from 1) = ⌊720720 ÷ r⌋:
//   model      = draw(1) over the models, by weight     Zipf's law with exponent 1
//   fate       = draw(2) mod 1000                       the shares are in `CallFate`
//
//   output cap = the least power of two ≥ 1.5 × GeneratedTokens, at least 64
//   expected   = 440 output tokens, or the cap where that is lower: what a caller knows who does
//                not know the answer yet (nine in ten answers of the sample are shorter)
//   duration   = 250 ms + 50 µs × ContextTokens + 25 ms × GeneratedTokens, before compression: the
//                trace has arrivals only, and these are usual speeds of a hosted model

/// What becomes of a call that was let through, in thousandths of all calls.
enum CallFate: String, Sendable, CaseIterable {
    /// Settled with the trace's true counts. All that is left.
    case settled
    /// The provider failed before the first token: the hold is released.
    case released
    /// The caller crashed before it sent the call: a one-second hold that nobody resolves.
    case abandoned
    /// The caller crashed after it sent the call: the same, with `on_expiry: charge`.
    case dispatched
    /// A one-second hold, settled half a second after its expiry.
    case late
    /// The answer got lost: reserve and settle are both sent twice.
    case repeated
    /// Asks for a model that no price book has.
    case unlisted

    var thousandths: UInt64 {
        switch self {
        case .settled: 950
        case .released: 15
        case .abandoned: 6
        case .dispatched: 6
        case .late: 8
        case .repeated: 10
        case .unlisted: 5
        }
    }

    /// Seconds that the hold lives. The ordinary figure is longer than any call of a trace.
    var holdSeconds: Int64 {
        switch self {
        case .abandoned, .dispatched, .late: 1
        default: 300
        }
    }
}

/// One call of the trace with everything that the rule decides.
struct PlannedCall: Sendable, Equatable {
    var line: Int
    /// Index in the cast.
    var customer: Int
    var model: String
    var fate: CallFate
    var contextTokens: Int64
    var generatedTokens: Int64
    var maxOutputTokens: Int64
    var expectedOutputTokens: Int64

    /// How long the model works on it, in the trace's own time.
    var durationMicroseconds: Int64 {
        250_000 + 50 * contextTokens + 25_000 * generatedTokens
    }
}

struct TrafficRule: Sendable {
    /// By falling weight. All are in the built-in price book.
    static let models = [
        "gpt-4o-mini", "gpt-4o", "claude-haiku-4-5", "gemini-2.5-flash", "claude-sonnet-4-5",
        "gpt-5.5", "o4-mini", "gpt-5-mini", "gpt-4.1-mini", "deepseek-chat",
    ]
    static let unlistedModel = "sandbox-unlisted-model"

    private let seed: UInt64
    private let customers: ZipfChoice
    private let models = ZipfChoice(count: Self.models.count)

    /// - Parameter customers: size of the cast, at least 1.
    init(seed: UInt64, customers: Int) {
        self.seed = seed
        self.customers = ZipfChoice(count: customers)
    }

    func plan(_ row: TraceRow) -> PlannedCall {
        let fate = fate(draw(row.line, salt: 2) % 1_000)
        let cap = Self.outputCap(generated: row.generatedTokens)
        return PlannedCall(
            line: row.line, customer: customers.pick(draw(row.line, salt: 0)),
            model: fate == .unlisted
                ? Self.unlistedModel : Self.models[models.pick(draw(row.line, salt: 1))],
            fate: fate, contextTokens: row.contextTokens, generatedTokens: row.generatedTokens,
            maxOutputTokens: cap, expectedOutputTokens: min(440, cap))
    }

    static func outputCap(generated: Int64) -> Int64 {
        var cap: Int64 = 64
        while cap * 2 < generated * 3 { cap *= 2 }
        return cap
    }

    private func fate(_ thousandth: UInt64) -> CallFate {
        var left = thousandth
        for fate in CallFate.allCases {
            if left < fate.thousandths { return fate }
            left -= fate.thousandths
        }
        return .settled
    }

    private func draw(_ line: Int, salt: UInt64) -> UInt64 {
        SplitMix64.value(seed: seed, at: UInt64(truncatingIfNeeded: line) &* 4 &+ salt)
    }
}

/// Choice among ranks whose weights follow Zipf's law.
private struct ZipfChoice: Sendable {
    /// Divisible by every rank up to 16, so that the weights of the first ranks are exact.
    private static let unit: UInt64 = 720_720
    private let weights: [UInt64]
    private let total: UInt64

    init(count: Int) {
        precondition(count > 0, "somebody to choose from")
        weights = (1...count).map { max(Self.unit / UInt64($0), 1) }
        total = weights.reduce(0, +)
    }

    func pick(_ draw: UInt64) -> Int {
        var left = draw % total
        for (index, weight) in weights.enumerated() {
            if left < weight { return index }
            left -= weight
        }
        return weights.count - 1
    }
}

/// Sebastiano Vigna's SplitMix64, by position: any element without the ones before it.
enum SplitMix64 {
    static func value(seed: UInt64, at position: UInt64) -> UInt64 {
        var z = seed &+ 0x9E37_79B9_7F4A_7C15 &* position
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
