import Billing

/// Marks gathered while a figure is made.
struct MarkSet: OptionSet {
    var rawValue: UInt16

    static let servedTierUnpriced = MarkSet(rawValue: 1 << 0)
    static let unknownMultiplier = MarkSet(rawValue: 1 << 1)
    static let contradictoryUsage = MarkSet(rawValue: 1 << 2)
    static let unitFallback = MarkSet(rawValue: 1 << 3)
    static let unitUnpriced = MarkSet(rawValue: 1 << 4)

    private static let names: [(mark: MarkSet, name: RatingMark)] = [
        (.servedTierUnpriced, .servedTierUnpriced),
        (.unknownMultiplier, .unknownMultiplier),
        (.contradictoryUsage, .contradictoryUsage),
        (.unitFallback, .unitFallback),
        (.unitUnpriced, .unitUnpriced),
    ]

    /// These marks and `others`, sorted, each once.
    func names(with others: [RatingMark]) -> [RatingMark] {
        if isEmpty && others.count < 2 { return others }
        var all = others
        for (mark, name) in Self.names where contains(mark) { all.append(name) }
        all.sort()
        var unique: [RatingMark] = []
        for name in all where unique.last != name { unique.append(name) }
        return unique
    }
}
