import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import Money
import Projections
import Testing

@testable import Notifications

@Suite struct FoldTests {
    // Each kind of thing makes its notification, with the figures of the event.
    @Test func kinds() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.open("pre", Terms(funding: .prepaid))
        try await ledger.grant("pre", "g", "1.00")
        try await ledger.grant("pre", "short", "0.50", priority: 9, expiresAfter: 3_600)
        try await ledger.spend("over", "pre", hold: "1.00", charge: "1.80")
        #expect(try await ledger.reserve("no", "pre", amount: "0.10")?.rejection != nil)
        try await ledger.reserve("late", "other", amount: "0.10", seconds: 60)
        ledger.clock.advance(seconds: 7_200)
        try await ledger.setBudget("tick", amount: "1")
        let made = try ledger.notifications()
        #expect(
            made.map(\.type) == [
                .usageOverrun, .customerDebt, .usageRejected, .usageExpired,
            ])
        #expect(made[0].text("overrun") == "0.8")
        #expect(made[0].text("charge") == "1.8")
        #expect(made[1].text("debt") == "0.3")
        #expect(made[2].text("rule") == "debt")
        #expect(made[3].text("charged") == "0")
        #expect(made[3].text("policy") == "release")
        #expect(Set(made.map(\.id)).count == made.count)
    }

    // A grant that expires with something left is notified with what was lost.
    @Test func creditExpires() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.open("c", Terms(funding: .prepaid))
        try await ledger.grant("c", "g", "2.00", expiresAfter: 60)
        try await ledger.spend("a", "c", hold: "0.50", charge: "0.50")
        ledger.clock.advance(seconds: 61)
        try await ledger.setBudget("tick", amount: "1")
        let made = try ledger.notifications()
        #expect(made.map(\.type) == [.creditExpired])
        #expect(made.first?.text("amount") == "1.5")
        #expect(made.first?.text("grant") == "g")
    }

    // A percentage is notified when it is reached, once, whatever goes down and up again.
    @Test func thresholdsOnce() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "1.00", per: [.customer], onExceed: .warn)
        try await ledger.spend("1", "ada", hold: "0.49", charge: "0.49")
        #expect(try ledger.notifications().isEmpty)
        try await ledger.spend("2", "ada", hold: "0.01", charge: "0.01")
        try await ledger.spend("3", "bob", hold: "0.85", charge: "0.85")
        let made = try ledger.notifications()
        #expect(made.map { $0.integer("percent") } == [50, 50, 80])
        #expect(made.map { $0.text("scope") } == ["default/ada", "default/bob", "default/bob"])
        #expect(made[0].text("spent") == "0.5")
        #expect(made[0].text("amount") == "1")
        _ = try await ledger.adjust("3", -800_000_000)
        try await ledger.spend("4", "bob", hold: "0.80", charge: "0.80")
        #expect(try ledger.notifications().count == 3)
        try await ledger.spend("5", "bob", hold: "0.50", charge: "0.50")
        #expect(try ledger.notifications().dropFirst(3).map { $0.integer("percent") } == [100])
    }

    // In the next window everything can be reached again.
    @Test func windowsAreTheirOwn() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "1.00", window: .day, onExceed: .warn)
        try await ledger.spend("1", "ada", hold: "0.60", charge: "0.60")
        ledger.clock.advance(seconds: 86_400)
        try await ledger.spend("2", "ada", hold: "0.60", charge: "0.60")
        let made = try ledger.notifications()
        #expect(made.map { $0.integer("percent") } == [50, 50])
        #expect(made[0].text("window_end") == made[1].text("window_start"))
    }

    // A larger amount lets a percentage be reached again; a smaller one does not repeat what was
    // said.
    @Test func changedAmounts() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "1.00", onExceed: .warn)
        try await ledger.spend("1", "ada", hold: "0.60", charge: "0.60")
        try await ledger.setBudget("b", amount: "2.00", onExceed: .warn)
        try await ledger.spend("2", "ada", hold: "0.50", charge: "0.50")
        try await ledger.setBudget("b", amount: "1.20", onExceed: .warn)
        try await ledger.spend("3", "ada", hold: "0.01", charge: "0.01")
        let made = try ledger.notifications()
        #expect(made.map { $0.integer("percent") } == [50, 50, 80])
        #expect(made.map { $0.text("amount") } == ["1", "2", "1.2"])
    }

    // A run's own cap has percentages like a budget.
    @Test func runCaps() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.ask(
            .startRun(
                RunRequest(
                    key: RunKey(project: "default", id: "r"), customer: "ada",
                    cap: try Money(decimal: "1.00"))))
        try await ledger.spend("1", "ada", hold: "0.90", charge: "0.90", run: "r")
        let made = try ledger.notifications()
        #expect(made.map { $0.integer("percent") } == [50, 80])
        #expect(made.allSatisfy { $0.text("run") == "r" && $0.text("budget") == nil })
    }

    // A run is a spike when it costs many times what enough other runs cost, and only once.
    @Test func runSpikes() async throws {
        let ledger = try await LedgerFixture()
        for number in 0..<20 {
            try await ledger.spend(
                "n\(number)", "c", hold: "0.05", charge: "0.05", run: "r\(number)")
        }
        try await ledger.spend("a", "c", hold: "0.49", charge: "0.49", run: "wild")
        #expect(try ledger.notifications().isEmpty)
        try await ledger.spend("b", "c", hold: "0.01", charge: "0.01", run: "wild")
        try await ledger.spend("d", "c", hold: "5.00", charge: "5.00", run: "wild")
        let made = try ledger.notifications()
        #expect(made.map(\.type) == [.runSpike])
        #expect(made.first?.text("charge") == "0.5")
        #expect(made.first?.text("usual_charge") == "0.05")
        #expect(made.first?.integer("usual_runs") == 20)
        var rules = NotificationRules()
        rules.runSpikeRuns = 21
        #expect(try ledger.notifications(rules).isEmpty)
    }

    // Members of every body are those of the schema file.
    @Test func bodiesAreOfTheSchema() async throws {
        let path =
            #filePath.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast(3).joined(separator: "/") + "/schemas/notification.schema.json"
        let schema = try StrictJSON.parse(try #require(fileBytes(path)))
        guard case .object(let root) = schema, case .object(let definitions)? = root["$defs"] else {
            Issue.record("no $defs")
            return
        }
        var members: [String: Set<String>] = [:]
        for type in NotificationType.allCases {
            guard case .object(let definition)? = definitions[type.rawValue],
                case .object(let properties)? = definition["properties"]
            else {
                Issue.record("\(type.rawValue) is not in the schema")
                continue
            }
            members[type.rawValue] = Set(properties.members.map(\.key))
        }
        let rig = try await ModelRig(seed: 9_300)
        try await rig.run(steps: 300)
        var seen: [NotificationType: Set<String>] = [:]
        for notification in try LoggedEvents(rig.store).notifications() {
            guard case .object(let body) = notification.json, case .object(let data)? = body["data"]
            else {
                Issue.record("\(notification.id) has no data")
                continue
            }
            seen[notification.type, default: []].formUnion(data.members.map(\.key))
        }
        #expect(seen.count >= 4, "a walk meets most kinds")
        for (type, names) in seen {
            #expect(names.subtracting(members[type.rawValue] ?? []).isEmpty, "\(type.rawValue)")
        }
    }
}

