// Is this machine, and this ledger, fit to keep money on? Looks, measures a little, changes
// nothing.

import EventLog
import Gateway
import Glibc
import SQLiteEventLog

package struct DoctorCheck: Sendable, Equatable {
    package enum Result: String, Sendable {
        case ok, warn, fail
    }

    package var name: String
    package var result: Result
    /// What was found, one sentence without its point.
    package var finding: String
    /// What to do about it; nil when all is well.
    package var remedy: String?

    static func ok(_ name: String, _ finding: String) -> DoctorCheck {
        DoctorCheck(name: name, result: .ok, finding: finding, remedy: nil)
    }

    static func warn(_ name: String, _ finding: String, _ remedy: String) -> DoctorCheck {
        DoctorCheck(name: name, result: .warn, finding: finding, remedy: remedy)
    }

    static func fail(_ name: String, _ finding: String, _ remedy: String) -> DoctorCheck {
        DoctorCheck(name: name, result: .fail, finding: finding, remedy: remedy)
    }
}

package struct Doctor: Sendable {
    /// The ledger's file, which need not be there yet.
    let path: String
    let viewsPath: String
    let configuration: ServerConfiguration

    package init(_ configuration: ServerConfiguration) {
        self.configuration = configuration
        path = configuration.databasePath
        viewsPath = configuration.viewsPath ?? OpenLedger.viewsPath(beside: path)
    }

    /// All checks, in the order in which people read them. Blocks, for some tenths of a second.
    package func examine() -> [DoctorCheck] {
        [
            sqlite(version: SQLiteEventStore.sqliteVersion), settings(), upstreams(), stripe(),
            folder(), ledgerFile(),
            ledger(), lock(), writeAheadLog(), leftovers(), diskSpace(), fileSystem(), syncTime(),
            clock(), openFiles(), fileSize(), timeZones(),
        ].compactMap { $0 }
    }

    // MARK: Programs and settings

    /// - Parameter version: as `sqlite3_libversion_number` has it: 3051003 for 3.51.3.
    func sqlite(version: Int32) -> DoctorCheck {
        let text = "\(version / 1_000_000).\(version / 1_000 % 1_000).\(version % 1_000)"
        // Since 3.7.0; fixed in 3.51.3: https://sqlite.org/wal.html#walresetbug
        guard version < 3_051_003 else { return .ok("sqlite", "SQLite \(text)") }
        return .warn(
            "sqlite",
            "SQLite \(text) has the WAL-reset bug (3.7.0 to 3.51.2), which two writing connections "
                + "at once can meet; the server has one",
            "never write to the ledger with other tools, VACUUM and checkpoints included; reading "
                + "is harmless. Use SQLite 3.51.3 or newer where you can")
    }

    func settings() -> DoctorCheck {
        var faults: [String] = []
        for name in configuration.strangeVariables { faults.append("\(name) means nothing") }
        if configuration.isTestClock { faults.append("test_clock is on: never for real money") }
        if configuration.adminKey != nil {
            faults.append("admin_key is set: unset it once there are keys on the ledger")
        }
        if !["127.0.0.1", "::1", "localhost"].contains(configuration.host) {
            faults.append("it listens on \(configuration.host) over plain HTTP: put TLS in front")
        }
        guard !faults.isEmpty else { return .ok("settings", "nothing unusual") }
        return .warn(
            "settings", faults.joined(separator: "; "),
            "see what is in force and where it comes from: faregate config check")
    }

    /// Nil: there are none.
    func upstreams() -> DoctorCheck? {
        let upstreams = configuration.gateway.upstreams
        guard let path = configuration.upstreamsPath, !upstreams.isEmpty else { return nil }
        var faults: [String] = []
        var remedies = [
            "name the variable of a key in key_env, and use https:// beyond this machine"
        ]
        if configuration.exposedKeysPath != nil {
            faults.append("\(path) has keys in it and can be read by others")
            remedies.insert("chmod 600 \(path)", at: 0)
        }
        for upstream in upstreams where !upstream.baseURL.isEncrypted && upstream.key != nil {
            if !upstream.baseURL.isThisMachine {
                faults.append("the key of '\(upstream.name)' goes over plain HTTP")
            }
        }
        let names = upstreams.map(\.name).joined(separator: ", ")
        guard !faults.isEmpty else { return .ok("upstreams", names) }
        return .warn(
            "upstreams", faults.joined(separator: "; "), remedies.joined(separator: "; "))
    }

    // MARK: The ledger

    func ledger() -> DoctorCheck? {
        guard access(path, F_OK) == 0 else { return nil }
        do throws(StoreError) {
            let store = try SQLiteEventStore.openReadOnly(path: path)
            defer { store.close() }
            let identity = store.identity
            let what =
                "\(identity.ledgerID), \(identity.currency), \(store.head.sequence) events, root "
                + "\(store.head.root.hex.prefix(16))…"
            if identity.isTestClock {
                return .warn(
                    "ledger", what + ", with a test clock", "never use this ledger for real money")
            }
            return .ok("ledger", what)
        } catch {
            let failure = ServerFailure(error, path: path)
            return .fail(
                "ledger", failure.message,
                error.code == .tooNew
                    ? "use the newer faregate that wrote it"
                    : "look with faregate verify --db \(path), or restore a backup: "
                        + "faregate restore --help")
        }
    }

    func lock() -> DoctorCheck {
        switch LedgerInspection.holder(ofLedgerAt: path) {
        case nil: return .ok("lock", "nobody serves the ledger")
        case .some(let holder):
            let name = holder.name.map { " (\($0))" } ?? ""
            return .ok("lock", "process \(holder.processID)\(name) serves the ledger")
        }
    }

    func writeAheadLog() -> DoctorCheck? {
        guard let mode = LedgerInspection.journal(ofLedgerAt: path) else { return nil }
        let size = Self.size(of: path + "-wal") ?? 0
        let isServed = LedgerInspection.holder(ofLedgerAt: path) != nil
        let durability = "the server sets synchronous=FULL"
        switch mode {
        case .rollback:
            return .ok("journal", "one file; the next start turns the write-ahead log on")
        case .writeAheadLog where size > 64 << 20:
            return .warn(
                "journal", "the write-ahead log has \(size >> 20) MiB: a reader holds on to it",
                "end the program that keeps a transaction open on the ledger")
        case .writeAheadLog where size > 0 && !isServed:
            return .ok(
                "journal",
                "write-ahead log of \(size) bytes from the last run, which belongs to the ledger; "
                    + durability)
        case .writeAheadLog:
            return .ok("journal", "write-ahead log, \(durability)")
        }
    }

    func leftovers() -> DoctorCheck {
        let folder = Self.folder(of: path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let found = Self.names(in: folder).filter {
            $0.hasSuffix(".partial") || $0.hasSuffix(".new")
                || ($0 == name + "-journal")
        }
        guard !found.isEmpty else { return .ok("leftovers", "none") }
        return .warn(
            "leftovers",
            "\(found.sorted().joined(separator: ", ")): from a backup, restore or rebuild that was "
                + "cut short, or is under way",
            "delete .partial and .new files when nothing of the kind is running; never -wal or "
                + "-journal files")
    }
}
