import CanonicalJSON
import Configuration
import Testing

@testable import faregate

/// Customers, money, rules and keys, from the command line against a live server.
@Suite struct AdministrationTests {
    // A customer from opening to closing.
    @Test func customers() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must("plan", "set", "pro", "--name", "Pro", "--markup", "20%")
            try await cli.must(
                "customer", "create", "acme", "--plan", "pro", "--name", "Acme Ltd", "--funding",
                "prepaid")
            #expect(await cli.run("customer", "create", "acme").status == 1)
            try await cli.must("customer", "update", "acme", "--billing-day", "15")
            let shown = try await cli.must("customer", "show", "acme")
            #expect(shown.contains("Billing day:    15"))
            #expect(shown.contains("Own terms:      prepaid"))
            try await cli.must("customer", "suspend", "acme", "--reason", "invoice overdue")
            let refused = await cli.run(
                "reserve", "r1", "--customer", "acme", "--model", "x", "--amount", "1")
            #expect(refused.status == 3)
            #expect(refused.out.contains("invoice overdue"))
            try await cli.must("customer", "resume", "acme")
            try await cli.must("customer", "link", "acme", "cus_123")
            try await cli.must("customer", "close", "acme", "--reason", "left")
            let events = try await cli.must("customer", "events", "acme")
            for type in ["opened", "updated", "suspended", "resumed", "linked", "closed"] {
                #expect(events.contains("customer.\(type)"))
            }
            #expect(try await cli.must("customer", "list").contains("closed"))
        }
    }

    // Credit is granted, shown and revoked; a payment lowers what is owed, a negative one raises
    // it.
    @Test func money() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must("credit", "grant", "a", "50", "--id", "g1", "--priority", "-5")
            try await cli.must(
                "credit", "grant", "a", "5.50", "--id", "g2", "--category", "promotional")
            let list = try await cli.must("credit", "list", "a")
            #expect(list.contains("g1"))
            #expect(list.contains("promotional"))
            #expect(
                try await cli.must("credit", "revoke", "a", "g1")
                    == "Revoked grant g1 of a: 50 was left.\n")
            try await cli.must("payment", "record", "a", "120", "--idempotency-key", "in_1")
            try await cli.must("payment", "record", "a", "120", "--idempotency-key", "in_1")
            try await cli.must("payment", "record", "a", "--", "-20")
            let balance = try StrictJSON.parse(await cli.must("balance", "a", "--json"))
            #expect(balance["totals"]["paid"].text == "100")
            #expect(balance["owed"].text == "-100")
        }
    }

    // Budgets: set, listed, shown with their counters, removed.
    @Test func budgets() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must(
                "budget", "set", "calls", "--measure", "requests", "--amount", "60", "--window",
                "minute", "--per", "customer", "--match-model", "gpt-*", "--match-tag", "team=a")
            let shown = try await cli.must("budget", "show", "calls")
            #expect(shown.contains("requests 60 a minute"))
            #expect(shown.contains("model gpt-*, tags team=a"))
            #expect(shown.contains("No counter has been used."))
            try await cli.must(
                "reserve", "r1", "--customer", "a", "--model", "gpt-x", "--amount", "1", "--tag",
                "team=a")
            let counters = try await cli.must("budget", "show", "calls", "--counters", "--json")
            #expect(try StrictJSON.parse(counters)["data"].items.first["held"].integer == 1)
            #expect(try await cli.must("budget", "list").contains("calls"))
            try await cli.must("budget", "remove", "calls")
            #expect(try await cli.must("budget", "list") == "No budgets.\n")
        }
    }

    // A project is opened by the first `set` and changed by the next; a ceiling prices unknown
    // models.
    @Test func projects() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must("project", "set", "staging", "--hold-seconds", "120")
            try await cli.must(
                "project", "set", "staging", "--ceiling-input", "15", "--ceiling-output", "75")
            let shown = try await cli.must("project", "show", "staging")
            #expect(shown.contains("120 s"))
            #expect(shown.contains("15 / 75 per million"))
            let size = [
                "--customer", "a", "--model", "nobody-knows", "--input", "10", "--max-output", "10",
            ]
            #expect(await cli.run(["reserve", "r1", "--project", "staging"] + size).status == 0)
            let inDefault = await cli.run(["reserve", "r1"] + size)
            #expect(inDefault.status == 3)
            #expect(inDefault.error.contains("unknown_price"))
            #expect(await cli.run("project", "set", "x", "--ceiling-input", "1").status == 2)
            #expect(try await cli.must("project", "list").contains("staging"))
        }
    }

    // FAREGATE_PROJECT stands in for --project where a command acts in one.
    @Test func projectFromTheEnvironment() async throws {
        try await LiveServer.run { server in
            var cli = server.cli
            try await cli.must("project", "set", "staging")
            cli.environment["FAREGATE_PROJECT"] = "staging"
            try await cli.must("customer", "create", "a")
            let json = try StrictJSON.parse(await cli.must("customer", "show", "a", "--json"))
            #expect(json["project"].text == "staging")
            try await cli.must("budget", "set", "b", "--amount", "1", "--window", "day")
            #expect(try await cli.must("budget", "show", "b").contains("every call"))
        }
    }

    // A key's secret is printed once and works; after its revocation it does not; roles are kept.
    @Test func keys() async throws {
        try await LiveServer.run { server in
            var cli = server.cli
            let secret = try await cli.must(
                "key", "create", "--role", "read", "--id", "k1", "--secret-only")
            let admin = cli
            cli.environment["FAREGATE_KEY"] = String(secret.dropLast())
            try await cli.must("plan", "list")
            let forbidden = await cli.run("plan", "set", "p")
            #expect(forbidden.status == 1)
            #expect(forbidden.error.contains("(forbidden)"))
            let list = try await admin.must("key", "list")
            #expect(list.contains("k1"))
            #expect(!list.contains(secret.dropLast()))
            try await admin.must("key", "revoke", "k1")
            let revoked = await cli.run("plan", "list")
            #expect(revoked.status == 1)
            #expect(revoked.error.contains("(unauthenticated)"))
        }
    }

    // The test clock is shown, set and advanced; a ledger on the real clock has none.
    @Test func testClock() async throws {
        try await LiveServer.run(["test_clock": .bool(true)]) { server in
            let cli = server.cli
            #expect(try await cli.must("clock", "show") == "2000-01-01T00:00:00.000000Z\n")
            try await cli.must("clock", "set", "2027-03-01T00:00:00Z")
            #expect(try await cli.must("clock", "advance", "90") == "2027-03-01T00:01:30.000000Z\n")
            #expect(await cli.run("clock", "set", "2020-01-01T00:00:00Z").status == 1)
        }
        try await LiveServer.run { server in
            let outcome = await server.cli.run("clock", "show")
            #expect(outcome.status == 1)
            #expect(outcome.error.contains("(no_test_clock)"))
        }
    }

    // Events: filtered, paged, and as the API's JSON.
    @Test func events() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            for id in ["a", "b", "c"] { try await cli.must("customer", "create", id) }
            let one = await cli.run("events", "--type", "customer.opened", "--customer", "b")
            #expect(one.out.split(separator: "\n").count == 2)
            let first = await cli.run("events", "--limit", "2")
            #expect(first.error == "There is more: --after 2\n")
            let json = try StrictJSON.parse(
                await cli.must("events", "--after", "2", "--limit", "1", "--json"))
            #expect(json["data"].items.first["seq"].integer == 3)
        }
    }
}
