/// What `faregate sandbox` is asked to do.
package struct SandboxOptions: Sendable {
    /// Of the server: "http://127.0.0.1:8080".
    package var baseURL: String
    /// Secret of a key with the role `admin` in all projects.
    package var adminKey: String
    package var trace: TraceOrigin
    /// So many seconds of the trace pass in one. 48 plays the sample's seven minutes in nine
    /// seconds.
    package var speed: Int64
    /// Most calls under way at a time, from reserve to settle; a call beyond them waits.
    package var concurrency: Int
    /// Most connections to the server.
    package var connections: Int
    /// Decides who makes which call.
    package var seed: UInt64
    /// Columns of the terminal.
    package var width: Int
    /// What the provider behind the server's gateway has served so far; nil: there is no gateway to
    /// show.
    package var served: (@Sendable () -> [ServedCall])?
    /// Called when everything is prepared, before the trace plays.
    package var onStage: (@Sendable (SandboxStage) async throws -> Void)?
    /// Takes the progress bar's text, control characters included; nil when there is no terminal.
    package var progress: (@Sendable (String) -> Void)?

    package init(
        baseURL: String, adminKey: String, trace: TraceOrigin = .sample, speed: Int64 = 48,
        concurrency: Int = 256, connections: Int = 32, seed: UInt64 = 2_023, width: Int = 80,
        progress: (@Sendable (String) -> Void)? = nil
    ) {
        self.baseURL = baseURL
        self.adminKey = adminKey
        self.trace = trace
        self.speed = speed
        self.concurrency = concurrency
        self.connections = connections
        self.seed = seed
        self.width = width
        self.progress = progress
    }

    /// - Throws: `.option` naming the first that cannot be.
    func check() throws(SandboxError) {
        if !(baseURL.hasPrefix("http://") || baseURL.hasPrefix("https://")) {
            throw .option("the server's URL must begin with http:// or https://")
        }
        if !(1...1_000_000).contains(speed) { throw .option("speed must be 1 to 1,000,000") }
        if !(1...10_000).contains(concurrency) { throw .option("concurrency must be 1 to 10,000") }
        if !(1...1_000).contains(connections) { throw .option("connections must be 1 to 1,000") }
    }
}

/// Who is there to play.
package struct SandboxStage: Sendable {
    package var project: String
    /// Those who are billed for their usage afterwards.
    package var postpaidCustomers: [String]
}

/// Why the sandbox did not play, or stopped.
package enum SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    case option(String)
    case trace(TraceError)
    /// The server did not answer, for all the retries.
    case unreachable(String)
    /// The server refused something that the sandbox needs; or gave an answer that is none.
    case server(String)

    package var description: String {
        switch self {
        case .option(let text): text
        case .trace(let error): error.description
        case .unreachable(let text): "the server does not answer: \(text)"
        case .server(let text): text
        }
    }
}
