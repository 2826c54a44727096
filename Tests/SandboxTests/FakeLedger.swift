import CanonicalJSON
import Money
import Synchronization

/// A ledger that knows just enough to be played against: every prompt token costs and charges one
/// micro unit, every output token two; a model without price is refused. It has no rules of its
/// own.
final class FakeLedger: Sendable {
    /// What goes wrong on purpose.
    struct Faults: Sendable {
        /// So many first requests for reservations get 503, and as many no answer at all.
        var unavailable = 0
        /// A first refusal for full holds for each of so many calls.
        var full = 0
        /// Added to what the balance of this customer says it was charged.
        var misbookedCustomer: String?
        var opensTestClock = false
        var refusesKey = false
        var isGone = false
    }

    private struct Account {
        var totals = ["reserved", "settled", "released", "expired", "rejected"]
            .reduce(into: [String: Int64]()) { $0[$1] = 0 }
        var tokens: Int64 = 0
        var micros: Int64 = 0
    }

    private struct Hold {
        var customer: String
        var answer: FakeServer.Answer
        var isShort: Bool
        var isSettled = false
        var settlement: FakeServer.Answer?
    }

    private struct State {
        var accounts: [String: Account] = [:]
        var holds: [String: Hold] = [:]
        var projects: Set<String> = []
        var paths: [String] = []
        var unavailable = 0
        var lost = 0
        var full = 0
    }

    private let faults: Faults
    private let state = Mutex(State())

    init(faults: Faults = Faults(), takenProjects: Set<String> = []) {
        self.faults = faults
        state.withLock {
            $0.projects = takenProjects
            $0.unavailable = faults.unavailable
            $0.lost = faults.unavailable
            $0.full = faults.full
        }
    }

    /// "POST /v1/customers" and so on, in the order in which they came.
    var paths: [String] { state.withLock { $0.paths } }

    func answer(_ request: FakeServer.Request) -> FakeServer.Answer {
        state.withLock { state in
            state.paths.append("\(request.method) \(request.path)")
            if faults.refusesKey { return failure(401, "unauthenticated") }
            if faults.isGone, state.holds.count > 3 {
                return FakeServer.Answer(status: 0, isLost: true)
            }
            let parts = request.path.split(separator: "/").map(String.init)
            switch (request.method, parts.dropFirst().first, parts.count) {
            case ("GET", "test_clock", _):
                return faults.opensTestClock
                    ? FakeServer.Answer(status: 200) : failure(404, "no_test_clock")
            case ("POST", "projects", 2):
                let isNew = state.projects.insert(text(request, "id")).inserted
                return isNew ? FakeServer.Answer(status: 201) : failure(409, "already_exists")
            case ("POST", "reservations", 2): return reserve(request, &state)
            case ("POST", "reservations", 4): return resolve(parts[2], parts[3], request, &state)
            case ("GET", "customers", 4): return balance(parts[2], state)
            case ("PUT", _, _): return FakeServer.Answer(status: 200)
            default: return FakeServer.Answer(status: 201)
            }
        }
    }

    private func reserve(_ request: FakeServer.Request, _ state: inout State) -> FakeServer.Answer {
        if state.unavailable > 0 {
            state.unavailable -= 1
            return FakeServer.Answer(status: 503, headers: ["retry-after": "0"])
        }
        if state.lost > 0 {
            state.lost -= 1
            return FakeServer.Answer(status: 0, isLost: true)
        }
        let id = text(request, "id")
        if var known = state.holds[id]?.answer {
            known.headers["idempotent-replayed"] = "true"
            return known
        }
        let customer = text(request, "customer")
        var answer: FakeServer.Answer
        if text(request, "model") == TestNames.unlistedModel {
            answer = refusal(402, "unknown_price", "price")
        } else if state.full > 0, !id.hasSuffix("-again") {
            state.full -= 1
            answer = refusal(429, "holds_full", "budget")
            answer.headers["retry-after"] = "1"
        } else {
            answer = reserved(request)
        }
        let isReserved = answer.status == 201
        state.accounts[customer, default: Account()].totals[
            isReserved ? "reserved" : "rejected"]! += 1
        let isShort = request.body["ttl_seconds"] == .integer(1)
        state.holds[id] = Hold(customer: customer, answer: answer, isShort: isShort)
        if isReserved, isShort {
            state.accounts[customer]!.totals["expired"]! += 1
            if text(request, "on_expiry") == "charge" {
                charge(customer, expected(request), &state)
            }
        }
        return answer
    }

