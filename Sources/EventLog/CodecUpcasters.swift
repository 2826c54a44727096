// Older payloads made new. A change that is not additive gives the type's schema a new version; a
// step that turns a payload of the old version into one of the new is registered here, for ever,
// because stored events never change. Steps work on the payload as JSON, before it is decoded.

package import CanonicalJSON

package struct Upcasters: Sendable {
    package struct Step: Sendable {
        let type: String
        /// The version it takes; it gives the next one.
        let fromVersion: Int64
        let transform: @Sendable (JSONObject) -> JSONObject

        package init(
            type: String, fromVersion: Int64,
            transform: @escaping @Sendable (JSONObject) -> JSONObject
        ) {
            self.type = type
            self.fromVersion = fromVersion
            self.transform = transform
        }
    }

    /// By type; the step from version n stands at index n − 1.
    private var chains: [String: [Step]] = [:]

    /// - Precondition: the steps of a type begin with version 1 and leave none out.
    package init(_ steps: [Step]) {
        for step in steps.sorted(by: { $0.fromVersion < $1.fromVersion }) {
            chains[step.type, default: []].append(step)
            precondition(
                chains[step.type]?.count == Int(step.fromVersion), "one step for each version")
        }
    }

    /// Of this program's events. Every type is at its first version.
    package static let current = Upcasters([])

    /// The version that events of `type` are written and decoded in.
    package func currentVersion(of type: String) -> Int64 {
        if chains.isEmpty { return 1 }
        return Int64(chains[type]?.count ?? 0) + 1
    }

    /// Canonical bytes of the payload in an event's `bytes`, in the current version (which
    /// `version` may be already).
    func upcast(
        _ bytes: UnsafeRawBufferPointer, type: String, from version: Int64
    ) throws(CodecError) -> [UInt8] {
        guard version >= 1, version <= currentVersion(of: type) else {
            throw CodecError(.unsupportedVersion, record: type, field: "v", offset: bytes.count)
        }
        do {
            let event = try StrictJSON.parse(bytes, limits: .ownEvents)
            guard case .object(let envelope) = event, case .object(var data)? = envelope["data"]
            else { throw CodecError(.malformed, record: type, field: "data", offset: 0) }
            for step in (chains[type] ?? [])[Int(version - 1)...] { data = step.transform(data) }
            return try CanonicalJSON.encode(.object(data))
        } catch let error as JSONError {
            throw CodecError(.malformed, record: type, field: error.path, offset: error.offset)
        } catch let error as CodecError {
            throw error
        } catch {
            throw CodecError(.malformed, record: type, field: "", offset: 0)
        }
    }
}

extension JSONLimits {
    /// For what we wrote ourselves: a price book is one event.
    fileprivate static let ownEvents = JSONLimits(
        maxBytes: .max, maxNodes: .max, maxStringBytes: .max)
}
