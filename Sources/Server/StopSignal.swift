import ServiceLifecycle

/// Stops a server from inside the process, as a signal does from outside: what is under way is
/// finished first.
package final class StopSignal: Service {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    package init() { (stream, continuation) = AsyncStream.makeStream() }

    /// Asks the server to stop; it may not have started yet.
    package func stop() { continuation.finish() }

    /// Ends when the server is to stop, for whichever reason.
    package func run() async throws {
        for await _ in stream.cancelOnGracefulShutdown() {}
    }
}
