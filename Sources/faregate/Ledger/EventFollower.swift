// Reading a stream of server-sent events, and coming back to it.
// https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6.

import AsyncHTTPClient
import HTTPAPI
import NIOCore
import NIOHTTP1

struct ServerSentEvent: Sendable, Equatable {
    /// The stream's position with this event.
    var id: String
    var type: String
    var data: String
}

/// Takes a stream apart as its bytes come.
struct ServerSentEventReader {
    /// Position with the last event that was whole.
    private(set) var lastID: String?
    /// How long to wait before coming back, milliseconds; nil: the stream did not say.
    private(set) var retryMilliseconds: Int64?
    private var line: [UInt8] = []
    private var id: String?
    private var type = ""
    private var data: [String] = []
    private var lastWasReturn = false

    /// An event of the log is far smaller; a stream of something else is not kept in memory.
    private static let lineBytesMax = 64 << 20

    init(lastID: String? = nil) { self.lastID = lastID }

    struct TooLong: Error {}

    /// The events that end in `bytes`.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            // A line ends with a line feed, a carriage return, or both in that order.
            let endsPair = byte == 0x0A && lastWasReturn
            lastWasReturn = byte == 0x0D
            if endsPair { continue }
            if byte != 0x0A && byte != 0x0D {
                guard line.count < Self.lineBytesMax else { throw TooLong() }
                line.append(byte)
                continue
            }
            if let event = endOfLine() { events.append(event) }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func endOfLine() -> ServerSentEvent? {
        if line.isEmpty { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.count
        var value = line[min(colon + 1, line.count)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "id": if !value.contains(0) { id = text }
        case "event": type = text
        case "data": data.append(text)
        case "retry": if let number = Int64(text), number >= 0 { retryMilliseconds = number }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            type = ""
            data = []
        }
        if let id { lastID = id }
        if data.isEmpty { return nil }
        return ServerSentEvent(
            id: lastID ?? "", type: type.isEmpty ? "message" : type,
            data: data.joined(separator: "\n"))
    }
}

extension HTTPLedgerClient {
    func follow(
        _ request: APIRequest, _ body: (ServerSentEvent) throws -> Void
    ) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        // Longer than any heartbeat: silence for so long means that the connection is dead.
        configuration.timeout = .init(
            connect: .seconds(min(timeoutSeconds, 5)), read: .seconds(max(timeoutSeconds, 90)))
        let client = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        do {
            try await follow(request, client, body)
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Only ends by an error.
    private func follow(
        _ request: APIRequest, _ client: HTTPClient, _ body: (ServerSentEvent) throws -> Void
    ) async throws {
        var reader = ServerSentEventReader()
        var hasConnected = false
        while true {
            do {
                var http = httpRequest(request)
                if let last = reader.lastID {
                    http.headers.add(name: "Last-Event-ID", value: last)
                }
                let response = try await client.execute(http, timeout: .seconds(timeoutSeconds))
                // Full or about to stop: worth coming back, once it has worked.
                let isBusy = hasConnected && response.status.code == 503
                if response.status != .ok && !isBusy { throw try await refusal(response) }
                hasConnected = hasConnected || response.status == .ok
                reader = ServerSentEventReader(lastID: reader.lastID)
                if !isBusy {
                    for try await part in response.body {
                        for event in try reader.read(part.readableBytesView) { try body(event) }
                    }
                }
            } catch let error as CommandFailure {
                throw error
            } catch {
                try Task.checkCancellation()
                if !hasConnected {
                    throw CommandFailure(.unreachable, "\(base): \(Self.reason(error))")
                }
            }
            try await Task.sleep(for: .milliseconds(reader.retryMilliseconds ?? 2_000))
        }
    }

    private func refusal(_ response: HTTPClientResponse) async throws -> CommandFailure {
        let body = try await response.body.collect(upTo: 1 << 20)
        let answer = APIResponse(
            status: Int(response.status.code), body: Array(body.readableBytesView))
        return CommandFailure(refusing: try answer.json(), answer.status)
    }
}
