/// Why a field of a body is not acceptable. `param` names it as the sender knows it, and `message`
/// is a whole sentence that names it too; both hold names from the body, never its values.
package struct FieldError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case missing
        case wrongType = "wrong_type"
        /// A number, length or count outside its bounds.
        case outOfRange = "out_of_range"
        case unknownField = "unknown_field"
        /// Right type, but not a value the field can have.
        case invalid
    }

    package var code: Code
    /// Full path: `budgets[2].amount`. Empty for the body itself.
    package var param: String
    package var message: String

    package init(_ code: Code, param: String, message: String) {
        self.code = code
        self.param = param
        self.message = message
    }

    package var description: String { message }
}
