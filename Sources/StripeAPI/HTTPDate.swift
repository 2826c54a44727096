// The Date header: `Wed, 25 Nov 2026 22:57:14 GMT`. Source: RFC 9110, 5.6.7; only the form that
// servers must send.

import TimeZones

package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970 UTC; nil: it is not of that form.
    package static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[1].utf8.count == 2,
            parts[3].utf8.count == 4, parts[4].utf8.count == 8,
            let month = months.firstIndex(where: { $0 == parts[2] })
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        let time = "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z"
        return (try? RFC3339.parse(time)).map { $0 / 1_000_000 }
    }
}
