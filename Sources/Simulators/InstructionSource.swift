// Where instructions come from. Later ones win:
//
// 1. what the simulator was started with, for every request;
// 2. at random: a share of the requests gets one of several lines (`POST /_control`);
// 3. the queue: the next requests get these lines, one each (`POST /_control`);
// 4. the header `x-simulate` of the request;
// 5. the model's name after a `+`: `gpt-4o+cut_after=3`;
// 6. the prompt: `[[cut_after=3]]` in the last message. This one passes through any proxy.

import Synchronization

final class InstructionSource: Sendable {
    static let header = "x-simulate"

    struct Random: Sendable {
        /// Of a hundred requests, so many get one of the lines.
        var percent: Int
        var lines: [Instructions]
        var generator: SplitMix
    }

    private struct State {
        var standing: Instructions
        var random: Random?
        var queue: [Instructions] = []
    }

    private let state: Mutex<State>

    init(standing: Instructions) { state = Mutex(State(standing: standing)) }

    func set(standing: Instructions) { state.withLock { $0.standing = standing } }
    func set(random: Random?) { state.withLock { $0.random = random } }
    func enqueue(_ lines: [Instructions]) { state.withLock { $0.queue += lines } }

    func clear() {
        state.withLock { state in
            state.random = nil
            state.queue = []
        }
    }

    /// For one request to a model.
    func instructions(
        header: String?, modelSuffix: String?, prompt: String
    ) throws(InstructionError) -> Instructions {
        var result = state.withLock { state in
            var result = state.standing
            if state.random != nil, let line = state.random?.draw() {
                result = result.overridden(by: line)
            }
            if !state.queue.isEmpty {
                result = result.overridden(by: state.queue.removeFirst())
            }
            return result
        }
        for text in [header, modelSuffix, Self.line(in: prompt)] {
            if let text { result = result.overridden(by: try Instructions(text)) }
        }
        return result
    }

    /// What stands between the last `[[` and the `]]` after it. Text that is no instruction is a
    /// prompt like any other.
    static func line(in prompt: String) -> String? {
        let bytes = Array(prompt.utf8.suffix(4_096))
        let (open, close) = (UInt8(ascii: "["), UInt8(ascii: "]"))
        guard bytes.count >= 4 else { return nil }
        for start in stride(from: bytes.count - 2, through: 0, by: -1)
        where bytes[start] == open && bytes[start + 1] == open {
            let rest = bytes[(start + 2)...]
            for end in rest.indices.dropLast() where rest[end] == close && rest[end + 1] == close {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                return (try? Instructions(line)) == nil ? nil : line
            }
            return nil
        }
        return nil
    }
}

extension InstructionSource.Random {
    fileprivate mutating func draw() -> Instructions? {
        guard !lines.isEmpty, generator.next() % 100 < UInt64(percent) else { return nil }
        return lines[Int(generator.next() % UInt64(lines.count))]
    }
}

/// SplitMix64: the same numbers from the same seed, everywhere.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
