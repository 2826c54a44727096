// One call to an upstream: asks, relays, settles. The shell around `GatewayCall`.
//
// It runs in tasks of its own, not in the client's: a client that goes, or a handler that is
// cancelled, must not take the settlement with it. `run` is never cancelled; the task that reads
// the upstream is, when time is up. What is read goes through a `Pipe`, which keeps the reader from
// running ahead of a slow client. Here is what a call knows and how it ends; Exchange+Answers.swift
// has the answers.

import AsyncHTTPClient
import Billing
import Dialects
import Engine
import NIOCore
import NIOHTTP1
import Synchronization

final class Exchange: Sendable {
    /// What there is to do, decided before.
    struct Plan: Sendable {
        var client: UpstreamClient
        var family: ProviderFamily
        /// Nil: it costs nothing.
        var metered: Metered?
        var isStream: Bool
        /// Headers of ours that every answer has.
        var headers: [(name: String, value: String)]
    }

    struct Metered: Sendable {
        var dialect: CallDialect
        var settings: MeterSettings
        var settler: Settler
        var reserved: UsageReserved
        /// Tokens of the prompt, as it was sized.
        var inputTokens: Int64
        var attributes: [String]
        var webSearches: Int64
        var counter: OutputCounter
    }

    private struct State {
        var call: GatewayCall
        /// Nil once it has been answered: bodies are large, and streams are long.
        var request: UpstreamRequest?
        var reader: Task<Void, Never>?
        /// Under way, or done.
        var settlement: Task<Void, Never>?
        var settlesSince: Int64?
        /// Since when the call has been over, and the client takes nothing.
        var stuckSince: Int64?
        var bytes = 0
        /// Of the answer that the client is given; 0: none yet.
        var status = 0
        var outcome = CallResult.answered
        /// Of an error of ours that the client was sent.
        var code: String?
    }

    let id: Int
    let plan: Plan
    let pipe = Pipe()
    let metrics: GatewayMetrics
    let start = monotonicNanos()
    private let state: Mutex<State>
    private let settled = OneShot<Settler.Result>()
    /// Nanoseconds; longer than that an answer does not wait for its settlement.
    private let settleWait: Int64
    /// Longer than that a client that takes nothing is not waited for when time is up.
    private static let stuckWait: Int64 = 2_000_000_000

    init(
        id: Int, plan: Plan, request: UpstreamRequest, metrics: GatewayMetrics,
        settleWait: Duration
    ) {
        self.id = id
        self.settleWait = Int64(settleWait / .nanoseconds(1))
        self.plan = plan
        self.metrics = metrics
        let limits = GatewayCall.Limits(plan.client.upstream.limits, isStream: plan.isStream)
        state = Mutex(State(call: GatewayCall(limits, now: start), request: request))
    }

    var upstream: Upstream { plan.client.upstream }
    var bytesRelayed: Int { state.withLock { $0.bytes } }
    var status: Int { state.withLock { $0.status } }
    var result: CallResult { state.withLock { $0.outcome } }

    /// Looks at the call, or changes it.
    func call<T: Sendable>(_ body: (inout GatewayCall) -> T) -> T {
        state.withLock { body(&$0.call) }
    }

    func note(_ outcome: CallResult) { state.withLock { $0.outcome = outcome } }

    /// For the log: what the client was told, if it was told anything, else what became of it.
    var code: String? {
        state.withLock { state in
            switch state.outcome {
            case .answered: nil
            case .abandoned: state.outcome.rawValue
            default: state.code ?? state.outcome.rawValue
            }
        }
    }

    func tells(_ error: RefusalBody) { state.withLock { $0.code = error.code } }

    // MARK: From outside

    /// Nobody takes the answer any longer.
    func clientLeft() {
        pipe.leave()
        call { $0.clientLeft(now: monotonicNanos()) }
    }

    func stop(_ reason: GatewayCall.Stop) {
        let task = state.withLock { state in
            state.call.stops(reason)
            return state.reader
        }
        task?.cancel()
    }

    func tick(now: Int64) {
        let isFull = pipe.isFull
        let (due, reader, isLate, isStuck) = state.withLock { state in
            let isLate = state.settlesSince.map { now - $0 >= settleWait } ?? false
            let due = state.call.due(now: now)
            state.stuckSince =
                isFull && state.call.stop != nil ? state.stuckSince ?? now : nil
            let isStuck = state.stuckSince.map { now - $0 >= Self.stuckWait } ?? false
            return (due, state.reader, isLate, isStuck)
        }
        if isLate { settled.give(nil) }
        // Whoever waits for a client to take the rest of what is over would wait for ever.
        if isStuck { clientLeft() }
        switch due {
        case .nothing: break
        case .stop: reader?.cancel()
        case .renewHold:
            guard let settler = plan.metered?.settler else { return }
            let seconds = Int64(upstream.limits.holdSeconds)
            Task { await settler.renew(seconds: seconds) }
        }
    }

