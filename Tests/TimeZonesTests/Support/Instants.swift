import TimeZones

/// A generator with a fixed seed (SplitMix64), so that a failure repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The UTC seconds of a timestamp.
func seconds(_ text: String) throws -> Int64 {
    try RFC3339.parse(text) / 1_000_000
}

/// A window as two timestamps to the second, for readable failures.
func text(_ window: Range<Int64>) -> String {
    [window.lowerBound, window.upperBound]
        .map { RFC3339.text(microseconds: $0).prefix(19) + "Z" }.joined(separator: " ")
}

/// Zones with every kind of oddity: gaps and repetitions at midnight, half hours, negative daylight
/// time, skipped days, none at all.
let oddZones = [
    "UTC", "Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/New_York",
    "America/Santiago", "America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Kolkata",
    "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Pacific/Apia",
    "Pacific/Chatham", "Pacific/Kwajalein",
]

let windowKinds: [CalendarWindow] = [
    .minute, .hour, .day, .week, .month, .monthAnchored(day: 1), .monthAnchored(day: 15),
    .monthAnchored(day: 31),
]

/// What breaks the rule that the windows of a kind cover time without gap or overlap, at the window
/// that contains an instant (microseconds); empty when nothing does.
func partitionFaults(
    _ kind: CalendarWindow, at instant: Int64, in rules: TimeZoneRules
) -> [String] {
    let window = kind.window(containing: instant, in: rules)
    var faults: [String] = []
    if !window.contains(instant) { faults.append("does not contain the instant") }
    if kind.window(containing: window.lowerBound, in: rules) != window {
        faults.append("is another one at its beginning")
    }
    if kind.window(containing: window.upperBound - 1, in: rules) != window {
        faults.append("is another one at its end")
    }
    if window.upperBound < .max,
        kind.window(containing: window.upperBound, in: rules).lowerBound != window.upperBound
    {
        faults.append("is not where the next begins")
    }
    if window.lowerBound > .min,
        kind.window(containing: window.lowerBound - 1, in: rules).upperBound != window.lowerBound
    {
        faults.append("is not where the one before ends")
    }
    return faults.map { "\(kind) at \(instant): \(window) \($0)" }
}
