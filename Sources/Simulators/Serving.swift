// A simulator that lives as long as what is done with it.

import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

enum Serving {
    /// Nobody reads what a simulator would log.
    static let quiet: Logger = {
        var logger = Logger(label: "faregate.simulator")
        logger.logLevel = .critical
        return logger
    }()

    /// Serves while `body` runs; `body` is given the port.
    ///
    /// - Parameter application: is given what to tell the port.
    static func during<Value: Sendable, App: ApplicationProtocol>(
        _ application: @escaping @Sendable (@escaping @Sendable (Int) -> Void) -> App,
        _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                defer { announce.finish() }
                try await ServiceGroup(
                    configuration: .init(
                        services: [application { announce.yield($0) }], logger: quiet)
                ).run()
                return nil
            }
            var result: Value?
            for await port in ports {
                do {
                    result = try await body(port)
                } catch {
                    group.cancelAll()
                    throw error
                }
                break
            }
            group.cancelAll()
            // Reached without a result only when the simulator failed: its error is thrown here.
            do { while try await group.next() != nil {} } catch { if result == nil { throw error } }
            guard let result else { throw CancellationError() }
            return result
        }
    }
}
