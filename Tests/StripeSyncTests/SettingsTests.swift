import StripeSync
import Testing

struct SettingsTests {
    @Test("Settings compare by value")
    func comparesByValue() {
        #expect(StripeSettings() == StripeSettings())
    }
}
