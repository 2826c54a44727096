/// What the process ends with. Scripts rely on the numbers.
enum ExitStatus: Int32, Sendable {
    /// Done.
    case success = 0
    /// The answer is no: the server refused the request, or a check found a fault.
    case negative = 1
    /// The command line or the configuration is wrong.
    case usage = 2
    /// The call was weighed and rejected: no budget, no funds, no price. Nothing went wrong.
    case rejected = 3
    /// No server answers.
    case unreachable = 4
    /// A file, the disk or the network failed.
    case inputOutput = 5
}

/// How a command ends when it does not succeed.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    var status: ExitStatus
    /// For people, one line or a few; empty when everything has been said.
    var message: String
    /// Stable, for searching: the API's error code, or the store's.
    var code: String?

    init(_ status: ExitStatus, _ message: String, code: String? = nil) {
        self.status = status
        self.message = message
        self.code = code
    }

    var description: String { message + (code.map { " (\($0))" } ?? "") }
}
