// The transport on the system's libcurl: one thread with one multi handle. Callers put requests
// into a bounded queue and wake it; everything that touches libcurl happens on that thread. So a
// slow answer takes no thread, and connections are kept and shared.

import CCurl
import Glibc
package import StripeAPI
import Synchronization

package final class CurlTransport: StripeTransport {
    private let loop: CurlLoop

    /// - Throws: `connection` when libcurl cannot be used here.
    package init(_ settings: CurlSettings = CurlSettings()) throws(TransportError) {
        guard Self.isSetUp else {
            throw TransportError(.connection, "libcurl cannot be initialised")
        }
        guard CurlVersion.hasTLS else {
            throw TransportError(.connection, "this libcurl has no TLS")
        }
        guard let multi = curl_multi_init() else {
            throw TransportError(.connection, "libcurl has no memory")
        }
        loop = CurlLoop(multi, settings)
        try loop.start()
    }

    deinit { loop.stop() }

    /// Once in a process.
    private static let isSetUp = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    package func send(
        _ request: TransportRequest
    ) async throws(TransportError) -> TransportResponse {
        if let fault = loop.fault(of: request) { throw fault }
        let id = loop.newID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.enqueue(id, request, continuation)
            }
        } onCancel: {
            loop.cancel(id)
        }
        return try result.get()
    }

    package func shutdown() async {
        loop.stop()
        while !loop.hasEnded { try? await Task.sleep(for: .milliseconds(2)) }
    }
}

