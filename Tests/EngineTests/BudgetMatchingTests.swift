// Which budgets a call meets, and which counter of each.

import Billing
import Engine
import FaregateTestSupport
import Testing

private struct ScopeRow: Sendable {
    var per: [BudgetDimension]
    var customer: String
    var user: String?
    var model: String
    var text: String
}

private let scopeRows: [ScopeRow] = [
    ScopeRow(per: [], customer: "c", user: "u", model: "m", text: ""),
    ScopeRow(per: [.customer], customer: "c", user: "u", model: "m", text: "p/c"),
    ScopeRow(per: [.customer], customer: "a/b", user: nil, model: "m", text: "p/a%2Fb"),
    ScopeRow(per: [.customer], customer: "a%2Fb", user: nil, model: "m", text: "p/a%252Fb"),
    ScopeRow(per: [.customer, .user], customer: "a", user: "b/c", model: "m", text: "p/a/b%2Fc"),
    ScopeRow(per: [.user], customer: "a", user: "b", model: "m", text: "p/a/b"),
    ScopeRow(per: [.user], customer: "a", user: nil, model: "m", text: "p/a/"),
    ScopeRow(per: [.project], customer: "a", user: nil, model: "m", text: "p"),
    ScopeRow(per: [.plan, .model], customer: "a", user: nil, model: "x/y", text: "gold/x%2Fy"),
    ScopeRow(
        per: [.project, .customer, .model], customer: "e\u{301}%", user: nil, model: "日本",
        text: "p/e\u{301}%25/日本"),
    ScopeRow(per: [.run], customer: "c", user: nil, model: "m", text: "p/"),
    ScopeRow(per: [.tag("none"), .tag("t")], customer: "c", user: nil, model: "m", text: "/v"),
    ScopeRow(per: [.tag("t"), .tag("tt")], customer: "c", user: nil, model: "m", text: "v/"),
    ScopeRow(per: [.tag("none")], customer: "c", user: nil, model: "m", text: ""),
]

@Suite struct BudgetMatchingTests {
    // Of rules of one name the most specific one counts: run before user, customer, tags, model,
    // plan, project; the lower id among equals.
    @Test(arguments: [
        (["plain", "project"], "project"), (["project", "plan"], "plan"),
        (["plan", "model"], "model"),
        (["model", "tags"], "tags"), (["tags", "customer"], "customer"),
        (["customer", "user"], "user"), (["user", "run"], "run"),
        (["customer", "customer2"], "customer"),
        (["plain", "project", "plan", "model", "tags", "customer", "user", "run"], "run"),
        (["user", "customer+tags+model+plan+project"], "user"),
        (["plain", "otherCustomer"], "plain"),
    ])
    func overrides(_ ids: [String], _ winner: String) async throws {
        let matches: [String: BudgetMatch] = [
            "plain": BudgetMatch(), "project": BudgetMatch(project: "default"),
            "plan": BudgetMatch(plan: "default"), "model": BudgetMatch(model: "flat*"),
            "tags": BudgetMatch(tags: [Tag(key: "k", value: "v")]),
            "customer": BudgetMatch(customer: "c"), "customer2": BudgetMatch(customer: "c"),
            "user": BudgetMatch(user: "u"), "run": BudgetMatch(run: "r"),
            "otherCustomer": BudgetMatch(customer: "d"),
            "customer+tags+model+plan+project": BudgetMatch(
                project: "default", customer: "c", plan: "default", model: "*",
                tags: [Tag(key: "k", value: "v")]),
        ]
        let ledger = try await PlainLedger.fixture()
        for id in ids.reversed() {
            let match = try #require(matches[id])
            try await ledger.set(
                BudgetRule(id: id, name: "limit", match: match, window: .lifetime, amount: 100))
        }
        try await ledger.set(BudgetRule(id: "zz", window: .lifetime, amount: 100))
        let call = ledger.plain("c", 1, run: "r", user: "u", tags: [Tag(key: "k", value: "v")])
        let lines = try await ledger.reserve("x", call)?.reservation?.lines
        #expect(lines?.map(\.budget) == [winner, "zz"].sorted())
    }

    // In a glob a question mark stands for one Unicode scalar, however many bytes it has, and a
    // star for any number of them.
    @Test(arguments: [
        ("?", "a", true), ("?", "", false), ("?", "é", true), ("?", "🦊", true),
        ("??", "é", false), ("??", "éé", true), ("??", "e\u{301}", true), ("?", "e\u{301}", false),
        ("a?c", "aéc", true), ("a?c", "a🦊c", true), ("a?c", "ac", false), ("a??c", "a🦊c", false),
        ("*?", "🦊", true), ("*??", "🦊", false), ("*?é", "éé", true), ("*é?", "🦊é🦊", true),
        ("?*?", "é🦊", true), ("?*?", "é", false), ("*?*?*", "日本", true), ("*?*?*", "日", false),
        ("é", "e\u{301}", false), ("*é*", "xéx", true), ("?", "?", true), ("*", "", true),
        ("**a**", "éaé", true), ("*a", "éa\u{301}", false),
    ])
    func globs(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(globMatches(pattern, text) == matches)
        #expect(NaiveLedger.glob(pattern, text) == matches)
    }

