import Synchronization

/// Remembers what names a search found. Entries of a version never change, so an answer stays
/// right; the size is bounded because names come from outside.
final class ResolutionCache: Sendable {
    struct Key: Hashable {
        var model: String
        var card: String
        var version: Int64

        /// One model is asked for on few cards: hashing them tells little more.
        func hash(into hasher: inout Hasher) {
            hasher.combine(model)
            hasher.combine(version)
        }
    }

    private static let capacity = 4_096

    private let answers = Mutex<[Key: PricedEntry]>([:])

    func answer(for key: Key) -> PricedEntry? {
        answers.withLock { $0[key] }
    }

    func remember(_ answer: PricedEntry, for key: Key) {
        answers.withLock { answers in
            // Dropping all is simpler than ageing, and a search costs microseconds.
            if answers.count >= Self.capacity { answers.removeAll(keepingCapacity: true) }
            answers[key] = answer
        }
    }
}
