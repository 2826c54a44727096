// The machine's IANA time zone database, as the Debian package tzdata installs it: one TZif file a
// zone, named by the zone's identifier.

import Synchronization

/// Time zones by IANA identifier. Copies share one cache; a zone once read stays as it was until
/// the process ends, so a window computed twice is the same window.
package struct TimeZoneDatabase: Sendable {
    package static let systemDirectory = "/usr/share/zoneinfo"

    /// Names that are in the directory without being zones: the machine's own settings.
    private static let machineSettings: Set<String> = ["localtime", "posixrules"]
    private static let coordinatedUniversalTime: Set<String> = ["UTC", "Etc/UTC"]
    /// The largest file of tzdata has under 4,000 bytes.
    private static let maximumFileBytes = 1 << 20

    private final class Cache: Sendable {
        let zones = Mutex<[String: TimeZoneRules]>([:])
    }

    /// Where zones are looked for, in this order.
    package let directories: [String]
    private let cache = Cache()

    package init(directories: [String]) {
        self.directories = directories
    }

    /// The directory that the environment variable `TZDIR` names, if it is set, then the system's.
    package init() {
        let named = ZoneFiles.directoryFromEnvironment()
        self.init(directories: (named.map { [$0] } ?? []) + [Self.systemDirectory])
    }

    /// The rules of a zone. `UTC` and `Etc/UTC` need no file.
    ///
    /// The first use of a zone reads its file (about 30 µs); later ones find it in memory.
    ///
    /// - Throws: `TimeZoneError`: `.invalidIdentifier`, `.unknownZone`, `.unreadable` or
    ///   `.databaseMissing`.
    package func rules(for identifier: String) throws(TimeZoneError) -> TimeZoneRules {
        if Self.coordinatedUniversalTime.contains(identifier) { return .utc }
        guard Self.isWellFormed(identifier) else { throw .invalidIdentifier }
        if let known = cache.zones.withLock({ $0[identifier] }) { return known }
        let rules = try load(identifier)
        // Two threads may read one file at a time; they agree on the first result kept.
        return cache.zones.withLock { zones in
            if let known = zones[identifier] { return known }
            zones[identifier] = rules
            return rules
        }
    }

    /// Whether the text has the form of an identifier: 1 to 64 bytes of `A-Z a-z 0-9 _ + -`, in
    /// parts separated by single slashes. Such a text cannot lead out of a directory, and no two
    /// of them name one file through empty or dotted parts.
    package static func isWellFormed(_ identifier: String) -> Bool {
        let bytes = identifier.utf8
        guard (1...64).contains(bytes.count) else { return false }
        var isPartEmpty = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                isPartEmpty = false
            case UInt8(ascii: "/"):
                if isPartEmpty { return false }
                isPartEmpty = true
            default: return false
            }
        }
        return !isPartEmpty
    }

    private func load(_ identifier: String) throws(TimeZoneError) -> TimeZoneRules {
        if Self.machineSettings.contains(identifier) {
            throw .unknownZone(identifier: identifier)
        }
        for directory in directories {
            let bytes: [UInt8]?
            do {
                bytes = try ZoneFiles.read(
                    "\(directory)/\(identifier)", maximumBytes: Self.maximumFileBytes)
            } catch {
                throw .unreadable(identifier: identifier, reason: error.reason)
            }
            guard let bytes else { continue }
            do {
                return try TimeZoneRules(tzif: bytes)
            } catch {
                guard case .malformed(let reason) = error else { throw error }
                throw .unreadable(identifier: identifier, reason: reason)
            }
        }
        guard directories.contains(where: ZoneFiles.isDirectory) else {
            throw .databaseMissing(directories: directories)
        }
        throw .unknownZone(identifier: identifier)
    }
}
