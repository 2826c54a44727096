// The port through which requests to Stripe leave. It knows HTTP and nothing of Stripe: no retries,
// no keys, no meaning of an answer. What it says of a failure is what decides whether a request may
// have reached the other side.

package struct TransportRequest: Sendable, Equatable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    package var method: Method
    /// Absolute, with its query.
    package var url: String
    /// In the order in which they are sent. Values may be secrets.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Until the whole answer is there, microseconds. Connecting has a limit of its own.
    package var timeoutMicroseconds: Int64
    /// Longest body of an answer that is taken.
    package var responseBytesMax: Int

    package init(
        _ method: Method, _ url: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], timeoutMicroseconds: Int64 = 80_000_000,
        responseBytesMax: Int = 16 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMicroseconds = timeoutMicroseconds
        self.responseBytesMax = responseBytesMax
    }

    package static func == (one: TransportRequest, other: TransportRequest) -> Bool {
        one.method == other.method && one.url == other.url && one.body == other.body
            && one.timeoutMicroseconds == other.timeoutMicroseconds
            && one.responseBytesMax == other.responseBytesMax
            && one.headers.elementsEqual(other.headers, by: ==)
    }
}

package struct TransportResponse: Sendable {
    package var status: Int
    /// In the order in which they came.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of this name, whatever its case.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
}

/// Why there is no answer.
package struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// No connection: nothing of the request was sent.
        case connection
        /// Certificate or handshake: nothing of the request was sent.
        case tls
        /// The connection broke after something was sent; the request may have been carried out.
        case broken
        /// The time was up; the request may have been carried out.
        case timeout
        /// The answer is longer than is taken; the request was carried out.
        case tooLarge
        /// The caller's task was cancelled; the request may have been carried out.
        case cancelled
        /// Too many requests wait already; nothing was sent.
        case overloaded
        /// The transport was shut down; nothing was sent, or the request was broken off.
        case closed
    }

    package var kind: Kind
    /// For the log: no header, no body, no query.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// Whether the other side can have seen nothing of the request.
    package var isUnsent: Bool {
        switch kind {
        case .connection, .tls, .overloaded: true
        case .broken, .timeout, .tooLarge, .cancelled, .closed: false
        }
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}

package protocol StripeTransport: Sendable {
    /// Sends one request and waits for the whole answer. A cancelled task gets `cancelled` soon.
    func send(
        _ request: TransportRequest
    ) async throws(TransportError) -> TransportResponse

    /// Breaks off what is under way and returns when all is closed.
    func shutdown() async
}
