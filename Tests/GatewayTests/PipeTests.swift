import NIOCore
import Testing

@testable import Gateway

/// The hand-over between the reader of an upstream and the writer to a client.
@Suite struct PipeTests {
    private func piece(_ count: Int) -> Pipe.Piece {
        .bytes(ByteBuffer(repeating: 1, count: count))
    }

    private func size(_ pieces: [Pipe.Piece]) -> Int {
        pieces.reduce(0) { sum, piece in
            if case .bytes(let buffer) = piece { sum + buffer.readableBytes } else { sum }
        }
    }

    // Every byte comes out once and in order, whichever side is faster.
    @Test func order() async {
        let pipe = Pipe(bytesMax: 100)
        let total = 2_000
        let giver = Task {
            for number in 0..<total {
                var buffer = ByteBuffer()
                buffer.writeInteger(number)
                guard await pipe.give(.bytes(buffer)) else { return false }
            }
            return await pipe.give(.end)
        }
        var next = 0
        var isOver = false
        while !isOver {
            for piece in await pipe.take() {
                switch piece {
                case .bytes(var buffer):
                    #expect(buffer.readInteger(as: Int.self) == next)
                    next += 1
                case .end: isOver = true
                default: Issue.record("no such piece was given")
                }
            }
        }
        #expect(next == total)
        #expect(await giver.value)
    }

    // Whoever gives waits when there is too much, and goes on when it is taken.
    @Test func backPressure() async {
        let pipe = Pipe(bytesMax: 10)
        #expect(await pipe.give(piece(9)))
        let isTaken = Flag()
        let blocked = Task {
            let answer = await pipe.give(piece(50))
            isTaken.raise()
            return answer
        }
        try? await Task.sleep(for: .milliseconds(30))
        #expect(!isTaken.isRaised)
        #expect(size(await pipe.take()) == 59)
        #expect(await blocked.value)
    }

    // When the taker has gone, whoever gives or waits to give is told.
    @Test func takerGone() async {
        let pipe = Pipe(bytesMax: 10)
        #expect(await pipe.give(piece(9)))
        let blocked = Task { await pipe.give(piece(9)) }
        try? await Task.sleep(for: .milliseconds(20))
        pipe.leave()
        #expect(await blocked.value == false)
        #expect(await pipe.give(piece(1)) == false)
        guard case .broken? = await pipe.take().first else {
            Issue.record("there is nothing to take any more")
            return
        }
    }

    // A taker that is cancelled while it waits does not wait for ever.
    @Test func cancelledTaker() async {
        let pipe = Pipe()
        let taker = Task { await pipe.take().count }
        try? await Task.sleep(for: .milliseconds(20))
        taker.cancel()
        #expect(await taker.value == 1)
        #expect(await pipe.give(piece(1)) == false)
    }
}