@Suite struct WalkTests {
    // Random walks: whatever happens, ids are unique, a percentage is notified once for each
    // amount and window, debt is what the engine says, and folding again gives the same bytes.
    @Test(arguments: UInt64(9_100)..<UInt64(TestSettings.isSlow ? 9_140 : 9_106))
    func walks(seed: UInt64) async throws {
        let rig = try await ModelRig(seed: seed)
        try await rig.run(steps: 220)
        try await rig.finish()
        let log = try LoggedEvents(rig.store)
        var fold = NotificationFold(
            NoRows(), ledgerID: log.ledgerID, rules: NotificationRules())
        let made = try log.events.flatMap { try fold.fold($0, log) }
        #expect(made == (try log.notifications()))
        #expect(Set(made.map(\.id)).count == made.count)
        let rejections = log.events.filter { $0.event.rejection != nil }.count
        #expect(made.filter { $0.type == .usageRejected }.count == rejections)
        // By bytes: two customers of the walks have names that Swift's strings take for one.
        var seen: Set<[UInt8]> = []
        for crossing in made where crossing.type == .budgetThreshold {
            let parts = ["budget", "run", "scope", "window_start", "amount"].map {
                crossing.text($0) ?? "\(crossing.integer($0) ?? -1)"
            }
            let generation = generation(of: crossing, in: log)
            let percent = "\(crossing.integer("percent") ?? 0)"
            let key = (parts + [percent, generation, crossing.project ?? ""])
                .joined(separator: "|")
            #expect(seen.insert(Array(key.utf8)).inserted, "\(key) twice")
        }
        let state = try EngineLoader.load(rig.store).state
        for (key, customer) in state.customers {
            let row = fold.debts.present.first {
                CustomerKey(project: $0.project, id: $0.customer) == key
            }
            #expect(row?.debt ?? 0 == customer.debt.nanos, "\(key)")
        }
        for (id, budget) in state.budgets {
            for (scope, counter) in budget.counters {
                let row = fold.thresholds.present.first {
                    $0.budget == id && $0.generation == Int64(budget.generation)
                        && ExactText($0.scope) == scope
                        && $0.windowStart == counter.window.start.microseconds
                }
                #expect(row?.spent ?? 0 == counter.spent, "\(id) \(scope.text)")
            }
        }
    }

    /// Changes of the budget before the event: another amount may be an old one again.
    private func generation(of notification: Notification, in log: LoggedEvents) -> String {
        let before = log.events.prefix(Int(notification.sequence)).filter {
            if case .budgetSet = $0.event { return true }
            return false
        }
        return String(before.count)
    }
}