    // A condition that names something the call does not have does not match.
    @Test(arguments: [
        (BudgetMatch(project: "other"), false), (BudgetMatch(customer: "C"), false),
        (BudgetMatch(user: "u"), true), (BudgetMatch(user: ""), false),
        (BudgetMatch(run: "r2"), false),
        (BudgetMatch(model: "flat"), false), (BudgetMatch(model: "flat-?mall"), true),
        (BudgetMatch(model: "*"), true), (BudgetMatch(model: "*-*-*"), false),
        (BudgetMatch(tags: [Tag(key: "k", value: "v")]), true),
        (BudgetMatch(tags: [Tag(key: "k", value: "w")]), false),
        (BudgetMatch(tags: [Tag(key: "k", value: "v"), Tag(key: "x", value: "y")]), false),
    ])
    func conditions(_ match: BudgetMatch, _ matches: Bool) async throws {
        let subject = Subject(
            project: "default", customer: "c", user: "u", run: "r",
            tags: [Tag(key: "k", value: "v")])
        #expect(match.matches(subject: subject, plan: "default", model: "flat-small") == matches)
    }

    // The values of the dimensions in their order, `/` and `%` escaped, so that no two counters
    // share a text: not with odd names, not with missing ones.
    @Test(arguments: scopeRows.indices)
    func scopes(row: Int) {
        let scope = scopeRows[row]
        let subject = Subject(
            project: "p", customer: scope.customer, user: scope.user,
            tags: [Tag(key: "t", value: "v")])
        let text = scopeText(per: scope.per, subject: subject, plan: "gold", model: scope.model)
        // Byte by byte: Swift's == takes differently composed letters for equal.
        #expect(Array(text.utf8) == Array(scope.text.utf8))
    }

    // Customers whose names differ only in an escape or a slash have counters of their own.
    @Test func oddNamesDoNotMeet() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(
                id: "b", per: [.customer, .user], measure: .requests, window: .lifetime, amount: 1))
        let names = [("a", "b/c"), ("a/b", "c"), ("a%2Fb", "c"), ("a%252Fb", "c"), ("a/b/c", "")]
        for (index, (customer, user)) in names.enumerated() {
            let call = ledger.plain(customer, 1, user: user.isEmpty ? nil : user)
            #expect(try await ledger.reserve("r\(index)", call)?.reservation != nil)
        }
        let count = try await ledger.engine.read { $0.state.budgets["b"]?.counters.count }
        #expect(count == names.count)
    }

    // A budget per run does not concern calls without one; its counter lives as long as the run.
    @Test func runWindows() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(id: "b", measure: .requests, window: .run, amount: 1))
        #expect(try await ledger.reserve("1", ledger.plain("c", 1))?.reservation?.lines == [])
        #expect(try await ledger.reserve("2", ledger.plain("c", 1, run: "r"))?.reservation != nil)
        ledger.clock.advance(seconds: 86_400 * 400)
        let again = try await ledger.reserve("3", ledger.plain("c", 1, run: "r"))
        // The first hold has expired and was given back.
        #expect(again?.reservation != nil)
        let third = try await ledger.reserve("4", ledger.plain("c", 1, run: "r"))?.rejection
        #expect(third?.code == .holdsFull)
        #expect(try await ledger.reserve("5", ledger.plain("c", 1, run: "r2"))?.reservation != nil)
    }

    // A customer's calls are on the budgets of the plan it is on when they are made.
    @Test func planChanges() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.ask(.setPlan(Plan(id: "gold", name: "Gold")))
        try await ledger.set(
            BudgetRule(
                id: "gold", match: BudgetMatch(plan: "gold"), measure: .requests, window: .lifetime,
                amount: 1))
        #expect(try await ledger.reserve("1", ledger.plain("c", 1))?.reservation?.lines == [])
        try await ledger.ask(
            .updateCustomer(CustomerSettings(key: ledger.customerKey("c"), plan: "gold")))
        #expect(try await ledger.reserve("2", ledger.plain("c", 1))?.reservation?.lines.count == 1)
        #expect(try await ledger.reserve("3", ledger.plain("c", 1))?.rejection?.budget == "gold")
    }
}
