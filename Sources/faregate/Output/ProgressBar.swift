// A bar on a terminal, on standard error, so that piped results stay clean:
//
//   Folding events  [##########..........]  51%  5,120 of 10,000

import Glibc
import Synchronization

final class ProgressBar: Sendable {
    private struct Drawing {
        var lastMicroseconds: Int64 = 0
        var width = 0
    }

    private let title: String
    private let console: Console
    private let drawing = Mutex(Drawing())

    /// Draws nothing unless the console's standard error is a terminal.
    init(_ title: String, console: Console = .current) {
        self.title = title
        self.console = console
    }

    /// Draws at most ten times a second, and always at the end.
    func update(_ done: UInt64, of total: UInt64) {
        guard console.isErrorTerminal, total > 0 else { return }
        let now = Self.monotonicMicroseconds()
        let line = Self.line(title, min(done, total), of: total)
        drawing.withLock { drawing in
            guard done >= total || now - drawing.lastMicroseconds >= 100_000 else { return }
            drawing.lastMicroseconds = now
            console.writeError("\r" + line + blanks(drawing.width - line.count))
            drawing.width = line.count
        }
    }

    /// Takes the bar off the screen.
    func finish() {
        drawing.withLock { drawing in
            guard drawing.width > 0 else { return }
            console.writeError("\r" + blanks(drawing.width) + "\r")
            drawing.width = 0
        }
    }

    static func line(_ title: String, _ done: UInt64, of total: UInt64) -> String {
        let cells = 20
        let filled = Int(done * UInt64(cells) / total)
        let bar =
            String(repeating: "#", count: filled) + String(repeating: ".", count: cells - filled)
        let percent = String(done * 100 / total)
        let padding = String(repeating: " ", count: 3 - percent.count)
        return "\(title)  [\(bar)]  \(padding)\(percent)%  \(grouped(done)) of \(grouped(total))"
    }

    private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// Digits in groups of three: 1,234,567.
func grouped(_ number: some BinaryInteger) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}
