// The life of one call: reserve → wait as long as the model would take → what its fate says.
//
// A refusal for full holds whose Retry-After is at most `longestRetryPause` seconds is tried again
// once, under another id, because a refused id gets its refusal for ever. The wait is compressed as
// everything is that callers do: the holds in the way end in compressed time too.

import CanonicalJSON

struct CallPlayer: Sendable {
    static let longestRetryPause: Int64 = 10
    /// How long after its expiry a hold is settled, when it is to be late.
    static let lateness = Duration.milliseconds(500)

    let client: LedgerClient
    let recorder: Recorder
    let project: String
    let speed: Int64

    /// Plays `call` to its end. Whatever goes wrong is recorded, not thrown.
    ///
    /// - Parameter run: run it belongs to.
    func play(_ call: PlannedCall, customer: String, run: String?) async {
        recorder.record { $0.begin(call) }
        do {
            var id = "call-\(call.line)"
            for isLastTry in [false, true] {
                let body = reserveBody(call, id: id, customer: customer, run: run)
                let answer = try await reserve(body, isRepeated: call.fate == .repeated)
                if answer.status == 201 {
                    let reserved = try ReservedAnswer(answer.body)
                    recorder.record { $0.reserved(call, reserved, answer) }
                    return try await resolve(call, id: id, reserved)
                }
                guard answer.status == 402 || answer.status == 429 else {
                    return recorder.record { $0.failed("reserve: \(answer.errorText)") }
                }
                let refused = try RefusedAnswer(answer.body)
                let pause = isLastTry ? nil : retryPause(answer)
                recorder.record { $0.refused(call, refused, answer, isRetried: pause != nil) }
                guard let pause else { return }
                try await Task.sleep(for: pause)
                id += "-again"
            }
        } catch let error as SandboxError {
            let isUnanswered = if case .unreachable = error { true } else { false }
            recorder.record { $0.failed(error.description, isUnanswered: isUnanswered) }
        } catch is CancellationError {
            recorder.record { $0.failed("cancelled") }
        } catch {
            recorder.record { $0.failed("an answer that is not in the contract: \(error)") }
        }
    }

    private func retryPause(_ answer: LedgerAnswer) -> Duration? {
        guard answer.status == 429, let seconds = answer.retryAfterSeconds,
            (0...Self.longestRetryPause).contains(seconds)
        else { return nil }
        return .microseconds(seconds * 1_000_000 / speed)
    }

    // MARK: Reserve

    private func reserveBody(
        _ call: PlannedCall, id: String, customer: String, run: String?
    ) -> JSONValue {
        var body = JSONObject([
            ("id", .string(id)), ("project", .string(project)), ("customer", .string(customer)),
            ("model", .string(call.model)),
            (
                "usage_estimate",
                .object(
                    JSONObject([
                        ("input_tokens", .integer(call.contextTokens)),
                        ("max_output_tokens", .integer(call.maxOutputTokens)),
                        ("expected_output_tokens", .integer(call.expectedOutputTokens)),
                    ]))
            ),
            ("ttl_seconds", .integer(call.fate.holdSeconds)),
            ("on_expiry", .string(call.fate == .dispatched ? "charge" : "release")),
        ])
        if let run { body.append("run", .string(run)) }
        return .object(body)
    }

    private func reserve(_ body: JSONValue, isRepeated: Bool) async throws -> LedgerAnswer {
        let request = LedgerRequest(method: .post, path: "/v1/reservations", body: body)
        return try await send(request, isRepeated: isRepeated)
    }

    /// Sends, and where the answer is taken to have got lost once more: it must be the same.
    private func send(_ request: LedgerRequest, isRepeated: Bool) async throws -> LedgerAnswer {
        let answer = try await client.send(request)
        guard isRepeated else { return answer }
        let again = try await client.send(request)
        recorder.record { tally in
            if again.status == answer.status, again.body == answer.body, again.isReplay {
                tally.replayed += 1
            } else {
                tally.failed("a repeated request got another answer: \(again.errorText)")
            }
        }
        return answer
    }

    // MARK: Resolve

    private func resolve(_ call: PlannedCall, id: String, _ reserved: ReservedAnswer) async throws {
        let clock = ContinuousClock()
        let expiry = clock.now + .seconds(call.fate.holdSeconds)
        let output = min(call.generatedTokens, reserved.maxOutputTokens)
        switch call.fate {
        case .settled, .repeated, .unlisted:
            try await clock.sleep(for: duration(of: call))
            try await settle(call, id: id, outputTokens: output)
        case .late:
            try await clock.sleep(until: expiry + Self.lateness)
            try await settle(call, id: id, outputTokens: output)
        case .released:
            // A failure shows sooner than an answer.
            try await clock.sleep(for: duration(of: call) / 4)
            try await release(call, id: id)
        case .abandoned:
            recorder.record { $0.leftToExpire(call, at: expiry, provisional: nil) }
        case .dispatched:
            recorder.record { $0.leftToExpire(call, at: expiry, provisional: reserved.expected) }
        }
    }

    private func duration(of call: PlannedCall) -> Duration {
        .microseconds(call.durationMicroseconds / speed)
    }

    private func settle(_ call: PlannedCall, id: String, outputTokens: Int64) async throws {
        let usage = JSONObject([
            ("input_tokens", .integer(call.contextTokens)),
            ("output_tokens", .integer(outputTokens)),
        ])
        let request = LedgerRequest(
            method: .post, path: "/v1/reservations/\(id)/settle",
            body: .object(
                JSONObject([("project", .string(project)), ("usage", .object(usage))])))
        let answer = try await send(request, isRepeated: call.fate == .repeated)
        guard answer.status == 200 else {
            return recorder.record { $0.failed("settle: \(answer.errorText)") }
        }
        let settled = try SettledAnswer(answer.body, tokens: call.contextTokens + outputTokens)
        recorder.record {
            $0.settled(call, outputTokens: outputTokens, settled, answer)
        }
    }

    private func release(_ call: PlannedCall, id: String) async throws {
        let request = LedgerRequest(
            method: .post, path: "/v1/reservations/\(id)/release",
            body: .object(
                JSONObject([
                    ("project", .string(project)),
                    ("reason", .string("the provider failed before the first token")),
                ])))
        let answer = try await client.send(request)
        if answer.status == 200 {
            recorder.record { $0.released(call, answer) }
        } else {
            recorder.record { $0.failed("release: \(answer.errorText)") }
        }
    }
}
