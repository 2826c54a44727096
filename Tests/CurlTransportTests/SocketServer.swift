import Glibc
import Synchronization

/// A server of plain sockets: what happens on each connection is the test's to say. Sockets are
/// closed when the body returns.
final class SocketServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Atomic<Int>(0)
    var connections: Int { accepted.load(ordering: .relaxed) }

    init(_ serve: @escaping @Sendable (Connection) -> Void) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(socket, raw, length) == 0 && listen(socket, 1_024) == 0
                    && getsockname(socket, raw, &length) == 0
            }
        }
        guard bound else { throw Failure.cannotListen }
        listener = socket
        port = UInt16(bigEndian: address.sin_port)
        startThread { [listener, self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                self.accepted.add(1, ordering: .relaxed)
                startThread {
                    serve(Connection(client))
                    close(client)
                }
            }
        }
    }

    var url: String { "http://127.0.0.1:\(port)/" }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    enum Failure: Error { case cannotListen }

    struct Connection: Sendable {
        private let socket: Int32
        init(_ socket: Int32) { self.socket = socket }

        /// The next request with its body; nil: the other side has closed.
        func request() -> String? {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let text = String(decoding: bytes, as: UTF8.self)
                if let head = text.range(of: "\r\n\r\n") {
                    let length =
                        text[..<head.lowerBound].split(separator: "\r\n")
                        .first { $0.lowercased().hasPrefix("content-length:") }
                        .flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
                    if text[head.upperBound...].utf8.count >= length { return text }
                }
                let count = recv(socket, &buffer, buffer.count, 0)
                if count <= 0 { return nil }
                bytes.append(contentsOf: buffer[..<count])
            }
        }

        func send(_ text: String) {
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return }
                bytes = bytes.dropFirst(count)
            }
        }

        func answer(_ body: String, status: String = "200 OK", headers: String = "") {
            send(
                "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard bytes.count >= wanted.count else { return nil }
        for start in 0...bytes.count - wanted.count
        where bytes[start..<start + wanted.count].elementsEqual(wanted) {
            let from = utf8.index(utf8.startIndex, offsetBy: start)
            return from..<utf8.index(from, offsetBy: wanted.count)
        }
        return nil
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { raw in
            if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
