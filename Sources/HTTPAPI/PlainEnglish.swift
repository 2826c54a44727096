// Figures as people read them.

import Billing
import Money
import TimeZones

struct PlainEnglish {
    var currency: String

    /// `0.0123 USD`, at least two decimals.
    func money(_ amount: Money) -> String {
        var text = amount.decimalText
        let fraction = text.utf8.firstIndex(of: UInt8(ascii: ".")).map {
            text.utf8.distance(from: $0, to: text.utf8.endIndex) - 1
        }
        switch fraction {
        case nil: text += ".00"
        case 1: text += "0"
        default: break
        }
        return "\(text) \(currency)"
    }

    /// `1,234 tokens`, `1 call`, or money.
    func quantity(_ quantity: Int64, _ measure: BudgetMeasure) -> String {
        switch measure {
        case .charge, .cost: money(Money(nanos: quantity))
        case .tokens: count(quantity, "token")
        case .requests: count(quantity, "call")
        }
    }

    func count(_ count: Int64, _ noun: String) -> String {
        "\(number(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    /// `1,234,567`.
    func number(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude).utf8)
        var bytes: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(digit)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `2026-11-22 14:45:19 UTC`.
    func time(_ instant: Instant) -> String {
        let text = RFC3339.text(microseconds: instant.microseconds).utf8
        let day = text.prefix(10)
        let clock = text.dropFirst(11).prefix(8)
        return String(decoding: day, as: UTF8.self) + " " + String(decoding: clock, as: UTF8.self)
            + " UTC"
    }

    /// `20 %` of 200,000 parts per million.
    func percent(_ partsPerMillion: Int64) -> String {
        "\(Money(nanos: partsPerMillion).scaledToPercent) %"
    }
}

extension Money {
    /// Parts per million as per cent: 200,000 is 20, 12,500 is 1.25.
    fileprivate var scaledToPercent: String {
        // One part per million is 10⁻⁴ per cent; nano units are 10⁻⁹.
        Money(nanos: nanos * 100_000).decimalText
    }
}
