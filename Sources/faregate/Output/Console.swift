import Glibc
import Server

/// Where a command writes to and what it is told by its surroundings. Commands take it from
/// `Console.current`, so that tests run them in the test's own process.
struct Console: Sendable {
    var writeOut: @Sendable (String) -> Void
    var writeError: @Sendable (String) -> Void
    /// Whether a person is looking at standard error: progress is shown only then.
    var isErrorTerminal: Bool
    var isOutTerminal: Bool
    /// Columns of the terminal, or of a page.
    var width: Int
    var environment: [String: String]

    @TaskLocal static var current = Console.standard

    /// A variable's value; nil when it is not set, or empty.
    func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// One or more lines of result.
    func out(_ text: String) { writeOut(text + "\n") }

    /// A line for people beside the result.
    func note(_ text: String) { writeError(text + "\n") }

    static let standard = Console(
        writeOut: { write($0, to: STDOUT_FILENO) },
        writeError: { write($0, to: STDERR_FILENO) },
        isErrorTerminal: isatty(STDERR_FILENO) == 1,
        isOutTerminal: isatty(STDOUT_FILENO) == 1,
        width: terminalWidth(),
        environment: processEnvironment())

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(
                    descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count > 0 {
                    written += count
                } else if count == 0 || errno != EINTR {
                    // A closed pipe (`| head`) ends the output, not the command.
                    return
                }
            }
        }
    }

    private static func terminalWidth() -> Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else {
            return 100
        }
        return Int(size.ws_col)
    }

    /// The variables of this process. Read from /proc: C's `environ` is a global that any thread
    /// may change, and nothing here ever does.
    private static func processEnvironment() -> [String: String] {
        guard let bytes = try? WholeFile.read("/proc/self/environ") else { return [:] }
        var environment: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            environment[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return environment
    }
}
