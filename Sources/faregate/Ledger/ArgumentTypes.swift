import ArgumentParser
import Money

/// `name=value`, as tags and attributes are given.
struct NameValue: ExpressibleByArgument, Sendable {
    var name: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
            return nil
        }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

/// A share in per cent with at most four places, kept in parts per million.
struct Percentage: ExpressibleByArgument, Sendable {
    var partsPerMillion: Int64

    init?(argument: String) {
        let digits = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
        guard let parsed = try? parseScaledDecimal(digits.utf8, places: 4) else { return nil }
        partsPerMillion = parsed
    }

    /// "12.5%" of 125,000.
    static func text(partsPerMillion: Int64) -> String {
        // A rate per million with six places shows parts per million as a factor; a hundred times
        // that are per cent.
        let (hundredfold, overflow) = partsPerMillion.multipliedReportingOverflow(by: 100)
        guard !overflow else { return "\(partsPerMillion) ppm" }
        return Rate(picos: hundredfold).decimalPerMillionText + "%"
    }
}

/// An amount in major units, as the API writes it: `0.25`.
struct DecimalAmount: ExpressibleByArgument, Sendable {
    /// The text as the API wants it.
    var text: String

    init?(argument: String) {
        guard let money = try? Money(decimal: argument) else { return nil }
        text = money.decimalText
    }
}
