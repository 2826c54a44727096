// Settings of test runs, from the environment.

import Glibc

package enum TestSettings {
    /// A whole number from the environment; nil where it is not set or not a number.
    package static func number(_ name: String) -> UInt64? {
        guard let text = getenv(name) else { return nil }
        return UInt64(String(cString: text))
    }

    /// FAREGATE_SLOW is set: tests may take minutes.
    package static var isSlow: Bool { getenv("FAREGATE_SLOW") != nil }
}
