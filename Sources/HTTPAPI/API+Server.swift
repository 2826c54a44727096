// Health, the OpenAPI file, and the clock of ledgers made for tests.

import Billing
import CanonicalJSON
import Engine
import EventLog

extension API {
    func health(_ call: APICall) async throws(APIError) -> APIResponse {
        APIResponse(status: 200, body: JSONWriter.document { json in json.member("status", "ok") })
    }

    /// A write that takes longer than this is one that hangs, nanoseconds.
    private static let stalledAfter: Int64 = 10_000_000_000

    /// Whether writes are taken, in one word; `healthy` if so.
    var readinessState: (name: String, failure: StoreError?) {
        switch engine.health {
        case .stopping: return ("stopping", nil)
        case _ where lifecycle.isDraining: return ("draining", nil)
        case .halted(let error): return ("halted", error)
        case .degraded(let error): return ("degraded", error)
        case .healthy:
            let isStalled = engine.metrics.writeNanoseconds > Self.stalledAfter
            return (isStalled ? "stalled" : "healthy", nil)
        }
    }

    /// 200 only while writes are taken.
    func readiness(_ call: APICall) async throws(APIError) -> APIResponse {
        let (state, failure) = readinessState
        let body = JSONWriter.document { json in
            json.member("queue_depth", engine.queueDepth)
            json.member("sequence", engine.store.head.sequence)
            json.member("state", state)
            json.member("store_code", ifPresent: failure?.code.rawValue)
        }
        if state == "healthy" { return APIResponse(status: 200, body: body) }
        var response = APIResponse(status: 503, headers: [("Retry-After", "1")], body: body)
        response.code = state
        return response
    }

    func openAPI(_ call: APICall) async throws(APIError) -> APIResponse {
        APIResponse(
            status: 200, contentType: "application/yaml", body: configuration.openAPI)
    }

    // MARK: Test clock

    func getTestClock(_ call: APICall) async throws(APIError) -> APIResponse {
        try requireTestClock()
        let clock = engine.clock
        let now = try await read { max(clock.now(), $0.state.time) }
        return APIResponse(
            status: 200, body: JSONWriter.document { json in json.member("now", now) })
    }

    func setTestClock(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        try requireTestClock()
        let body = try call.body()
        let step = try reading { () throws(FieldError) in try ClockStep(body) }
        let clock = engine.clock
        let reply = try await gate.passing { () throws(APIError) in
            let now = try await read { max(clock.now(), $0.state.time) }
            let to =
                switch step {
                case .to(let instant): instant
                case .advance(let seconds): now.advanced(bySeconds: seconds)
                }
            guard to < ClockStep.end else {
                throw .invalid("The test clock ends with the year 2999.", param: "now")
            }
            return try await submit(try call.write(.advanceClock(to: to), project: "", body))
        }
        guard let recorded = reply.event, case .clockAdvanced(let event) = recorded.event else {
            throw otherRequest
        }
        let answer = JSONWriter.document { json in
            json.member("event", recorded.sequence)
            json.member("now", event.to)
        }
        return replayed(APIResponse(status: 200, body: answer), reply)
    }

    private func requireTestClock() throws(APIError) {
        guard engine.store.identity.isTestClock else {
            throw APIError(
                404, .notFound, "no_test_clock", "This ledger follows the real clock.")
        }
    }
}

private enum ClockStep {
    case to(Instant)
    case advance(seconds: Int64)

    /// 3000-01-01T00:00:00Z: far enough, and a safe distance from the last instant there is.
    static let end = Instant(microseconds: 32_503_680_000_000_000)

    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        let now = try fields.optionalTime("now")
        let seconds = try fields.optionalInt("advance_seconds", in: 1...315_360_000)
        try fields.rejectUnknown()
        switch (now, seconds) {
        case (let now?, nil): self = .to(now)
        case (nil, let seconds?): self = .advance(seconds: Int64(seconds))
        case (nil, nil):
            throw fields.error(.missing, "now", "or advance_seconds is required")
        case (_?, _?):
            throw fields.error(.invalid, "advance_seconds", "and now exclude each other")
        }
    }
}
