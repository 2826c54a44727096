// How long a connection may keep the server waiting, as a state machine without sockets.
//
// A connection on which nothing moves is closed by the server library's idle timeout; one that
// sends or takes a byte now and then would live for ever and hold its share of the server. So each
// step has a time in which all of it must be done:
//
//   the first head    from the opening of the connection
//   the next head     from the end of the answer before
//   a body            from the end of its head
//   a piece of an answer, taken by the client, from when it was given to the socket
//
// While a request is being answered the client may wait as long as it likes.

struct ConnectionWatch: Sendable, Equatable {
    /// Nanoseconds.
    struct Limits: Sendable, Equatable {
        var head: Int64
        var idle: Int64
        var body: Int64
        var write: Int64

        init(headSeconds: Int, idleSeconds: Int, bodySeconds: Int, writeSeconds: Int) {
            head = Int64(headSeconds) * 1_000_000_000
            idle = Int64(idleSeconds) * 1_000_000_000
            body = Int64(bodySeconds) * 1_000_000_000
            write = Int64(writeSeconds) * 1_000_000_000
        }
    }

    enum Fault: Int, Sendable, Equatable, CaseIterable {
        case head, idle, body, write

        var name: String { "\(self)" }
    }

    let limits: Limits
    /// Heads read and answers ended: equal when nothing is being answered.
    private var requests = 0
    private var answers = 0
    /// When the wait for a head, or for the rest of a body, began.
    private var since: Int64
    private var isInBody = false
    private var piecesUnderWay = 0
    /// When the oldest piece that the client has not taken was given, or the last one was taken.
    private var pieceSince: Int64 = 0

    init(_ limits: Limits, now: Int64) {
        self.limits = limits
        since = now
    }

    mutating func readHead(now: Int64) {
        requests += 1
        isInBody = true
        since = now
    }

    /// Whether the request that is being read is the only one without its answer.
    var isAlone: Bool { requests == answers + 1 }

    mutating func readEnd(now: Int64) {
        isInBody = false
        since = now
    }

    mutating func wroteEnd(now: Int64) {
        answers += 1
        if !isInBody { since = now }
    }

    mutating func gavePiece(now: Int64) {
        if piecesUnderWay == 0 { pieceSince = now }
        piecesUnderWay += 1
    }

    mutating func clientTookPiece(now: Int64) {
        piecesUnderWay -= 1
        pieceSince = now
    }

    /// What the client has failed to do in time; nil: nothing.
    func fault(now: Int64) -> Fault? {
        if piecesUnderWay > 0, now - pieceSince >= limits.write { return .write }
        if isInBody { return now - since >= limits.body ? .body : nil }
        guard requests == answers else { return nil }
        if requests == 0 { return now - since >= limits.head ? .head : nil }
        return now - since >= limits.idle ? .idle : nil
    }

    /// How often to look: often enough that no limit is passed by more than half of it, or five
    /// seconds.
    var tick: Int64 {
        let shortest = min(limits.head, limits.idle, limits.body, limits.write)
        return min(max(shortest / 2, 50_000_000), 5_000_000_000)
    }
}
