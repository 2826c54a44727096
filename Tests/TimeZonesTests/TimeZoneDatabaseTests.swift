import Glibc
import Testing
import TimeZones

/// Zones by identifier, from the machine's files.
struct TimeZoneDatabaseTests {
    // A zone is found by its identifier, and again from memory.
    @Test func zonesAreFoundByIdentifier() throws {
        let database = TimeZoneDatabase(directories: [TimeZoneDatabase.systemDirectory])
        let july = try seconds("2024-07-01T00:00:00Z")
        for _ in 0..<2 {
            let berlin = try database.rules(for: "Europe/Berlin")
            #expect(berlin.offsetSeconds(atUTCSeconds: july) == 7_200)
            let indiana = try database.rules(for: "America/Indiana/Tell_City")
            #expect(indiana.offsetSeconds(atUTCSeconds: july) == -18_000)
            let west = try database.rules(for: "Etc/GMT+12")
            #expect(west.offsetSeconds(atUTCSeconds: july) == -43_200)
        }
    }

    // UTC needs no file at all.
    @Test(arguments: ["UTC", "Etc/UTC"])
    func utcNeedsNoFile(identifier: String) throws {
        let database = TimeZoneDatabase(directories: ["/nonexistent/zoneinfo"])
        #expect(try database.rules(for: identifier) == .utc)
    }

    // Only identifiers are accepted: nothing that leads elsewhere or has a second spelling.
    @Test(arguments: [
        "", "/", "/etc/passwd", "../../etc/passwd", "Europe/../Europe/Berlin", "Europe/./Berlin",
        "Europe//Berlin", "Europe/", "/Europe/Berlin", "Europe\\Berlin", "Europe/Berlin\0",
        "Europe/Berlin\n", "zone.tab", "Europe Berlin", "Európe/Berlin", "~", "%2e%2e",
        String(repeating: "a", count: 65),
    ])
    func badIdentifiersAreRefused(identifier: String) {
        #expect(!TimeZoneDatabase.isWellFormed(identifier))
        #expect(throws: TimeZoneError.invalidIdentifier) {
            try TimeZoneDatabase().rules(for: identifier)
        }
    }

    // A well-formed name without a zone is an unknown zone: also folders, and the links to the
    // machine's own settings, which differ between machines.
    @Test(arguments: [
        "Mars/Olympus_Mons", "Europe", "Europe/Berlin/Mitte", "localtime", "posixrules",
        String(repeating: "a", count: 64),
    ])
    func unknownZonesAreNamed(identifier: String) {
        #expect(throws: TimeZoneError.unknownZone(identifier: identifier)) {
            try TimeZoneDatabase().rules(for: identifier)
        }
    }

    // Without a database the error says what to install.
    @Test func missingDatabaseSaysWhatToInstall() {
        let database = TimeZoneDatabase(directories: ["/nonexistent/zoneinfo"])
        #expect {
            try database.rules(for: "Europe/Berlin")
        } throws: { error in
            error as? TimeZoneError == .databaseMissing(directories: ["/nonexistent/zoneinfo"])
                && "\(error)".contains("install tzdata")
        }
    }

    // A file that is no zone file, too large, or no file at all is unreadable, and says why.
    @Test func unusableFilesAreUnreadable() throws {
        try withTemporaryFolder { folder in
            try writeBytes(Array("not a zone".utf8), to: "\(folder)/Text")
            try writeBytes([UInt8](repeating: 0, count: (1 << 20) + 1), to: "\(folder)/Large")
            #expect(mkfifo("\(folder)/Pipe", 0o600) == 0)
            let database = TimeZoneDatabase(directories: [folder])
            for (identifier, part) in [("Text", "TZif"), ("Large", "larger"), ("Pipe", "regular")] {
                #expect {
                    try database.rules(for: identifier)
                } throws: { error in
                    guard case .unreadable(identifier, let reason) = error as? TimeZoneError
                    else { return false }
                    return reason.contains(part)
                }
            }
        }
    }

    // Directories are searched in order, and a zone once read stays as it was.
    @Test func firstDirectoryWinsAndZonesAreKept() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/Own"
            try writeBytes(ZoneFileBuilder(footer: "AAA-1").bytes, to: path)
            let database = TimeZoneDatabase(
                directories: ["/nonexistent", folder, TimeZoneDatabase.systemDirectory])
            let copy = database
            #expect(try database.rules(for: "Own").offsetSeconds(atUTCSeconds: 0) == 3_600)
            try writeBytes(ZoneFileBuilder(footer: "AAA-2").bytes, to: path)
            #expect(try copy.rules(for: "Own").offsetSeconds(atUTCSeconds: 0) == 3_600)
            let fresh = TimeZoneDatabase(directories: [folder])
            #expect(try fresh.rules(for: "Own").offsetSeconds(atUTCSeconds: 0) == 7_200)
            #expect(try database.rules(for: "Asia/Tokyo").offsetSeconds(atUTCSeconds: 0) == 32_400)
        }
    }

    // TZDIR names a directory that is searched before the system's.
    @Test func environmentNamesADirectory() async {
        await #expect(processExitsWith: .success) {
            setenv("TZDIR", "/nonexistent/zoneinfo", 1)
            let system = TimeZoneDatabase.systemDirectory
            #expect(TimeZoneDatabase().directories == ["/nonexistent/zoneinfo", system])
            setenv("TZDIR", "", 1)
            #expect(TimeZoneDatabase().directories == [system])
        }
    }

    // Many tasks may ask for zones at once.
    @Test func concurrentUseAgrees() async throws {
        let database = TimeZoneDatabase()
        let expected = try TimeZoneDatabase().rules(for: "Pacific/Auckland")
        await withTaskGroup(of: TimeZoneRules?.self) { group in
            for _ in 0..<64 {
                group.addTask { try? database.rules(for: "Pacific/Auckland") }
            }
            for await rules in group { #expect(rules == expected) }
        }
    }

    // Every zone that the machine lists can be used.
    @Test func everyListedZoneLoads() throws {
        let database = TimeZoneDatabase()
        let table = try zoneFileBytes("tzdata.zi")
        let lines = String(decoding: table, as: UTF8.self).split(separator: "\n")
        // "Z name ..." begins a zone, "L target name" a link.
        let names = lines.compactMap { line -> Substring? in
            let fields = line.split(separator: " ")
            return switch fields.first {
            case "Z": fields[1]
            case "L": fields[2]
            default: nil
            }
        }
        #expect(names.count > 300)
        let instant: Int64 = 1_700_000_000_000_000
        var loaded = 0
        for name in names {
            do {
                let rules = try database.rules(for: String(name))
                #expect(CalendarWindow.day.window(containing: instant, in: rules).contains(instant))
                loaded += 1
            } catch {
                // Debian keeps some old links in a package of their own.
                #expect(error == .unknownZone(identifier: String(name)))
            }
        }
        #expect(loaded > 300)
    }
}
