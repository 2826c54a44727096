import Billing
import EventLog
import FaregateTestSupport
import Money
import Testing

@Suite struct SnapshotStateTests {
    // A state comes back whole from its snapshot, and gives the same bytes again.
    @Test(arguments: [0, 1, 3, 40])
    func roundTrip(size: Int) throws {
        var random = RandomEvents(seed: UInt64(size) + 1)
        let state = random.state(size: size)
        let bytes = StateSnapshot.encode(state)
        let decoded = try StateSnapshot.decode(bytes)
        #expect(StateSnapshot.describeDifference(state, decoded) == nil)
        #expect(StateSnapshot.encode(decoded) == bytes)
        #expect(decoded.customersByOpening.count == state.customers.count)
    }

    // Equal states give equal bytes, whatever the order in which their dictionaries were filled.
    @Test func bytesDoNotDependOnHistory() {
        var random = RandomEvents(seed: 9)
        let state = random.state(size: 60)
        var other = LedgerState()
        other.sequence = state.sequence
        other.time = state.time
        other.ledger = state.ledger
        other.priceBook = state.priceBook
        other.customers.reserveCapacity(1_000)
        for key in state.customers.keys.sorted().reversed() {
            other.customers[key] = state.customers[key]
        }
        for key in state.budgets.keys.sorted().reversed() {
            guard var budget = state.budgets[key] else { continue }
            let counters = budget.counters
            budget.counters = [:]
            for scope in counters.keys.sorted().reversed() {
                budget.counters[scope] = counters[scope]
            }
            other.budgets[key] = budget
        }
        other.projects = state.projects.filter { _ in true }
        other.plans = state.plans.filter { _ in true }
        other.keys = state.keys.filter { _ in true }
        other.runs = state.runs.filter { _ in true }
        other.reservations = state.reservations.filter { _ in true }
        other.rebuildIndexes()
        #expect(StateSnapshot.encode(other) == StateSnapshot.encode(state))
    }

    // Damaged snapshots are errors or other states, never a trap; so is every beginning of one.
    @Test func damagedSnapshotsNeverTrap() {
        var random = RandomEvents(seed: 10)
        var damage = Damage(seed: 11)
        let bytes = StateSnapshot.encode(random.state(size: 3))
        for _ in 0..<2_000 {
            let damaged = damage.damaged(bytes)
            do {
                _ = try StateSnapshot.decode(damaged)
            } catch {
                #expect((0...damaged.count).contains(error.offset))
            }
        }
        let small = StateSnapshot.encode(random.state(size: 1))
        for count in 0..<small.count {
            #expect(throws: CodecError.self) { try StateSnapshot.decode(Array(small[..<count])) }
        }
        #expect(throws: CodecError.self) { try StateSnapshot.decode(small + [0]) }
    }

    // A count that promises more than the bytes can hold is refused before room is made for it.
    @Test func dishonestCount() {
        var bytes = StateSnapshot.encode(LedgerState())
        // The eight empty sections are the last eight bytes.
        bytes.replaceSubrange(bytes.count - 2..<bytes.count, with: [0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        let error = #expect(throws: CodecError.self) { try StateSnapshot.decode(bytes) }
        #expect(error?.code == .truncated)
    }

    // A snapshot of another format or another layout is refused by that name: the log is folded
    // then.
    @Test func otherFormats() {
        let bytes = StateSnapshot.encode(LedgerState())
        var otherFormat = bytes
        otherFormat[4] = UInt8(StateSnapshot.format + 1)
        var otherLayout = bytes
        otherLayout[5] ^= 1
        for other in [otherFormat, otherLayout] {
            let error = #expect(throws: CodecError.self) { try StateSnapshot.decode(other) }
            #expect(error?.code == .otherFormat)
        }
    }

    // The layout is that of the format's number. When this fails, raise `StateSnapshot.format`, and
    // put the new digest here: old snapshots must not even be read.
    @Test func layoutBelongsToFormat() {
        #expect(StateSnapshot.format == 3)
        let digest = StateSnapshot.encode(LedgerState())[5..<13]
        let text = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == "ae296ea831bb9381")
    }

    // A difference names the entity, the field and both values.
    @Test func differencesAreNamed() {
        var random = RandomEvents(seed: 12)
        var state = LedgerState()
        var customer = Customer(id: "acme", project: "default", debt: Money(nanos: 1_500_000_000))
        customer.grants = [Grant(terms: GrantTerms(id: "g", amount: Money(nanos: 5)))]
        state.customers[customer.key] = customer
        state.budgets["b"] = Budget(
            rule: BudgetRule(id: "b"), counters: ["default/acme": Counter(spent: 7)])
        state.priceBook = [random.record()]

        func difference(_ change: (inout LedgerState) -> Void) -> String? {
            var other = state
            change(&other)
            return StateSnapshot.describeDifference(state, other)
        }
        #expect(difference { _ in } == nil)
        #expect(difference { $0.sequence = 3 } == "sequence is 0 here and 3 there")
        #expect(
            difference { $0.customers[customer.key]?.debt = .zero }
                == #"customer default/acme: debt is "1.5" here and "0" there"#)
        #expect(
            difference { $0.customers[customer.key]?.grants[0].terms.priority = 2 }
                == "customer default/acme: grants[0].terms.priority is absent here and 2 there")
        #expect(
            difference { $0.customers[customer.key]?.grants = [] }
                == "customer default/acme: grants has 1 elements here and 0 there")
        #expect(
            difference { $0.customers[customer.key] = nil } == "customer default/acme is only here")
        #expect(
            difference { $0.plans["p"] = Plan(id: "p") } == "plan p is only there")
        #expect(
            difference { $0.budgets["b"]?.counters["default/acme"]?.openHolds = 1 }
                == "budget b, counter default/acme: open_holds is 0 here and 1 there")
        #expect(
            difference { $0.budgets["b"]?.generation = 4 }
                == "budget b: generation is 0 here and 4 there")
        #expect(
            difference { $0.priceBook = [] } == "price book has 1 versions here and 0 there")
    }
}
