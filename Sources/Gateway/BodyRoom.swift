// The place that a body takes among all bodies that are in memory, for as long as it is there: from
// before it is read until the provider has answered.

import HTTPAPI
import Synchronization

final class BodyRoom: Sendable {
    private let api: API
    private let bytes: Mutex<Int>

    /// - Returns: nil: there is no room.
    init?(_ api: API, bytes: Int) {
        guard api.takeBodyRoom(bytes) else { return nil }
        self.api = api
        self.bytes = Mutex(bytes)
    }

    /// The body is shorter than it might have been.
    func shrink(to size: Int) {
        let excess = bytes.withLock { bytes in
            defer { bytes = min(bytes, size) }
            return max(bytes - size, 0)
        }
        api.giveBodyRoom(excess)
    }

    deinit { api.giveBodyRoom(bytes.withLock { $0 }) }
}
