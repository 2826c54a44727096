import Billing
import FaregateTestSupport
import Testing

@testable import Notifications

@Suite struct SignatureTests {
    // The example of the Standard Webhooks specification.
    @Test func published() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    // Base64 comes back as it went, and nothing else is taken.
    @Test func base64() {
        var random = SeededGenerator(seed: 11)
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        for text in ["a", "Zm9vYg=", "Zm9v YmE", "Zh==", "====", "Zm9-"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
        #expect(WebhookSecret("whsec_AAAA") == nil)
        #expect(WebhookSecret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == nil)
    }
}

@Suite struct ScheduleTests {
    private let now = Instant(microseconds: 1_772_452_800_000_000)

    private func pause(
        _ outcome: AttemptOutcome, _ failures: Int, jitter: UInt64 = 0
    ) -> Int64? {
        let verdict = DeliverySchedule.verdict(
            outcome, failures: failures, now: now, jitter: jitter)
        guard case .again(let at) = verdict else { return nil }
        return (at.microseconds - now.microseconds) / 1_000_000
    }

    // The table of pauses, and the end of it.
    @Test func table() {
        let pauses = (0..<8).map { pause(.failed("x"), $0) }
        #expect(pauses == [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, nil])
        #expect(
            DeliverySchedule.verdict(.failed("x"), failures: 7, now: now, jitter: 0) == .giveUp)
    }

    // Jitter lengthens by at most a fifth.
    @Test func jitter() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<1_000 {
            let found = pause(.failed("x"), 1, jitter: random.next()) ?? 0
            #expect((300...360).contains(found))
        }
    }

    // 2xx is delivered, 410 is the end of the endpoint, redirects and all else are failures.
    @Test func statuses() {
        func verdict(_ status: Int) -> DeliveryVerdict {
            DeliverySchedule.verdict(
                .answered(status: status, retryAfter: nil), failures: 0, now: now, jitter: 0)
        }
        #expect(verdict(200) == .delivered)
        #expect(verdict(299) == .delivered)
        #expect(verdict(410) == .gone)
        for status in [100, 301, 302, 400, 404, 500, 503] {
            #expect(verdict(status) == .again(at: now.advanced(bySeconds: 5)), "\(status)")
        }
    }

    // Retry-After lengthens a pause, up to a day, and never shortens it.
    @Test func retryAfter() {
        func pause(_ text: String, _ failures: Int = 0) -> Int64? {
            self.pause(.answered(status: 429, retryAfter: text), failures)
        }
        #expect(pause("120") == 120)
        #expect(pause("3") == 5)
        #expect(pause("99999999999999999999") == 86_400)
        #expect(pause("Mon, 02 Mar 2026 12:01:30 GMT") == 90)
        #expect(pause("Mon, 02 Mar 2020 12:01:30 GMT") == 5)
        for text in ["", "soon", "-5", "Mon, 99 Foo 2026 12:01:30 GMT", "1.5"] {
            #expect(pause(text) == 5, "\(text)")
        }
    }
}

@Suite struct TargetTests {
    private func fault(_ url: String, _ change: (inout TargetRules) -> Void = { _ in }) -> String? {
        var rules = TargetRules()
        change(&rules)
        do throws(Target.Fault) {
            _ = try Target(url: url, rules: rules)
            return nil
        } catch {
            return error.message
        }
    }

    // Public https, with and without port, path and query.
    @Test func good() {
        for url in [
            "https://example.com", "https://example.com:8443/a?b=c", "HTTPS://Example.COM/x",
            "https://8.8.8.8/", "https://[2606:4700::1111]/x",
        ] { #expect(fault(url) == nil, "\(url)") }
    }

    // What is malformed, or not https.
    @Test func malformed() {
        for url in [
            "", "example.com", "ftp://example.com", "https://", "https:///x", "https://a b/",
            "https://user@example.com", "https://example.com#x", "https://example.com:0",
            "https://example.com:99999", "https://example.com:x", "https://[::1",
            "https://ex\u{e4}.de",
            "https://example.com\\@evil", "http://example.com/",
        ] { #expect(fault(url) != nil, "\(url)") }
        #expect(fault("http://example.com/") { $0.allowsHTTP = true } == nil)
    }

    // This machine and private networks, in every spelling.
    @Test func privateTargets() {
        for url in [
            "https://localhost/", "https://a.localhost./", "https://127.0.0.1/", "https://127.1/",
            "https://0x7f000001/", "https://2130706433/", "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.0.1/", "https://169.254.169.254/", "https://100.64.0.1/",
            "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[fe80::1]/",
            "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/", "https://metadata.google.internal/", "https://224.0.0.1/",
            "https://printer.local/",
        ] {
            #expect(fault(url)?.contains("private") == true, "\(url)")
            #expect(fault(url) { $0.allowsPrivate = true } == nil, "\(url)")
        }
        #expect(fault("http://127.0.0.1:9/") { $0.allowsPrivate = true } == nil)
        #expect(fault("http://10.0.0.1/") { $0.allowsPrivate = true } != nil)
    }

    // Percentages of the setting.
    @Test func percentages() {
        #expect(NotificationSettings.percentages("50, 80,100") == [50, 80, 100])
        #expect(NotificationSettings.percentages("") == [])
        for text in ["0", "80,50", "50,50", "5x", "50,,80", "1001", "-1"] {
            #expect(NotificationSettings.percentages(text) == nil, "\(text)")
        }
    }
}
