// The log as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
//
//   retry: 2000                           first of all: milliseconds before a client comes back
//
//   id: 1234                              an event: its number, for Last-Event-ID,
//   event: usage.settled                  its type,
//   data: {"customer":"acme",…}           and its bytes as they are on the log, which are one line
//
//   : heartbeat                           a comment, when nothing else was sent for a while
//
// Nothing is queued for a stream. It reads a bounded run of the log, hands it over, and reads on
// when that is taken: what is committed meanwhile waits on the log.

import Billing
import EventLog

package struct EventStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    let store: any EventStore
    let reader: ReaderThread
    let filter: LogFilter
    /// Number of the last event that is not wanted any more.
    let after: UInt64
    /// Events that one read looks at, at most.
    let scanMax: Int
    let heartbeat: Duration
    let ticket: EventStreams.Ticket
    /// Whether whoever asked may still see the log.
    let isAllowed: @Sendable () -> Bool

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    package struct Iterator: AsyncIteratorProtocol {
        private let stream: EventStream
        private var wakes: AsyncStream<Void>.AsyncIterator
        private var position: UInt64
        private var hasBegun = false
        private var sentAt = ContinuousClock.now
        private var lookedAt: ContinuousClock.Instant?

        /// Commits come by the thousand in a second, a look costs a hop to another thread: no more
        /// than one in this time, once the stream has caught up.
        private static let pause = Duration.milliseconds(10)

        fileprivate init(_ stream: EventStream) {
            self.stream = stream
            wakes = stream.ticket.wakes.makeAsyncIterator()
            position = stream.after
        }

        /// The next piece to be sent; nil at the end.
        @concurrent
        package mutating func next() async -> [UInt8]? {
            if !hasBegun {
                hasBegun = true
                return send(Array("retry: 2000\n\n".utf8))
            }
            while !Task.isCancelled, !stream.ticket.isOver, stream.isAllowed() {
                if stream.store.head.sequence > position {
                    await rest()
                    guard let run = await look() else { return nil }
                    position = run.next
                    if !run.bytes.isEmpty { return send(run.bytes) }
                    if isSilent { return heartbeat() }
                    if run.hasMore { continue }
                }
                if isSilent { return heartbeat() }
                guard await wakes.next() != nil else { return nil }
            }
            return nil
        }

        private var isSilent: Bool { sentAt.duration(to: .now) >= stream.heartbeat }

        private mutating func heartbeat() -> [UInt8] { send(Array(": heartbeat\n\n".utf8)) }

        private mutating func send(_ bytes: [UInt8]) -> [UInt8] {
            sentAt = .now
            return bytes
        }

        private mutating func rest() async {
            let now = ContinuousClock.now
            if let lookedAt, lookedAt.duration(to: now) < Self.pause {
                try? await Task.sleep(for: Self.pause - lookedAt.duration(to: now))
            }
            lookedAt = .now
        }

        /// Nil: the log cannot be read.
        private func look() async -> EventRun? {
            let (stream, position) = (stream, position)
            do throws(APIError) {
                return try await stream.reader.run { () throws(APIError) in
                    try EventRun(
                        stream.store, after: position, scanMax: stream.scanMax,
                        filter: stream.filter)
                }
            } catch {
                // So many others want to read that there is no place to wait: later, then.
                if error.code == APIError.overloaded.code {
                    return EventRun(next: position, hasMore: true)
                }
                return nil
            }
        }
    }
}

/// A bounded run of the log, as a stream sends it.
struct EventRun: Sendable {
    var bytes: [UInt8] = []
    /// Number of the last event looked at.
    var next: UInt64
    var hasMore = false

    private static let sentBytesMax = 256 << 10
    private static let readBytesMax = 1 << 20

    init(next: UInt64, hasMore: Bool) {
        self.next = next
        self.hasMore = hasMore
    }

    init(
        _ store: any EventStore, after: UInt64, scanMax: Int, filter: LogFilter
    ) throws(APIError) {
        next = after
        let head = store.head.sequence
        var looked = 0
        while next < head, looked < scanMax, bytes.count < Self.sentBytesMax {
            let page = try LogPage.read(
                store, after: next, limit: min(512, scanMax - looked), maxBytes: Self.readBytesMax)
            for stored in page where stored.sequence <= head && bytes.count < Self.sentBytesMax {
                next = stored.sequence
                looked += 1
                let envelope = try LogPage.envelope(of: stored)
                if filter.lets(envelope) { append(stored, envelope.type) }
            }
        }
        hasMore = next < head
    }

    private mutating func append(_ stored: StoredEvent, _ type: String) {
        bytes.append(contentsOf: "id: \(stored.sequence)\nevent: \(type)\ndata: ".utf8)
        bytes.append(contentsOf: stored.bytes)
        bytes.append(contentsOf: [UInt8(ascii: "\n"), UInt8(ascii: "\n")])
    }
}
