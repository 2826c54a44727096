// Rate limits as settings write them: `100` requests a second, `100/200` with a burst of 200
// (absent: the same as the rate), `none`. For single keys: `key_batch=50/500,key_ops=none`.

import Telemetry

enum RateLimitText {
    /// The limit, nil for `none`; no value at all when the text is of no such form.
    static func limit(_ text: String) -> RateLimit?? {
        if text == "none" { return .some(nil) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let rate = number(parts[0]) else { return nil }
        guard parts.count == 2 else { return RateLimit(requestsPerSecond: rate, burst: rate) }
        guard let burst = number(parts[1]) else { return nil }
        return RateLimit(requestsPerSecond: rate, burst: burst)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text),
            (1...RateLimit.most).contains(number)
        else { return nil }
        return number
    }

    /// Nil when the text is of no such form, or names a key twice.
    static func limitsByKey(_ text: String) -> [String: RateLimit?]? {
        var limits: [String: RateLimit?] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, let limit = limit(String(sides[1])),
                limits.updateValue(limit, forKey: String(sides[0])) == nil
            else { return nil }
        }
        return limits
    }

    static func fault(in text: String) -> String? {
        limit(text) == nil
            ? "must be a rate of 1 to 1000000 requests a second, with an optional burst:"
                + " 100 or 100/200 or none" : nil
    }

    static func fault(inKeys text: String) -> String? {
        limitsByKey(text) == nil
            ? "must be limits of different keys, separated by commas: key_a=100/200,key_b=none"
            : nil
    }
}