/// What callers and the thread share.
private final class CurlLoop: @unchecked Sendable {
    // Unchecked: `multi` is only used by the thread, but for `curl_multi_wakeup`, which may be
    // called from any; `active` belongs to the thread alone.
    private let multi: UnsafeMutableRawPointer
    let settings: CurlSettings
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]

    private struct Waiting {
        var queue: [Transfer] = []
        var cancelled: Set<UInt64> = []
        /// Ids that callers wait for: a cancellation of any other comes too late, or too early.
        var known: Set<UInt64> = []
        var nextID: UInt64 = 1
        var isStopping = false
        var hasEnded = false
    }
    private let waiting = Mutex(Waiting())

    init(_ multi: UnsafeMutableRawPointer, _ settings: CurlSettings) {
        self.multi = multi
        self.settings = settings
        faregate_curl_multi_set_long(
            multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHostMax)
        faregate_curl_multi_set_long(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX)
    }

    // MARK: Callers

    /// What is refused before anything is sent.
    func fault(of request: TransportRequest) -> TransportError? {
        if request.url.lowercased().hasPrefix("http://") {
            let rest = request.url.dropFirst(7)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let host =
                authority.hasPrefix("[")
                ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
            guard settings.allowsPlainLoopback, ["127.0.0.1", "localhost", "[::1]"].contains(host),
                !authority.contains("@")
            else { return TransportError(.connection, "requests go out over https only") }
        }
        for (name, value) in request.headers {
            let isPlain = (name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            if !isPlain || name.isEmpty || name.contains(":") {
                return TransportError(
                    .connection, "the value or name of a header has characters that none may have")
            }
        }
        return nil
    }

    func newID() -> UInt64 {
        waiting.withLock { waiting in
            defer { waiting.nextID += 1 }
            waiting.known.insert(waiting.nextID)
            return waiting.nextID
        }
    }

    func enqueue(
        _ id: UInt64, _ request: TransportRequest,
        _ continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>
    ) {
        let refusal: TransportError? = waiting.withLock { waiting in
            if waiting.isStopping {
                waiting.known.remove(id)
                return TransportError(.closed, "the transport was shut down")
            }
            if waiting.cancelled.remove(id) != nil {
                waiting.known.remove(id)
                return TransportError(.cancelled, "the task was cancelled")
            }
            if waiting.queue.count >= settings.queueMax {
                waiting.known.remove(id)
                return TransportError(.overloaded, "too many requests wait")
            }
            waiting.queue.append(
                Transfer(
                    id: id, request, headerBytesMax: settings.responseHeaderBytesMax, continuation))
            wake(waiting)
            return nil
        }
        if let refusal { continuation.resume(returning: .failure(refusal)) }
    }

    func cancel(_ id: UInt64) {
        waiting.withLock { waiting in
            guard waiting.known.contains(id) else { return }
            waiting.cancelled.insert(id)
            wake(waiting)
        }
    }

    /// With the lock held: the handle is there as long as the thread has not ended.
    private func wake(_ waiting: borrowing Waiting) {
        if !waiting.hasEnded { curl_multi_wakeup(multi) }
    }

    func stop() {
        waiting.withLock { waiting in
            waiting.isStopping = true
            wake(waiting)
        }
    }

    var hasEnded: Bool { waiting.withLock { $0.hasEnded } }

    // MARK: The thread

    func start() throws(TransportError) {
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<CurlLoop>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard status == 0 else {
            Unmanaged.passUnretained(self).release()
            curl_multi_cleanup(multi)
            waiting.withLock { $0.hasEnded = true }
            throw TransportError(.connection, "the system refuses a thread: \(status)")
        }
        pthread_detach(thread)
    }

    private func run() {
        nameThread()
        var running: Int32 = 0
        while let (fresh, cancelled) = next() {
            for transfer in fresh { begin(transfer) }
            for id in cancelled { breakOff(id) }
            curl_multi_perform(multi, &running)
            var handle: UnsafeMutableRawPointer?
            var code = CURLE_OK
            while faregate_curl_next_done(multi, &handle, &code) != 0 {
                if let handle, let transfer = active.removeValue(forKey: handle) {
                    finish(transfer, handle, transfer.outcome(code))
                }
            }
            let hasMore = waiting.withLock { !$0.queue.isEmpty }
            if !(hasMore && active.count < settings.concurrentMax) {
                curl_multi_poll(multi, nil, 0, 60_000, nil)
            }
        }
        end()
    }

    /// Requests whose turn it is, and ids of those that nobody waits for; nil at the end.
    private func next() -> (fresh: [Transfer], cancelled: Set<UInt64>)? {
        waiting.withLock { waiting in
            if waiting.isStopping { return nil }
            let room = min(settings.concurrentMax - active.count, waiting.queue.count)
            let fresh = Array(waiting.queue.prefix(max(room, 0)))
            waiting.queue.removeFirst(fresh.count)
            if waiting.cancelled.isEmpty { return (fresh, []) }
            // Those that are not here yet are looked at when they come.
            let here = Set(fresh.map(\.id)).union(waiting.queue.map(\.id))
                .union(active.values.map(\.id))
            let cancelled = waiting.cancelled.intersection(here)
            waiting.cancelled.subtract(cancelled)
            return (fresh, cancelled)
        }
    }

    private func begin(_ transfer: Transfer) {
        guard let handle = transfer.begin(settings),
            curl_multi_add_handle(multi, handle) == CURLM_OK
        else {
            finish(
                transfer, nil,
                .failure(TransportError(.connection, "libcurl refuses the request")))
            return
        }
        active[handle] = transfer
    }

    private func breakOff(_ id: UInt64) {
        let failure = TransportError(.cancelled, "the task was cancelled")
        if let (handle, transfer) = active.first(where: { $0.value.id == id }) {
            active[handle] = nil
            finish(transfer, handle, .failure(failure))
            return
        }
        let transfer = waiting.withLock { waiting -> Transfer? in
            guard let place = waiting.queue.firstIndex(where: { $0.id == id }) else { return nil }
            return waiting.queue.remove(at: place)
        }
        if let transfer { finish(transfer, nil, .failure(failure)) }
    }

    private func finish(
        _ transfer: Transfer, _ handle: UnsafeMutableRawPointer?,
        _ outcome: Result<TransportResponse, TransportError>
    ) {
        if let handle { curl_multi_remove_handle(multi, handle) }
        transfer.end()
        waiting.withLock { waiting in
            waiting.known.remove(transfer.id)
            waiting.cancelled.remove(transfer.id)
        }
        transfer.continuation.resume(returning: outcome)
    }

    private func end() {
        let failure = TransportError(.closed, "the transport was shut down")
        for (handle, transfer) in active { finish(transfer, handle, .failure(failure)) }
        active = [:]
        let queue = waiting.withLock { waiting in
            defer { waiting.queue = [] }
            return waiting.queue
        }
        for transfer in queue { finish(transfer, nil, .failure(failure)) }
        // After this nobody wakes the handle any more, and it can go.
        waiting.withLock { $0.hasEnded = true }
        curl_multi_cleanup(multi)
    }

    private func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "fg-curl", 7)
        close(file)
    }
}
