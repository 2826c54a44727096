import ArgumentParser
import Billing
import CanonicalJSON
import Engine
import EventLog
import HTTPAPI
import Money
import Server

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute everything from the log and compare.",
        discussion: """
            With --db the file is read as it is, also beside a running server. Without, the log is
            fetched from the server (with a key that sees all projects), its root compared with the
            server's checkpoint, and every customer's balance with what the server answers. Ends
            with 1 when a check fails.

            Examples:
              faregate verify --db faregate.db
              faregate verify --url http://127.0.0.1:8080
            """)

    @OptionGroup var ledger: LedgerOptions

    mutating func run() async throws {
        let console = Console.current
        let result: Verification
        if let path = ledger.db {
            result = try await Self.verifyFile(path, console)
        } else {
            result = try await ledger.withLedger { try await Self.verifyServer($0) }
        }
        console.out(ledger.json ? CanonicalJSON.pretty(result.json) : result.text)
        if !result.passed { throw CommandFailure(.negative, "the ledger is not sound") }
    }

    /// A file at rest, or beside its owner: the state that a start would load (newest snapshot and
    /// tail) is compared with the fold of everything.
    static func verifyFile(
        _ path: String, _ console: Console
    ) async throws(CommandFailure) -> Verification {
        let bar = ProgressBar("Verifying", console: console)
        defer { bar.finish() }
        do throws(ServerFailure) {
            return try await blocking { () throws(ServerFailure) -> Verification in
                let store = try OpenLedger.openStoreBeside(path)
                defer { store.close() }
                return try verify(PinnedLog(store), path: path) { bar.update($0, of: $1) }
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func verify(
        _ log: PinnedLog, path: String, _ progress: (UInt64, UInt64) -> Void
    ) throws(ServerFailure) -> Verification {
        do throws(EngineError) {
            let (state, _) = try EngineLoader.load(log)
            return Verification(
                try LedgerVerifier.verify(log, liveState: state, progress: progress))
        } catch {
            // What cannot be loaded may still be read far enough to say where the damage is.
            do throws(EngineError) {
                return Verification(try LedgerVerifier.verify(log, progress: progress))
            } catch {
                throw ServerFailure(error, path: path)
            }
        }
    }

    /// A ledger that this process owns: its state in memory is compared with the fold of the log.
    static func verifyOwned(
        _ ledger: OpenLedger, _ console: Console
    ) async throws(CommandFailure) -> Verification {
        let bar = ProgressBar("Verifying", console: console)
        defer { bar.finish() }
        let path = ledger.path
        do throws(ServerFailure) {
            while true {
                let state: LedgerState
                do throws(EngineError) {
                    state = try await ledger.engine.read { $0.state }
                } catch {
                    throw ServerFailure(error, path: path)
                }
                let log = PinnedLog(ledger.engine.store)
                // The log moved on between the two: look again.
                if log.head.sequence != state.sequence { continue }
                return try await blocking { () throws(ServerFailure) -> Verification in
                    do throws(EngineError) {
                        return Verification(
                            try LedgerVerifier.verify(log, liveState: state) {
                                bar.update($0, of: $1)
                            })
                    } catch {
                        throw ServerFailure(error, path: path)
                    }
                }
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    static func verifyServer(_ ledger: LedgerSession) async throws(CommandFailure) -> Verification {
        let fetching = ProgressBar("Fetching the log", console: ledger.console)
        var log = try await RemoteLog.fetched(ledger.client) { fetching.update($0, of: $1) }
        fetching.finish()
        let checking = ProgressBar("Verifying", console: ledger.console)
        let report: VerificationReport
        do throws(EngineError) {
            report = try LedgerVerifier.verify(log.store) { checking.update($0, of: $1) }
        } catch {
            throw CommandFailure(.negative, "the server's log cannot be read: \(error)")
        }
        checking.finish()
        var result = Verification(report)
        // A snapshot and a state in memory are the server's own and are not seen over the API.
        result.checks.removeAll { $0.name == "snapshots" || $0.name == "replay" }
        var checkpoint = Verification.Check(
            name: "checkpoint", explanation: "the events handed out have the root of the checkpoint"
        )
        checkpoint.examined = 1
        if result.root != log.root || result.sequence != log.sequence {
            checkpoint.fail(
                "checkpoint \(log.sequence) \(log.root), events \(result.sequence) \(result.root)")
        }
        result.checks.append(checkpoint)
        if result.passed {
            result.checks.append(try await BalanceComparison.check(&log, ledger))
        }
        return result
    }
}

/// Every customer's balance as the server answers it, beside the fold of the fetched log.
enum BalanceComparison {
    static func check(
        _ log: inout RemoteLog, _ ledger: LedgerSession
    ) async throws(CommandFailure) -> Verification.Check {
        var check = Verification.Check(
            name: "balances",
            explanation: "each balance that the server answers is the fold of the log")
        try await log.fold(upTo: log.sequence)
        let bar = ProgressBar("Comparing balances", console: ledger.console)
        defer { bar.finish() }
        let keys = log.state.customersByOpening
        for (index, key) in keys.enumerated() {
            let answer = try await ledger.client.ask(
                APIRequest.get("customers", key.id, "balance").within(key.project))
            // The server may have gone on meanwhile: its answer says as of which event it is.
            let sequence = UInt64(answer["as_of"]["sequence"].integer ?? 0)
            guard sequence >= log.state.sequence else {
                check.fail(
                    "\(key.project)/\(key.id): answered as of event \(sequence), in the past")
                continue
            }
            try await log.fold(upTo: sequence)
            check.examined += 1
            guard let customer = log.state.customers[key] else { continue }
            for difference in differences(customer, answer) {
                check.fail("\(key.project)/\(key.id): \(difference)")
            }
            bar.update(UInt64(index + 1), of: UInt64(keys.count))
        }
        return check
    }

    static func differences(_ customer: Customer, _ answer: JSONValue) -> [String] {
        let totals = customer.totals
        var expected: [(String, JSONValue?, String)] = [
            ("debt", answer["debt"], customer.debt.decimalText),
            ("held", answer["held"], customer.heldCharge.decimalText),
            ("held_uncovered", answer["held_uncovered"], customer.heldUncovered.decimalText),
            ("owed", answer["owed"], customer.owed.decimalText),
            ("open_reservations", answer["open_reservations"], String(customer.openReservations)),
        ]
        let answered = answer["totals"]
        for (name, value) in [
            ("charge", totals.charge), ("cost", totals.cost), ("from_grants", totals.fromGrants),
            ("billable", totals.billable), ("absorbed", totals.absorbed),
            ("overrun", totals.overrun), ("paid", totals.paid),
        ] {
            expected.append((name, answered[name], value.decimalText))
        }
        for (name, value) in [
            ("tokens", totals.tokens), ("reserved", totals.reservedCount),
            ("settled", totals.settledCount), ("released", totals.releasedCount),
            ("expired", totals.expiredCount), ("rejected", totals.rejectedCount),
            ("recorded", totals.recordedCount),
        ] {
            expected.append((name, answered[name], String(value)))
        }
        let grants = answer["grants"].items
        for (grant, shown) in zip(customer.grants, grants) {
            let name = "grant \(grant.terms.id)"
            expected.append(("\(name) remaining", shown["remaining"], grant.remaining.decimalText))
            expected.append(("\(name) held", shown["held"], grant.held.decimalText))
            expected.append(("\(name) burnt", shown["burnt"], grant.burnt.decimalText))
        }
        expected.append(
            ("number of grants", .integer(Int64(grants.count)), String(customer.grants.count)))
        return expected.compactMap { name, shown, folded in
            shown.text == folded
                ? nil : "\(name) is answered as \(shown.text ?? "nothing"), the log says \(folded)"
        }
    }
}
