// `faregate sandbox`: plays a trace of real LLM traffic against a running server, over HTTP, and
// reports what happened.
//
// Requests arrive when the trace says, in compressed time, and overlap as they did. The order in
// which the server sees them depends on the machine, so the refusals of two plays may differ by a
// few; who makes which call does not.

import AsyncHTTPClient

package enum Sandbox {
    /// Prepares customers and limits, plays the whole trace, and compares what it was answered with
    /// what the server has booked.
    ///
    /// - Throws: `SandboxError`, `CancellationError`. Calls that went wrong while it played are in
    /// the
    ///   report instead.
    package static func run(_ options: SandboxOptions) async throws -> SandboxReport {
        try options.check()
        let survey = try surveyed(options.trace)
        let http = LedgerClient.makeHTTPClient(options: options)
        do {
            let report = try await run(options, survey, LedgerClient(http, options: options))
            try await http.shutdown()
            return report
        } catch {
            // The first error is the one to report.
            try? await http.shutdown()
            throw error
        }
    }

    private static func surveyed(_ trace: TraceOrigin) throws(SandboxError) -> TraceSurvey {
        do throws(TraceError) {
            return try TraceSurvey(trace)
        } catch {
            throw .trace(error)
        }
    }

    private static func run(
        _ options: SandboxOptions, _ survey: TraceSurvey, _ client: LedgerClient
    ) async throws -> SandboxReport {
        let cast = Cast.standard(requests: survey.requests)
        let playTime = Duration.microseconds(survey.microseconds / options.speed)
        let stage = try await Stage.prepare(cast, client: client, playTime: playTime)
        try await options.onStage?(stage.announced)
        let recorder = Recorder(customers: cast.customers.count)
        var play = Play(
            options: options, survey: survey, stage: stage,
            player: CallPlayer(
                client: client, recorder: recorder, project: stage.project, speed: options.speed))
        let pace = try await play.run()
        let tally = recorder.current
        let books = try await Books.closed(stage, tally: tally)
        var report = SandboxReport(
            options: options, survey: survey, stage: stage, pace: pace, tally: tally, books: books)
        if let served = options.served {
            let act = GatewayAct(stage: stage, client: client, served: served)
            let (gateway, differences) = try await act.perform()
            report.gateway = gateway
            report.differences += differences
        }
        return report
    }
}
