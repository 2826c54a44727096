import Synchronization

/// Keeps what is written to it.
final class TextRecorder: Sendable {
    private let state = Mutex<[String]>([])

    var texts: [String] { state.withLock { $0 } }

    var write: @Sendable (String) -> Void {
        { text in self.state.withLock { $0.append(text) } }
    }
}
