import Configuration
import Telemetry
import Testing

@testable import Server

@Suite struct RateLimitTextTests {
    private func configuration(
        _ name: String, _ text: String
    ) throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration(options: [name: (.string(text), "test")])
    }

    // A rate with or without a burst; without one the burst is a second's worth.
    @Test func common() throws {
        #expect(
            try configuration("rate_limit", "100").rateLimit
                == RateLimit(requestsPerSecond: 100, burst: 100))
        #expect(
            try configuration("rate_limit", "100/250").rateLimit
                == RateLimit(requestsPerSecond: 100, burst: 250))
        #expect(try configuration("rate_limit", "none").rateLimit == nil)
        #expect(try ServerConfiguration().rateLimit == nil)
    }

    // Keys may have limits of their own, or none.
    @Test func byKey() throws {
        let limits = try configuration("rate_limits", "key_a=5/7,key_b=none").rateLimitByKey
        #expect(limits.count == 2)
        #expect(limits["key_a"] == .some(RateLimit(requestsPerSecond: 5, burst: 7)))
        #expect(limits["key_b"] == .some(nil))
    }

    // Anything else is refused, naming the setting.
    @Test(arguments: [
        ("rate_limit", ""), ("rate_limit", "0"), ("rate_limit", "-1"), ("rate_limit", "1.5"),
        ("rate_limit", "100/"), ("rate_limit", "/5"), ("rate_limit", "1/2/3"),
        ("rate_limit", "1000001"), ("rate_limit", "99999999999999999999"), ("rate_limits", "key_a"),
        ("rate_limits", "=5"), ("rate_limits", "key_a=5,"), ("rate_limits", "key_a=5,key_a=6"),
        ("rate_limits", "key_a=5=6"),
    ])
    func faults(name: String, text: String) {
        let fault = #expect(throws: ConfigurationError.self) { try configuration(name, text) }
        #expect(fault?.setting == name)
    }
}
