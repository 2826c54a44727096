import ArgumentParser
import CanonicalJSON
import Server

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say whether this machine and ledger are fit to keep money on.",
        discussion: """
            Looks at SQLite, settings, permissions, the ledger, its lock, leftovers, disk space and
            the time a sync takes, the file system, clock, limits and time zones. Changes nothing,
            and may run beside a server. Takes the options of `faregate serve`: run it as the user
            that runs the server. Each finding that is not ok comes with what to do. Ends with 1
            when something fails, with --strict also when there are warnings.

            Examples:
              faregate doctor --db /var/lib/faregate/faregate.db
              faregate doctor --config /etc/faregate/faregate.json --strict --json
            """)

    @OptionGroup var options: ServeOptions

    @Flag(help: "End with 1 for warnings, too.")
    var strict = false

    @Flag(help: "Print JSON instead of text for people.")
    var json = false

    mutating func run() async throws {
        let console = Console.current
        let doctor = Doctor(try options.configuration(console))
        let checks = try await onThread { () throws(ServerFailure) in doctor.examine() }
        console.out(json ? Self.json(checks) : Self.text(checks))
        let worst: [DoctorCheck.Result] = strict ? [.fail, .warn] : [.fail]
        let count = checks.count { worst.contains($0.result) }
        if count > 0 {
            throw CommandFailure(
                .negative, "\(count) of \(checks.count) checks did not pass", code: "unfit")
        }
    }

    static func text(_ checks: [DoctorCheck]) -> String {
        var table = Table([.text("Check"), .text("Result"), .text("Finding")])
        for check in checks { table.add([check.name, check.result.rawValue, check.finding]) }
        let remedies = checks.compactMap { check in
            check.remedy.map { "\(check.name): \(Table.printable($0))." }
        }
        return remedies.isEmpty
            ? table.text()
            : table.text() + "\n\nWhat to do:\n  " + remedies.joined(separator: "\n  ")
    }

    private static func json(_ checks: [DoctorCheck]) -> String {
        let checks = checks.map { check -> JSONValue in
            var members: [(String, JSONValue)] = [
                ("finding", .string(check.finding)), ("name", .string(check.name)),
                ("result", .string(check.result.rawValue)),
            ]
            if let remedy = check.remedy { members.append(("remedy", .string(remedy))) }
            return .object(JSONObject(members))
        }
        return CanonicalJSON.pretty(.object(JSONObject([("checks", .array(checks))])))
    }
}
