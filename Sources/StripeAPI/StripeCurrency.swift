/// How many minor units (cents) a currency has at Stripe. Source: Stripe's documentation,
/// "Supported currencies": zero-decimal and three-decimal currencies. Stripe has UGX with two
/// decimals for compatibility, though it has none.
package enum StripeCurrency {
    private static let withoutMinorUnits: Set<String> = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
        "xof", "xpf",
    ]
    private static let withThousandths: Set<String> = ["bhd", "jod", "kwd", "omr", "tnd"]

    /// - Parameter code: ISO 4217, in any case.
    package static func minorUnitsPerUnit(_ code: String) -> Int64 {
        let code = code.lowercased()
        if withoutMinorUnits.contains(code) { return 1 }
        return withThousandths.contains(code) ? 1_000 : 100
    }

    /// What a millionth of the currency costs, in minor units: `0.0001` for cents. A price of this
    /// makes a meter of micro-units bill what was metered.
    package static func microUnitPrice(_ code: String) -> String {
        switch minorUnitsPerUnit(code) {
        case 1: "0.000001"
        case 1_000: "0.001"
        default: "0.0001"
        }
    }
}
