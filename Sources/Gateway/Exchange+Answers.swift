// The three kinds of answers: streams that are metered as they pass, answers that are read as a
// whole, and what only passes through.

import AsyncHTTPClient
import Billing
import Dialects
import Engine
import Money
import NIOCore
import NIOHTTP1

extension Exchange {
    // MARK: Streams

    func relayStream(_ response: HTTPClientResponse, _ metered: Metered) async {
        var meter = StreamMeter(metered.dialect, settings: metered.settings)
        var counter = metered.counter
        await relay(.head(head(response, isBodyChanged: true)))
        var output: [UInt8] = []
        var isBroken = false
        var iterator = response.body.makeAsyncIterator()
        do {
            while true {
                call { $0.waits(now: monotonicNanos()) }
                guard let chunk = try await iterator.next() else { break }
                let goesOn = call { $0.received(chunk.readableBytes) }
                output.removeAll(keepingCapacity: true)
                try chunk.readableBytesView.withUnsafeBytes { bytes in
                    try meter.receive(bytes, relayTo: &output) { counter.add($1) }
                }
                if meter.state == .finished, meter.reading.isUsageFinal {
                    // The last event goes out when the call is settled: whoever waits for it finds
                    // the money free that this call did not need.
                    _ = await settle(meter.reading, metered.passed(counter))
                }
                await relay(.bytes(ByteBuffer(bytes: output)))
                if !goesOn { break }
            }
        } catch {
            isBroken = true
            if error is StreamFault { call { $0.stops(.tooLong) } }
        }
        output.removeAll(keepingCapacity: true)
        let error = call({ $0.stop }).flatMap {
            GatewayAnswer.cut($0, upstream: upstream.name)
        }
        // Half an event before one of ours would make both unreadable.
        meter.end(relayTo: &output, dropsPart: error != nil) { counter.add($1) }
        call { $0.answerEnded() }
        _ = await settle(meter.reading, metered.passed(counter))
        if let error {
            // Ours to end, so the client is told why, in the words of its library.
            tells(error)
            output += error.event(for: metered.dialect)
            isBroken = false
        }
        await relay(.bytes(ByteBuffer(bytes: output)))
        await end(isBroken: isBroken)
    }

    // MARK: Whole answers

    func answerWhole(_ response: HTTPClientResponse, _ metered: Metered) async {
        guard let body = await collect(response) else {
            call { $0.answerEnded() }
            _ = await settle(nil, nil)
            return await fail()
        }
        call { $0.answerEnded() }
        var counter = metered.counter
        let reading = body.readableBytesView.withUnsafeBytes { bytes in
            BodyMeter.read(
                bytes, status: Int(response.status.code), dialect: metered.dialect,
                settings: metered.settings
            ) { counter.add($1) }
        }
        let result = await settle(reading, metered.passed(counter))
        var head = head(response, isBodyChanged: false)
        head.length = body.readableBytes
        if let settled = result?.settlement {
            head.headers.append(("x-faregate-charge", settled.rated.charge.decimalText))
            head.headers.removeAll { $0.name == "x-faregate-remaining" }
            let actual = (charge: settled.rated.charge, cost: settled.rated.cost)
            if let remaining = metered.reserved.remaining(actual: actual) {
                head.headers.append(("x-faregate-remaining", remaining.decimalText))
            }
        }
        await relay(.head(head))
        await relay(.bytes(body))
        await end(isBroken: false)
    }

    /// The whole body; nil: it broke off, or is longer than is taken.
    private func collect(_ response: HTTPClientResponse) async -> ByteBuffer? {
        var body = ByteBuffer()
        var iterator = response.body.makeAsyncIterator()
        do {
            while true {
                call { $0.waits(now: monotonicNanos()) }
                guard let chunk = try await iterator.next() else { return body }
                guard call({ $0.received(chunk.readableBytes) }) else { return nil }
                // Also where a stream was asked for: this is in memory as a whole.
                guard body.readableBytes + chunk.readableBytes <= upstream.limits.answerBytesMax
                else {
                    call { $0.stops(.tooLong) }
                    return nil
                }
                body.writeImmutableBuffer(chunk)
            }
        } catch {
            return nil
        }
    }

    /// The upstream does not take the key, which is the operator's and not the caller's.
    func refuseKey() async {
        call { $0.answerEnded() }
        note(.declined)
        _ = await settle(nil, nil)
        await answer(
            RefusalBody(
                status: 502, code: "upstream_refuses_key",
                message: "Upstream '\(upstream.name)' does not take the gateway's key (401): "
                    + "that is for whoever operates the gateway. Nothing was charged.",
                type: "upstream_error"))
    }

