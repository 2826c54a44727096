import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Projections
import Telemetry
import Testing

@Suite struct MetricsTests {
    /// Values of all samples, by name and labels as they are written.
    private func samples(_ answer: Answer) -> [String: String] {
        var found: [String: String] = [:]
        for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            found[String(line[..<space])] = String(line[line.index(after: space)...])
        }
        return found
    }

    // What happened is in the figures: decisions with their reasons, money refused, holds, events,
    // requests by route and status.
    @Test func figures() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post(
            "/v1/budgets", #"{"id":"all","measure":"charge","window":"lifetime","amount":"5"}"#)
        await fixture.reserve("a", "acme", amount: "4")
        await fixture.reserve("b", "acme", amount: "1.5")
        await fixture.reserve("b", "acme", amount: "1.5")
        _ = await fixture.post("/v1/reservations/none/settle", #"{"amount":"1"}"#)
        _ = await fixture.get("/v1/nothing")
        let head = fixture.ledger.store.head.sequence
        while fixture.api.readModels?.hasFolded(upTo: head) == false {
            try await Task.sleep(for: .milliseconds(1))
        }
        fixture.ledger.clock.advance(seconds: 90)
        let answer = await fixture.get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.response.contentType == "text/plain; version=0.0.4; charset=utf-8")
        let found = samples(answer)
        func check(_ name: String, _ value: String) {
            #expect(found[name] == value, "\(name) is \(found[name] ?? "absent")")
        }
        check(#"faregate_decisions_total{result="reserved",reason="",code=""}"#, "1")
        check(
            #"faregate_decisions_total{result="rejected",reason="budget",code="holds_full"}"#, "1")
        check(#"faregate_rejected_charge_total{rule="budget",currency="USD"}"#, "1.5")
        check(#"faregate_command_failures_total{code="not_found"}"#, "1")
        check("faregate_replays_total", "1")
        check("faregate_open_holds", "1")
        check("faregate_queue_depth", "0")
        check("faregate_queue_capacity", "32768")
        check(#"faregate_state{state="healthy"}"#, "1")
        check(#"faregate_events_appended_total{type="usage.reserved"}"#, "1")
        check("faregate_log_sequence", String(fixture.ledger.store.head.sequence))
        check(
            #"faregate_http_requests_total{route="/v1/reservations",method="POST",status="201"}"#,
            "1")
        check(#"faregate_http_requests_total{route="",method="",status="404"}"#, "1")
        // This very request is under way.
        check("faregate_http_requests_in_flight", "1")
        check("faregate_oldest_hold_age_seconds", "90")
        check("faregate_projection_lag_events", "0")
    }

    // The figures are about all projects and all customers: a key for one project may not see them,
    // nor anybody without a key.
    @Test func access() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/projects", #"{"id":"blue"}"#)
        try await fixture.addKey("key_blue", "fg_blue-secret", .admin, project: "blue")
        #expect(await fixture.get("/metrics", secret: "fg_blue-secret").code == "403 forbidden")
        #expect(await fixture.get("/metrics", secret: "fg_x").code == "401 unauthenticated")
        let read = await fixture.get("/metrics", secret: APIFixture.secrets[.read])
        #expect(read.status == 200)
    }

    // OpenMetrics for whoever asks for it.
    @Test func openMetrics() async throws {
        let fixture = try await APIFixture.shared.value
        let answer = await fixture.ask(
            "GET", "/metrics", accept: "application/openmetrics-text; version=1.0.0")
        #expect(answer.response.contentType.hasPrefix("application/openmetrics-text"))
        #expect(answer.text.hasSuffix("\n# EOF\n"))
    }

    // While a commit hangs and the queue is full, requests are refused at once with a time to come
    // back, reads of status go on, and metrics and readiness say what is the matter.
    @Test func hangingCommit() async throws {
        let store = HangingStore()
        var engine = EngineConfiguration()
        engine.queueMax = 64
        engine.undurableMax = 64
        let fixture = try await APIFixture(store: store, engine: engine)
        store.hang()
        let clock = ContinuousClock()
        let answers = await withTaskGroup(of: (Answer, Duration).self) { group in
            for number in 0..<400 {
                group.addTask {
                    let start = clock.now
                    let answer = await fixture.reserve("r\(number)", "c", amount: "1")
                    return (answer, start.duration(to: clock.now))
                }
            }
            group.addTask {
                while fixture.api.engine.metrics.overloadCount < 50 {
                    try? await Task.sleep(for: .milliseconds(1))
                }
                let metrics = await fixture.get("/metrics")
                #expect(metrics.status == 200)
                #expect(samples(metrics)["faregate_write_running_seconds"] != "0")
                #expect(samples(metrics)["faregate_queue_depth"] != "0")
                store.goOn()
                return (metrics, .zero)
            }
            var all: [(Answer, Duration)] = []
            for await answer in group { all.append(answer) }
            return all
        }
        let refused = answers.filter { $0.0.status == 503 }
        #expect(refused.count >= 50)
        for (answer, took) in refused {
            #expect(answer.code == "503 overloaded")
            #expect(answer.response.header("Retry-After") == "1")
            #expect(took < .seconds(5))
        }
        #expect(answers.allSatisfy { [200, 201, 503].contains($0.0.status) })
    }

    // Once the server is to stop, readiness says so while everything else goes on.
    @Test func draining() async throws {
        let fixture = try await APIFixture()
        #expect(await fixture.get("/readyz").status == 200)
        fixture.api.beginDraining()
        let readiness = await fixture.get("/readyz")
        #expect(readiness.status == 503)
        #expect(readiness.string("state") == "draining")
        #expect(readiness.response.header("Retry-After") == "1")
        #expect(await fixture.get("/healthz").status == 200)
        #expect(await fixture.reserve("a", "c", amount: "1").status == 201)
    }

    // Before there is a ledger the server is alive, not ready and says how far it is; all else is
    // to be asked again.
    @Test func starting() throws {
        let progress = StartingProgress(folded: 3, total: 10)
        func ask(_ method: String, _ path: String) -> Answer {
            Answer(progress.answer(APIRequest(method, path: path)))
        }
        #expect(ask("GET", "/healthz").status == 200)
        let readiness = ask("GET", "/readyz")
        #expect(readiness.status == 503)
        #expect(readiness.text == #"{"events_folded":3,"events_total":10,"state":"starting"}"#)
        for (method, path) in [("POST", "/v1/reservations"), ("GET", "/metrics"), ("GET", "/x")] {
            #expect(ask(method, path).code == "503 starting")
            #expect(ask(method, path).response.header("Retry-After") == "1")
        }
    }
}
