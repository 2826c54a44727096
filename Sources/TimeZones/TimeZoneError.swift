/// Why a time zone cannot be used.
package enum TimeZoneError: Error, Equatable, Sendable {
    /// The identifier is not of the allowed form. It is not repeated here: it is outside text.
    case invalidIdentifier
    /// The database has no zone of that (well-formed) name.
    case unknownZone(identifier: String)
    /// The zone's file exists but cannot be read or is not a zone file.
    case unreadable(identifier: String, reason: String)
    /// None of the directories exists: the machine has no time zone database.
    case databaseMissing(directories: [String])
    /// Bytes that are not a time zone file.
    case malformed(reason: String)
}

extension TimeZoneError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidIdentifier:
            """
            A time zone is an IANA identifier such as Europe/Berlin: 1 to 64 characters of \
            A-Z a-z 0-9 _ + - in parts separated by single slashes.
            """
        case .unknownZone(let identifier):
            "There is no time zone \(identifier) in this machine's time zone database."
        case .unreadable(let identifier, let reason):
            "The file of time zone \(identifier) cannot be used: \(reason)."
        case .databaseMissing(let directories):
            """
            No time zone database found in \(directories.joined(separator: ", ")). \
            Install the package tzdata (apt-get install tzdata), or set TZDIR to its directory.
            """
        case .malformed(let reason):
            "Not a time zone file: \(reason)."
        }
    }
}
