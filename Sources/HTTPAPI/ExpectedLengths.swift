// How long an answer is expected to be, where the caller does not say: what 95 of 100 answers of
// this model to this customer did not exceed; while little is known of the customer, to all
// customers of the project; before that, nothing, and the estimate falls back on what the request
// says.
//
// The read models know it. What was read is kept for a while, because it changes slowly and every
// call asks for it. It only ever fills a field in before the engine decides: the figure used is on
// the event, so replay looks nothing up.

import Billing
package import Engine
import EventLog
import Projections
import Synchronization

final class ExpectedLengths: Sendable {
    struct Key: Hashable, Sendable {
        var project: String
        var customer: String
        var model: String
    }

    fileprivate struct Known {
        var tokens: Int64?
        /// Nanoseconds of the monotonic clock.
        var until: Int64
    }

    /// Two generations: when the new one is full it becomes the old one, and what the old one had
    /// and nobody asked for since is gone.
    fileprivate struct Memory {
        var new: [Key: Known] = [:]
        var old: [Key: Known] = [:]
    }

    private let memory = Mutex(Memory())
    private let readModels: ReadModels
    private let reader: ReaderThread
    private let perThousand: Int
    private let clock: @Sendable () -> Int64

    fileprivate static let generationMax = 32_768
    private static let nanosKept: Int64 = 60_000_000_000
    /// Where nothing is known yet it is soon looked for again.
    private static let nanosUnknownKept: Int64 = 5_000_000_000

    /// - Parameters:
    ///   - perThousand: of a thousand answers, so many are not longer than is expected.
    ///   - clock: nanoseconds of a monotonic clock.
    init(
        _ readModels: ReadModels, reader: ReaderThread, perThousand: Int,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.readModels = readModels
        self.reader = reader
        self.perThousand = perThousand
        self.clock = clock
    }

    /// The requests with what is expected filled in where they leave it open.
    func filled(_ requests: [EngineRequest]) async -> [EngineRequest] {
        let keys = requests.map(\.lengthKey)
        var known: [Key: Known] = [:]
        var missing: Set<Key> = []
        let now = clock()
        memory.withLock { memory in
            for case let key? in keys where known[key] == nil {
                if let found = memory.find(key, now: now) {
                    known[key] = found
                } else {
                    missing.insert(key)
                }
            }
        }
        if known.isEmpty && missing.isEmpty { return requests }
        if !missing.isEmpty { known.merge(await read(missing, now: now)) { $1 } }
        return zip(requests, keys).map { request, key in
            guard let tokens = key.flatMap({ known[$0] })?.tokens else { return request }
            return request.expecting(tokens)
        }
    }

    /// Reads what is not in memory. Where it cannot be read, nothing is known: an estimate is not
    /// worth an error.
    private func read(_ keys: Set<Key>, now: Int64) async -> [Key: Known] {
        let (readModels, perThousand) = (readModels, perThousand)
        let found: [Key: Int64?]
        do throws(APIError) {
            found = try await reader.run { () throws(APIError) in
                do {
                    return try readModels.read { reader, _ throws(StoreError) in
                        var found: [Key: Int64?] = [:]
                        for key in keys {
                            found[key] = try reader.expectedOutput(
                                project: key.project, customer: key.customer, model: key.model,
                                perThousand: perThousand)
                        }
                        return found
                    }
                } catch {
                    return [:]
                }
            }
        } catch {
            found = [:]
        }
        var known: [Key: Known] = [:]
        for key in keys {
            let tokens = found[key] ?? nil
            let kept = tokens == nil ? Self.nanosUnknownKept : Self.nanosKept
            known[key] = Known(tokens: tokens, until: now + kept)
        }
        memory.withLock { memory in
            for (key, entry) in known { memory.keep(key, entry) }
        }
        return known
    }
}

extension ExpectedLengths.Memory {
    fileprivate mutating func find(
        _ key: ExpectedLengths.Key, now: Int64
    ) -> ExpectedLengths.Known? {
        if let found = new[key] { return found.until > now ? found : nil }
        guard let found = old[key], found.until > now else { return nil }
        keep(key, found)
        return found
    }

    fileprivate mutating func keep(_ key: ExpectedLengths.Key, _ entry: ExpectedLengths.Known) {
        if new.count >= ExpectedLengths.generationMax {
            old = new
            new = [:]
        }
        new[key] = entry
    }
}

extension EngineRequest {
    /// What is to be looked up for it; nil: it asks for nothing, or says itself what it expects.
    fileprivate var lengthKey: ExpectedLengths.Key? {
        let call: CallRequest
        switch command {
        case .reserve(let request): call = request.call
        case .estimate(let request): call = request
        default: return nil
        }
        guard case .counts(let estimate) = call.size, estimate.expectedOutputTokens == nil
        else { return nil }
        return ExpectedLengths.Key(
            project: call.subject.project, customer: call.subject.customer, model: call.model)
    }

    fileprivate func expecting(_ tokens: Int64) -> EngineRequest {
        var request = self
        switch command {
        case .reserve(var reserve):
            reserve.call.expect(tokens)
            request.command = .reserve(reserve)
        case .estimate(var call):
            call.expect(tokens)
            request.command = .estimate(call)
        default: break
        }
        return request
    }
}

extension CallRequest {
    fileprivate mutating func expect(_ tokens: Int64) {
        guard case .counts(var estimate) = size else { return }
        estimate.expectedOutputTokens = tokens
        size = .counts(estimate)
    }
}

extension API {
    /// Asks the engine for decisions, each answered in its place.
    package func decide(
        _ requests: [EngineRequest]
    ) async -> [Result<CommandReply, EngineError>] {
        await engine.submit(await expectedLengths?.filled(requests) ?? requests)
    }

    /// Asks the engine for one decision.
    package func decide(_ request: EngineRequest) async throws(EngineError) -> CommandReply {
        guard let reply = await decide([request]).first else { throw .shuttingDown }
        return try reply.get()
    }
}
