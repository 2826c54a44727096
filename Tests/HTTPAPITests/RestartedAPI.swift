import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import TimeZones

enum InMemoryStores {
    static func make() -> InMemoryEventStore {
        InMemoryEventStore(identity: LedgerFixture.identity)
    }
}

/// A second engine and API on a store that has a log already, as after a restart.
struct RestartedAPI: Sendable {
    let api: API

    init(store: any EventStore) async throws {
        let engine = try Engine(
            store: store, clock: ManualClock(LedgerFixture.start),
            calendar: BudgetCalendar(TimeZoneDatabase()))
        api = API(engine: engine)
    }

    func post(_ path: String, _ body: String) async -> Answer {
        Answer(
            await api.respond(
                to: APIRequest(
                    "POST", path: path, body: Array(body.utf8), contentType: "application/json",
                    principal: .operatorProcess)))
    }

    func reserve(_ id: String, _ customer: String, amount: String) async -> Answer {
        await post(
            "/v1/reservations",
            #"{"id":"\#(id)","customer":"\#(customer)","model":"gpt-4o","amount":"\#(amount)"}"#)
    }
}
