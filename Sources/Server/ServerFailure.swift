package import Archive
import Billing
package import Engine
package import EventLog

/// Why a ledger cannot be opened or served: one line for people, a stable code for scripts.
package struct ServerFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// What was asked for makes no sense: to be set right by the caller.
        case configuration
        /// A file, the disk or the network does not let it happen.
        case inputOutput
        /// A check says no: a file is damaged, does not fit, or is in the way.
        case refused
    }

    package var kind: Kind
    package var code: String
    package var message: String

    init(_ kind: Kind, _ code: String, _ message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }

    package var description: String { "\(message) (\(code))" }
}

extension ServerFailure {
    package init(_ error: ArchiveError) {
        self.init(
            error.code == .inputOutput ? .inputOutput : .refused, error.code.rawValue,
            error.message)
    }

    /// - Parameter path: the ledger's file, for the message.
    package init(_ error: StoreError, path: String) {
        let message =
            switch error.code {
            // The store's text says which process holds it.
            case .locked: error.detail
            case .full: "\(path): the disk is full: \(error.detail)"
            case .tooNew: "\(path): \(error.detail): use that version of faregate or a newer one"
            case .corrupt: "\(path): this is no ledger, or a damaged one: \(error.detail)"
            case .inputOutput: "\(path): the disk failed: \(error.detail)"
            case .cannotOpen, .closed, .conflict:
                error.detail.hasPrefix(path) ? error.detail : "\(path): \(error.detail)"
            }
        self.init(.inputOutput, error.code.rawValue, message)
    }

    package init(_ error: EngineError, path: String) {
        switch error {
        case .storeUnavailable(let error): self.init(error, path: path)
        case .unreadable(let detail):
            self.init(.inputOutput, "corrupt", "\(path): the log cannot be read: \(detail)")
        case .command(let error):
            self.init(.inputOutput, error.code.rawValue, "\(path): \(error.message)")
        case .idempotencyMismatch:
            self.init(
                .inputOutput, "idempotency_mismatch", "\(path): the ledger was opened otherwise")
        case .overloaded, .shuttingDown:
            self.init(.inputOutput, "unavailable", "\(path): the ledger takes no requests")
        }
    }
}
