// What must hold for any bytes at all, of the readers that outside data meets first.
//
// A property is more than "does not trap": whatever a reader accepts must mean one thing, be
// written in one way and be read back as the same; whatever it refuses must be refused at a place.
// libFuzzer feeds these functions from `Sources/FaregateFuzz` (`make fuzz`), the tests feed them
// with the seeds and with damaged copies of them.

/// A rule that some bytes break.
package struct Violation: Error, CustomStringConvertible {
    package var rule: String

    package var description: String { rule }

    init(_ rule: String) { self.rule = rule }
}

func hold(_ condition: Bool, _ rule: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(rule()) }
}

package enum FuzzTarget: String, CaseIterable, Sendable {
    /// `StrictJSON`, `CanonicalJSON` and the scanner.
    case json
    /// `EventCodec.decode`.
    case event
    /// CloudEvents in structured and in binary mode.
    case cloudevent
    /// What the gateway does with streams, bodies and requests of the providers' dialects.
    case dialect
    /// `RequestSizing`, in every dialect.
    case sizing

    /// Reads `bytes` in every way there is and compares.
    ///
    /// - Returns: whether the reader accepted them.
    /// - Throws: the rule that they break.
    @discardableResult
    package func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        switch self {
        case .json: try JSONProperties.check(bytes)
        case .event: try EventProperties.check(bytes)
        case .cloudevent: try CloudEventProperties.check(bytes)
        case .dialect: try DialectProperties.check(bytes)
        case .sizing: try SizingProperties.check(bytes)
        }
    }
}
