// One line on a terminal that is written over as the work goes on:
//
//   Playing [##########--------------]  834/2,000   42 %   231/s   0:06 left   38 in flight

/// Draws at most ten times a second. Without a terminal it draws nothing.
struct ProgressBar {
    private let total: Int
    private let width: Int
    private let write: (@Sendable (String) -> Void)?
    private let start: ContinuousClock.Instant
    private var drawn: ContinuousClock.Instant?

    /// - Parameter write: takes text for the terminal; nil when there is none.
    init(
        total: Int, width: Int, start: ContinuousClock.Instant,
        write: (@Sendable (String) -> Void)?
    ) {
        self.total = total
        self.width = width
        self.write = write
        self.start = start
    }

    mutating func update(done: Int, inFlight: Int, now: ContinuousClock.Instant) {
        guard let write, drawn.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
        drawn = now
        write("\r" + line(done: done, inFlight: inFlight, elapsed: now - start) + "\u{1B}[K")
    }

    /// Takes the line away.
    func finish() { if drawn != nil { write?("\r\u{1B}[K") } }

    func line(done: Int, inFlight: Int, elapsed: Duration) -> String {
        let milliseconds = elapsed / .milliseconds(1)
        let rate = milliseconds > 0 ? Double(done) * 1_000 / milliseconds : 0
        var tail = "  \(NumberText.count(Int64(done)))/\(NumberText.count(Int64(total)))"
        tail += "   \(total > 0 ? done * 100 / total : 100) %   \(Int(rate.rounded()))/s"
        if rate > 0, done < total {
            let left = Double(total - done) / rate
            tail += "   \(NumberText.clock(.milliseconds(Int64(min(left, 1e9) * 1_000)))) left"
        }
        tail += "   \(inFlight) in flight"
        let room = min(max(width - 12 - tail.count, 0), 40)
        guard room >= 8 else { return String(("Playing" + tail).prefix(max(width - 1, 1))) }
        let filled = total > 0 ? room * min(done, total) / total : room
        let bar =
            String(repeating: "#", count: filled) + String(repeating: "-", count: room - filled)
        return "Playing [\(bar)]" + tail
    }
}
