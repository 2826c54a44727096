/// A secret or restricted API key of Stripe. Never in a description: `text` is for the one header.
package struct StripeKey: Sendable, CustomStringConvertible, CustomReflectable {
    package let text: String
    package let isLive: Bool

    /// Nil: neither a secret nor a restricted key. Space around it is taken off.
    package init?(_ text: String) {
        let trimmed = text.split(whereSeparator: \.isWhitespace)
        guard trimmed.count == 1, let key = trimmed.first else { return nil }
        let forms = [
            ("sk_test_", false), ("rk_test_", false), ("sk_live_", true), ("rk_live_", true),
        ]
        guard let form = forms.first(where: { key.hasPrefix($0.0) }),
            (form.0.utf8.count + 4...255).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.text = String(key)
        isLive = form.1
    }

    /// What simulated accounts take.
    package static let simulated = StripeKey(simulated: ())

    private init(simulated: Void) {
        text = "sk_test_simulated"
        isLive = false
    }

    package var description: String { isLive ? "a live key" : "a test key" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
