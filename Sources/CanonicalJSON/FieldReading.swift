// Which of several things wrong with a body is named.
//
// A reader asks for one field after the other and stops at the first that is missing. A misspelt
// name is both: a field that is missing and one that nobody knows, and only the second says what to
// mend. So when a field is missing, the body is read once more for its names: what is missing is
// passed over, and an unknown field that turns up takes its place as the error. Nothing else comes
// of that second reading. (Not taken: a list of known names beside every reader, which would say
// everything twice and would be wrong some day.)

/// Whether a body is being read for its names.
enum NameReading {
    @TaskLocal static var isOn = false
}

/// Runs `read`. Of what is wrong with the fields, an unknown one is named before a missing one.
///
/// - Parameter read: runs a second time when a field is missing; it must do nothing but read.
package func readingFields<T>(
    _ read: () throws(FieldError) -> T
) throws(FieldError) -> T {
    do throws(FieldError) {
        return try read()
    } catch {
        throw error.code == .missing ? unknownField(in: read) ?? error : error
    }
}

private func unknownField<T>(in read: () throws(FieldError) -> T) -> FieldError? {
    NameReading.$isOn.withValue(true) { () -> FieldError? in
        do throws(FieldError) {
            _ = try read()
            return nil
        } catch {
            return error.code == .unknownField ? error : nil
        }
    }
}

extension JSONFields {
    /// The member, which may not be absent; nil when it is and only names matter.
    mutating func requiredMember(_ name: String) throws(FieldError) -> JSONValue? {
        if let value = value(name) { return value }
        try refuseMissing(name)
        return nil
    }

    /// Refuses for want of a member. Returns only when the body is read for its names; what the
    /// caller then goes on with does not matter.
    package func refuseMissing(
        _ name: String, _ predicate: String = "is required"
    ) throws(FieldError) {
        if !NameReading.isOn { throw error(.missing, name, predicate) }
    }
}
