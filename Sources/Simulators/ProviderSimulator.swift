// A provider of models that is none: it speaks the dialects of OpenAI and Anthropic, writes words
// that mean nothing, counts tokens as the real ones would, and keeps books of what it served. It
// can be told to fail in every way that providers fail in.
//
// Routes, with and without `/v1`, and for Azure's path style below `/openai/deployments/{model}`:
// chat/completions, responses, responses/input_tokens, embeddings, messages, messages/count_tokens,
// models. `/_served` and `/_control` are its own.

import Hummingbird
import HummingbirdCore
import NIOCore
import ServiceLifecycle

package struct ProviderSimulator: Sendable {
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0: the system chooses.
        package var port = 0
        /// The only key it takes.
        package var key = "sim_key"
        package var seed: UInt64 = 2_026
        package var firstTokenMilliseconds = 0
        /// 0: as fast as they can be written.
        package var tokensPerSecond = 0
        /// For every request.
        package var instructions = Instructions()

        package init() {}
    }

    let configuration: Configuration
    package let books = ServedBooks()
    let source: InstructionSource
    let cache = PromptCache()
    let conversations = Conversations()

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        source = InstructionSource(standing: configuration.instructions)
    }

    /// Serves until its task is cancelled, or `stop` ends.
    ///
    /// - Parameter onReady: is given the port.
    package func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
        let application = application(onReady: onReady)
        try await ServiceGroup(
            configuration: .init(services: [application], logger: Serving.quiet)
        ).run()
    }

    /// Serves until SIGTERM or SIGINT.
    package func runUntilSignal(onReady: @escaping @Sendable (Int) -> Void) async throws {
        try await application(onReady: onReady).runService()
    }

    /// Serves while `body` runs; `body` is given the base URL, without `/v1`.
    package func serving<Value: Sendable>(
        _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value {
        let (simulator, host) = (self, configuration.host)
        return try await Serving.during(
            { simulator.application(onReady: $0) }, { try await body("http://\(host):\($0)") })
    }

    private func application(
        onReady: @escaping @Sendable (Int) -> Void
    ) -> Application<CallbackResponder<SimulatorContext>> {
        let simulator = self
        return Application(
            responder: CallbackResponder { request, context in
                try await simulator.respond(request, context)
            },
            server: .http1(configuration: .init(additionalChannelHandlers: [DisconnectWatch()])),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "faregate-simulator", backlog: 1_024),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) },
            logger: Serving.quiet)
    }

    func pace(_ orders: Instructions) -> Pace { Pace(configuration, orders) }
}