    private func reserved(_ request: FakeServer.Request) -> FakeServer.Answer {
        let (tokens, micros) = expected(request)
        let figures = JSONObject([
            ("cost", .string(money(micros))), ("charge", .string(money(micros))),
            ("tokens", .integer(tokens)), ("requests", .integer(1)),
        ])
        return FakeServer.Answer(
            status: 201,
            body: .object(
                JSONObject([
                    ("event", .integer(1)),
                    ("max_output_tokens", counts(request)["max_output_tokens"] ?? .null),
                    ("estimate", .object(JSONObject([("expected", .object(figures))]))),
                    ("budgets", .array([])),
                ])))
    }

    private func resolve(
        _ id: String, _ what: String, _ request: FakeServer.Request, _ state: inout State
    ) -> FakeServer.Answer {
        guard let hold = state.holds[id] else { return failure(404, "not_found") }
        if what == "release" {
            state.accounts[hold.customer]!.totals["released"]! += 1
            return FakeServer.Answer(status: 200)
        }
        if var settlement = hold.settlement {
            settlement.headers["idempotent-replayed"] = "true"
            return settlement
        }
        guard case .object(let usage)? = request.body["usage"] else {
            return failure(400, "missing")
        }
        let figures = rated(usage["input_tokens"], usage["output_tokens"])
        charge(hold.customer, figures, &state)
        state.accounts[hold.customer]!.totals["settled"]! += 1
        let answer = FakeServer.Answer(
            status: 200,
            body: .object(
                JSONObject([
                    ("cost", .string(money(figures.micros))),
                    ("charge", .string(money(figures.micros))), ("overrun", .string("0")),
                    ("late", .bool(hold.isShort)), ("event", .integer(2)),
                ])))
        state.holds[id]?.settlement = answer
        return answer
    }

    private func balance(_ customer: String, _ state: State) -> FakeServer.Answer {
        guard let account = state.accounts[customer] else {
            return customer == TestNames.unseenCustomer
                ? failure(404, "not_found") : balanceBody(customer, Account())
        }
        return balanceBody(customer, account)
    }

    private func balanceBody(_ customer: String, _ account: Account) -> FakeServer.Answer {
        let micros = account.micros + (customer == faults.misbookedCustomer ? 1 : 0)
        var totals = JSONObject(
            account.totals.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })
        totals.append("tokens", .integer(account.tokens))
        totals.append("cost", .string(money(account.micros)))
        totals.append("charge", .string(money(micros)))
        totals.append("overrun", .string("0"))
        let time = JSONObject([("time", .string("2026-11-22T14:45:19.123456Z"))])
        return FakeServer.Answer(
            status: 200,
            body: .object(
                JSONObject([
                    ("plan", .string("sandbox-team")), ("funding", .string("postpaid")),
                    ("currency", .string("USD")), ("open_reservations", .integer(0)),
                    ("held", .string("0")), ("grants_available", .string("0")),
                    ("debt", .string("0")), ("owed", .string(money(micros))),
                    ("as_of", .object(time)), ("totals", .object(totals)),
                ])))
    }

    // MARK: Figures

    private func counts(_ request: FakeServer.Request) -> JSONObject {
        guard case .object(let counts)? = request.body["usage_estimate"] else {
            return JSONObject()
        }
        return counts
    }

    private func expected(_ request: FakeServer.Request) -> (tokens: Int64, micros: Int64) {
        let counts = counts(request)
        return rated(counts["input_tokens"], counts["expected_output_tokens"])
    }

    private func rated(_ input: JSONValue?, _ output: JSONValue?) -> (tokens: Int64, micros: Int64)
    {
        guard case .integer(let input)? = input, case .integer(let output)? = output else {
            return (0, 0)
        }
        return (input + output, input + 2 * output)
    }

    private func charge(
        _ customer: String, _ figures: (tokens: Int64, micros: Int64), _ state: inout State
    ) {
        state.accounts[customer]!.tokens += figures.tokens
        state.accounts[customer]!.micros += figures.micros
    }

    private func money(_ micros: Int64) -> String { Money(nanos: micros * 1_000).decimalText }

    // MARK: Errors

    private func text(_ request: FakeServer.Request, _ name: String) -> String {
        guard case .string(let text)? = request.body[name] else { return "" }
        return text
    }

    private func failure(_ status: Int, _ code: String) -> FakeServer.Answer {
        FakeServer.Answer(status: status, body: error(code, []))
    }

    private func refusal(_ status: Int, _ code: String, _ rule: String) -> FakeServer.Answer {
        FakeServer.Answer(status: status, body: error(code, [("rule", .string(rule))]))
    }

    private func error(_ code: String, _ more: [(String, JSONValue)]) -> JSONValue {
        let members = [("code", JSONValue.string(code)), ("message", .string("no"))] + more
        return .object(JSONObject([("error", .object(JSONObject(members)))]))
    }
}
