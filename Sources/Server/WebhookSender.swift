// Sends webhooks over the network.
//
// A URL's name is looked up here and not by the HTTP client: every address that it stands for is
// checked, and the connection goes to one that was. A name that stands for a public address when
// its endpoint is made, and for the cloud's metadata service later, gets nothing.

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Notifications
import Synchronization

final class WebhookSender: WebhookTransport {
    private let rules: TargetRules
    private let timeoutSeconds: Int64
    /// Names are looked up by a call that blocks.
    private let lookups = NIOThreadPool(numberOfThreads: 2)
    /// One for each name with the address that it was last found to stand for: connections are kept
    /// between notifications.
    private let clients = Mutex<[Place: HTTPClient]>([:])

    private struct Place: Hashable {
        var host: String
        var address: String
    }

    private static let clientsMax = 32
    /// What is read of an answer's body, so that the connection can be used again.
    private static let answerBytesMax = 16 << 10

    init(rules: TargetRules, timeoutSeconds: Int64) {
        self.rules = rules
        self.timeoutSeconds = timeoutSeconds
        lookups.start()
    }

    @concurrent
    func send(_ request: WebhookRequest) async -> AttemptOutcome {
        let target: Target
        do throws(Target.Fault) {
            target = try Target(url: request.url, rules: rules)
        } catch {
            return .failed("the URL is not allowed: it \(error.message)")
        }
        do {
            let found = try await addresses(of: target.host)
            guard let address = found.first(where: { rules.allowsPrivate || $0.isPublic }) else {
                return .failed(
                    found.isEmpty
                        ? "the host is not known"
                        : "the host is this machine or in a private network")
            }
            let client = try await client(Place(host: target.host, address: address.text))
            return try await send(request, with: client)
        } catch {
            return .failed(Self.reason(error))
        }
    }

    private func send(
        _ request: WebhookRequest, with client: HTTPClient
    ) async throws -> AttemptOutcome {
        var http = HTTPClientRequest(url: request.url)
        http.method = .POST
        for header in request.headers { http.headers.add(name: header.name, value: header.value) }
        http.body = .bytes(ByteBuffer(bytes: request.body))
        let response = try await client.execute(http, timeout: .seconds(timeoutSeconds))
        await discard(response.body)
        return .answered(
            status: Int(response.status.code),
            retryAfter: response.headers.first(name: "Retry-After"))
    }

    /// The answer is its status. A body that is too long or too slow is not waited for: a receiver
    /// that sends a byte now and then would hold one of the few places of those who send.
    private func discard(_ body: HTTPClientResponse.Body) async {
        let limit = Duration.seconds(timeoutSeconds)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var left = Self.answerBytesMax
                do {
                    for try await part in body {
                        left -= part.readableBytes
                        if left < 0 { break }
                    }
                } catch {}
            }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
        try? await lookups.shutdownGracefully()
    }

    private func client(_ place: Place) async throws -> HTTPClient {
        var evicted: HTTPClient?
        let client = clients.withLock { clients in
            if let known = clients[place] { return known }
            if clients.count >= Self.clientsMax, let victim = clients.keys.first {
                evicted = clients.removeValue(forKey: victim)
            }
            let made = makeClient(place)
            clients[place] = made
            return made
        }
        if let evicted {
            // What is under way on it ends first, or fails and is tried again.
            Task { try? await evicted.shutdown() }
        }
        return client
    }

    private func makeClient(_ place: Place) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.dnsOverride = [place.host: place.address]
        configuration.timeout = .init(
            connect: .seconds(min(timeoutSeconds, 10)), read: .seconds(timeoutSeconds))
        configuration.connectionPool.idleTimeout = .seconds(30)
        // A retry of the client's own would not be in the list of attempts.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    // MARK: Names

    private func addresses(of host: String) async throws -> [Address] {
        if let address = Address(host) { return [address] }
        return try await lookups.runIfActive { Self.lookUp(host) }
    }

    private static func lookUp(_ host: String) -> [Address] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        var addresses: [Address] = []
        var next = found
        while let info = next {
            next = info.pointee.ai_next
            guard let raw = info.pointee.ai_addr else { continue }
            switch info.pointee.ai_family {
            case AF_INET:
                raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    let bytes = withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }
                    addresses.append(Address(bytes: bytes))
                }
            case AF_INET6:
                raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    let bytes = withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
                    addresses.append(Address(bytes: bytes))
                }
            default: break
            }
        }
        return addresses
    }

    /// Why there was no answer, without what the receiver said.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded:
                return "no answer in time"
            case .remoteConnectionClosed: return "the connection was closed without an answer"
            default: return "the connection failed (\(error.shortDescription))"
            }
        case let error as IOError:
            return error.errnoCode == ECONNREFUSED
                ? "the connection was refused"
                : "the connection failed (\(String(cString: strerror(error.errnoCode))))"
        case is NIOConnectionError: return "the connection was refused"
        default: return "the connection failed (\(type(of: error)))"
        }
    }
}
