import CanonicalJSON
import Glibc
import Logging
import Testing

@testable import Observability

/// Runs `body` with a log handler on a pipe and returns the lines that came out.
private func lines(
    level: Logger.Level = .info, _ body: (Logger) -> Void
) throws -> [String] {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let output = LogOutput(descriptor: ends[1])
    let logger = Logger(label: "test.log") { label in
        JSONLogHandler(label: label, level: level, output: output) { 1_795_358_719_123_456 }
    }
    body(logger)
    close(ends[1])
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(ends[0], &bytes, bytes.count)
    close(ends[0])
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        .split(separator: "\n").map(String.init)
}

@Suite struct LoggingTests {
    // One record is one line of JSON, members sorted, the time in RFC 3339 with microseconds.
    @Test func lineIsOneJSONObject() throws {
        let lines = try lines {
            $0.warning("disk\nfull", metadata: ["free": "12", "at": ["b", "a"]])
        }
        #expect(
            lines == [
                #"{"label":"test.log","level":"warning","message":"disk\nfull","metadata":"#
                    + #"{"at":["b","a"],"free":"12"},"time":"2026-11-22T14:45:19.123456Z"}"#
            ])
        _ = try StrictJSON.parse(lines[0])
    }

    // Records below the handler's level are not written.
    @Test func levelIsKept() throws {
        let lines = try lines(level: .warning) {
            $0.info("quiet")
            $0.error("loud")
        }
        #expect(lines.count == 1)
        #expect(lines[0].contains("loud"))
    }

    // The call's metadata wins over the logger's own.
    @Test func metadataMerges() throws {
        let lines = try lines { logger in
            var logger = logger
            logger[metadataKey: "port"] = "1"
            logger[metadataKey: "host"] = "a"
            logger.info("x", metadata: ["port": "2"])
        }
        #expect(lines[0].contains(#""metadata":{"host":"a","port":"2"}"#))
    }

    // A secret never reaches the log: not by its member's name, not inside a text, not in an error.
    @Test func secretsAreMasked() throws {
        struct Failure: Error, CustomStringConvertible {
            var description: String { "401 for Bearer fg_abcdefgh12345678 sent" }
        }
        let lines = try lines { logger in
            logger.info(
                "key fg_0123456789abcdef used",
                metadata: [
                    "Authorization": "Bearer anything", "admin_key": "hunter2hunter2",
                    "nested": ["why": "fg_zzzzzzzz99"],
                ])
            logger.error("refused", error: Failure())
        }
        let text = lines.joined()
        for secret in ["0123456789abcdef", "anything", "hunter2", "zzzzzzzz99", "abcdefgh12345678"]
        {
            #expect(!text.contains(secret), "\(secret) in \(text)")
        }
        #expect(text.contains("fg_[redacted]"))
        #expect(text.contains("401 for Bearer fg_[redacted] sent"))
    }

    // Masking leaves text alone that only looks a little like a key.
    @Test(arguments: ["fg_", "fg_short", "cfg_0123456789", "no key here", ""])
    func harmlessTextStays(text: String) {
        #expect(Redaction.text(text) == text)
    }

    // The mask says nothing of the secret, not even its length; nothing stays nothing.
    @Test func redactedSaysNothing() {
        #expect(redacted("a") == redacted("a much longer secret"))
        #expect(redacted(nil) == "")
        #expect(redacted("") == "")
    }
}