    // MARK: The call

    /// All of it, up to the settlement. Not to be run in a task that may be cancelled.
    func run() async {
        let reader = Task { await exchange() }
        let isStopped = state.withLock { state in
            state.reader = reader
            return state.call.stop != nil
        }
        if isStopped { reader.cancel() }
        await reader.value
        await state.withLock { $0.settlement }?.value
    }

    private func exchange() async {
        guard let response = await ask() else { return }
        let isGood = (200..<300).contains(Int(response.status.code))
        // A 403 may be about the request (moderation, a model that the account has not).
        if response.status.code == 401 { return await refuseKey() }
        guard let metered = plan.metered else { return await passThrough(response) }
        guard isGood else {
            note(.declined)
            _ = await settle(nil, nil)
            return await passThrough(response)
        }
        let headers = response.headers.map { (name: $0.name, value: $0.value) }
        if !HeaderPolicy.isReadable(headers) {
            await refuseUnreadable()
        } else if HeaderPolicy.isEventStream(headers) {
            await relayStream(response, metered)
        } else {
            await answerWhole(response, metered)
        }
    }

    /// Nil: there is no answer, and the client was told so.
    private func ask() async -> HTTPClientResponse? {
        while let request = state.withLock({ $0.request }) {
            call { $0.sends(now: monotonicNanos()) }
            do {
                let response = try await plan.client.ask(request)
                state.withLock { state in
                    state.call.answered(status: Int(response.status.code))
                    state.request = nil
                }
                return response
            } catch {
                if UpstreamClient.isConnectFailure(error) {
                    if call({ $0.failedToConnect() }) { continue }
                } else {
                    if error as? HTTPClientError == .deadlineExceeded { call { $0.stops(.total) } }
                    call { $0.failedToAnswer() }
                }
                _ = await settle(nil, nil)
                await fail()
                return nil
            }
        }
        return nil
    }

    // MARK: Settling

    /// Begins to settle the call, once, and waits for it a little. Nil: it is free, it goes on, or
    /// it had been settled.
    func settle(_ reading: CallReading?, _ passed: PassedSizes?) async -> Settler.Result? {
        guard let metered = plan.metered else { return nil }
        let isFirst = state.withLock { state in
            guard state.settlement == nil else { return false }
            let settlement = Settlement(
                state.call.ending, reading,
                passed
                    ?? PassedSizes(
                        inputTokens: metered.inputTokens, outputTokens: 0,
                        attributes: metered.attributes, webSearches: metered.webSearches))
            state.settlesSince = monotonicNanos()
            let report = reading?.report
            state.settlement = Task { await carryOut(settlement, metered.settler, report) }
            return true
        }
        return isFirst ? await settled.wait() : nil
    }

    private func carryOut(
        _ settlement: Settlement, _ settler: Settler, _ report: UsageReport?
    ) async {
        let upstream = upstream
        let result = await settler.carryOut(settlement) { upstream.priceName(of: $0) }
        metrics.settled(upstream.name, settlement, result)
        if let report {
            metrics.reported(upstream.name, report, cost: result.settlement?.rated.cost)
        }
        settled.give(result)
    }

    // MARK: Relaying

    /// Hands a piece to whoever writes to the client. What nobody takes is dropped.
    func relay(_ piece: Pipe.Piece) async {
        if case .head(let head) = piece { state.withLock { $0.status = head.status } }
        if case .bytes(let buffer) = piece {
            if buffer.readableBytes == 0 { return }
            let isFirst = state.withLock { state in
                state.bytes += buffer.readableBytes
                return state.bytes == buffer.readableBytes
            }
            if isFirst { metrics.firstByte(upstream.name, monotonicNanos() - start) }
        }
        if await !pipe.give(piece) { call { $0.clientLeft(now: monotonicNanos()) } }
    }
}

/// What became of a call, for metrics and logs.
package enum CallResult: String, Sendable, CaseIterable {
    /// The upstream answered it.
    case answered
    /// The upstream's status says no.
    case declined
    /// Refused by the ledger: 402, or 429 where holds are in the way.
    case refused
    /// Not a call that can be made: key, route, body, customer, rate.
    case invalid
    /// Not taken for now: too much at once, stopping, or the log cannot be written.
    case unavailable
    /// The upstream could not be reached, or closed the connection without an answer.
    case unreachable
    /// The upstream did not answer, or did not go on, in time.
    case timeout
    /// The answer broke off.
    case cut
    /// The client went before the end of the answer.
    case abandoned

    var isUpstreamsFault: Bool {
        switch self {
        case .declined, .unreachable, .timeout, .cut: true
        default: false
        }
    }
}
