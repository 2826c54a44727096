// What a provider says that a call cost: a number as JSON writes it (`0.00014`, `1.4e-04`), in the
// provider's own currency. Compared with the price book's figure in the metrics, never charged.

enum StatedCost {
    /// Rounded to nano units, half up; nil: it is below zero, or none that a call can cost.
    static func nanos(_ text: String) -> Int64? {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) {
            $0 == "e" || $0 == "E"
        }
        guard let mantissa = parts.first else { return nil }
        var digits: Int64 = 0
        var exponent = 9
        var hasPoint = false
        var kept = 0
        for byte in mantissa.utf8 {
            switch byte {
            case UInt8(ascii: "."): hasPoint = true
            // More than so many say nothing in nano units.
            case 0x30...0x39 where kept == 18: if !hasPoint { exponent += 1 }
            case 0x30...0x39:
                digits = digits * 10 + Int64(byte - 0x30)
                if digits > 0 { kept += 1 }
                if hasPoint { exponent -= 1 }
            default: return nil
            }
        }
        if parts.count == 2 {
            guard let shift = Int(parts[1]), (-1_000...1_000).contains(shift) else { return nil }
            exponent += shift
        }
        if digits == 0 { return 0 }
        while exponent > 0 {
            let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            digits = product
            exponent -= 1
        }
        while exponent < -1, digits > 0 {
            digits /= 10
            exponent += 1
        }
        return exponent == -1 ? (digits + 5) / 10 : digits
    }
}