    /// The answer is compressed although that was not asked for.
    func refuseUnreadable() async {
        call { $0.answerEnded() }
        _ = await settle(nil, nil)
        note(.cut)
        await answer(
            RefusalBody(
                status: 502, code: "upstream_compressed",
                message: "Upstream '\(upstream.name)' compresses its answers although it is asked "
                    + "not to, so they cannot be metered; what was expected is charged.",
                type: "upstream_error"))
    }

    // MARK: What only passes

    func passThrough(_ response: HTTPClientResponse) async {
        var head = head(response, isBodyChanged: false)
        head.length = response.headers.first(name: "Content-Length").flatMap { Int($0) }
        await relay(.head(head))
        var isBroken = false
        var iterator = response.body.makeAsyncIterator()
        do {
            while true {
                call { $0.waits(now: monotonicNanos()) }
                guard let chunk = try await iterator.next() else { break }
                let goesOn = call { $0.received(chunk.readableBytes) }
                await relay(.bytes(chunk))
                // Nothing is learned from an answer without usage that nobody takes.
                if !goesOn || call({ $0.hasClientLeft }) {
                    isBroken = true
                    break
                }
            }
        } catch {
            isBroken = true
        }
        call { $0.answerEnded() }
        await end(isBroken: isBroken)
    }

    // MARK: Heads and ends

    private func head(_ response: HTTPClientResponse, isBodyChanged: Bool) -> AnswerHead {
        let theirs = response.headers.map { (name: $0.name, value: $0.value) }
        var headers = HeaderPolicy.clientResponse(theirs, isBodyChanged: isBodyChanged)
        // One of each: libraries join two.
        let named = Set(headers.map(\.name))
        headers += plan.headers.filter {
            $0.name.lowercased() != "x-request-id" || !named.contains("x-request-id")
        }
        if let metered = plan.metered {
            headers.append(("x-faregate-reservation", metered.settler.key.id))
            if let remaining = metered.reserved.remaining() {
                headers.append(("x-faregate-remaining", remaining.decimalText))
            }
        }
        return AnswerHead(status: Int(response.status.code), headers: headers)
    }

    private func end(isBroken: Bool) async {
        let (stop, hasLeft) = call { ($0.stop, $0.hasClientLeft) }
        if hasLeft {
            note(.abandoned)
        } else if stop == .idle || stop == .total {
            note(.timeout)
        } else if isBroken || stop != nil {
            note(.cut)
        }
        await relay(isBroken ? .broken : .end)
    }

    /// Says that there is no answer, where none has begun.
    func fail() async {
        let (ending, stop) = call { ($0.ending, $0.stop) }
        let (result, answer) = GatewayAnswer.failure(ending, stop, upstream: upstream.name)
        note(call { $0.hasClientLeft } ? .abandoned : result)
        await self.answer(answer)
    }

    /// An answer of our own in place of the upstream's.
    private func answer(_ answer: RefusalBody) async {
        var head = AnswerHead(
            status: answer.status, headers: answer.headers + plan.headers)
        if let metered = plan.metered {
            head.headers.append(("x-faregate-reservation", metered.settler.key.id))
        }
        tells(answer)
        let body = answer.body(for: plan.family)
        head.length = body.count
        await relay(.head(head))
        await relay(.bytes(ByteBuffer(bytes: body)))
        await relay(.end)
    }
}

extension Exchange.Metered {
    func passed(_ counter: OutputCounter) -> PassedSizes {
        let estimate = reserved.estimate
        // More than was asked for at most is a mistake of the counting.
        let (most, overflow) = estimate.maxOutputTokens.multipliedReportingOverflow(
            by: estimate.completions)
        return PassedSizes(
            inputTokens: inputTokens,
            outputTokens: overflow ? counter.tokens : min(counter.tokens, most),
            attributes: attributes, webSearches: webSearches)
    }
}

extension UsageReserved {
    /// What is left when this call is paid for: the least over all limits on money that count it,
    /// and the funds; nil: nothing limits it. Never below zero.
    ///
    /// - Parameter actual: what it came to; nil: what it holds.
    func remaining(actual: (charge: Money, cost: Money)? = nil) -> Money? {
        var least: Money?
        func limit(_ amount: Money) { least = min(least ?? amount, amount) }
        for line in lines where line.measure.isMoney {
            guard let amount = line.amount, line.outcome == .fits || line.outcome == .clamped
            else { continue }
            let taken = actual.map { line.measure == .charge ? $0.charge.nanos : $0.cost.nanos }
            limit(Money(nanos: amount - line.spent - line.held - (taken ?? line.hold)))
        }
        let credit = funds.mode == .prepaid ? funds.creditLimit ?? .zero : funds.creditLimit
        if funds.mode != .unfunded, let credit {
            let room = credit - funds.owed - funds.heldUncovered
            limit(funds.grantsAvailable + room - (actual?.charge ?? funds.need))
        }
        return least.map { max($0, .zero) }
    }
}
