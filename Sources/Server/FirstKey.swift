import Billing
import CanonicalJSON
import Engine
import HTTPAPI

/// The key that a new ledger starts with, when nobody configured one: without it nobody could make
/// any.
enum FirstKey {
    /// Makes an administrator's key when no key was ever on the ledger's log.
    ///
    /// - Returns: its secret, which is kept nowhere; nil when there is a key already.
    static func makeIfNeeded(
        _ ledger: OpenLedger, path: String
    ) async throws(ServerFailure) -> String? {
        do throws(EngineError) {
            if try await ledger.engine.read({ !$0.state.keys.isEmpty }) { return nil }
        } catch {
            throw ServerFailure(error, path: path)
        }
        let response = await ledger.api.respond(
            to: APIRequest(
                "POST", segments: ["v1", "keys"],
                json: Array(#"{"name":"first key","role":"admin"}"#.utf8),
                principal: .operatorProcess))
        guard response.status == 201, case .object(let key) = try? StrictJSON.parse(response.body),
            case .string(let secret) = key["secret"]
        else {
            throw ServerFailure(
                .inputOutput, "no_first_key",
                "\(path): the first API key could not be made (status \(response.status))")
        }
        return secret
    }
}
