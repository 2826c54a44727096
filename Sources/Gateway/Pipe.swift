// Hands pieces from the task that reads an upstream to the task that writes to a client, and lets
// neither run ahead of the other by more than a few pieces: the reader waits while the client is
// slow, and learns when the client has gone. One task at each end.

import NIOCore
import Synchronization

final class Pipe: Sendable {
    enum Piece: Sendable {
        /// The head of the answer; comes first.
        case head(AnswerHead)
        case bytes(ByteBuffer)
        /// Nothing more comes: the answer is whole.
        case end
        /// Nothing more comes, and something is missing: the client must be able to tell.
        case broken
    }

    private typealias Reader = CheckedContinuation<[Piece], Never>
    private typealias Writer = CheckedContinuation<Bool, Never>

    private struct State {
        var pieces: [Piece] = []
        var bytes = 0
        var reader: Reader?
        var writer: Writer?
        var isTakerGone = false
    }

    private let state = Mutex(State())
    /// Bytes that may wait to be taken; one piece may always.
    private let bytesMax: Int

    init(bytesMax: Int = 16 << 10) { self.bytesMax = bytesMax }

    /// Hands a piece over, when there is room for it. False: nobody takes it any longer.
    func give(_ piece: Piece) async -> Bool {
        let next = state.withLock { state -> (Reader?, Bool?) in
            if state.isTakerGone { return (nil, false) }
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.pieces.append(piece)
            if case .bytes(let buffer) = piece { state.bytes += buffer.readableBytes }
            return (nil, state.bytes < bytesMax ? true : nil)
        }
        next.0?.resume(returning: [piece])
        if let isTaken = next.1 { return isTaken }
        return await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if state.isTakerGone { return false }
                if state.bytes < bytesMax { return true }
                precondition(state.writer == nil, "one task gives")
                state.writer = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// All pieces that wait, at least one. To be called by one task, and not after `.end`.
    func take() async -> [Piece] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (pieces, writer) = taken(or: continuation)
                writer?.resume(returning: true)
                if !pieces.isEmpty { continuation.resume(returning: pieces) }
            }
        } onCancel: {
            leave()
        }
    }

    /// What waits; none: the reader is asked to wait.
    private func taken(or reader: Reader) -> ([Piece], Writer?) {
        state.withLock { state in
            if state.isTakerGone { return ([.broken], nil) }
            if state.pieces.isEmpty {
                precondition(state.reader == nil, "one task takes")
                state.reader = reader
                return ([], nil)
            }
            defer {
                state.pieces = []
                state.bytes = 0
                state.writer = nil
            }
            return (state.pieces, state.writer)
        }
    }

    /// Whether somebody waits for room.
    var isFull: Bool { state.withLock { $0.writer != nil } }

    /// Whoever takes has gone.
    func leave() {
        let (reader, writer) = state.withLock { state in
            defer { state = State(isTakerGone: true) }
            return (state.reader, state.writer)
        }
        reader?.resume(returning: [.broken])
        writer?.resume(returning: false)
    }
}

/// Status and headers of an answer.
struct AnswerHead: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    /// Nil: it is not known, and the answer comes in chunks.
    var length: Int?
}
