import Glibc
import Testing

@testable import Sandbox

struct TraceReaderTests {
    static let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n"

    private func rows(_ text: String, chunkBytes: Int = 1 << 16) throws(TraceError) -> [TraceRow] {
        var reader = try TraceReader(.bytes(Array(text.utf8)), chunkBytes: chunkBytes)
        var rows: [TraceRow] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    private func failure(_ text: String) -> TraceError? {
        do throws(TraceError) {
            _ = try rows(text)
            return nil
        } catch {
            return error
        }
    }

    // The sample in the binary is the one that its documentation promises.
    @Test func readsTheSample() throws {
        let survey = try TraceSurvey(.sample)
        #expect(survey.requests == 2_000)
        #expect(survey.firstArrival == 1_700_158_546_680_590)
        #expect(survey.lastArrival == 1_700_158_970_940_047)
        #expect(survey.microseconds == 424_259_457)
        var reader = try TraceReader(.sample)
        let first = try reader.next()
        #expect(
            first
                == TraceRow(
                    line: 2, arrival: 1_700_158_546_680_590, contextTokens: 374,
                    generatedTokens: 44))
    }

    // Every accepted way to write a line, wherever the chunks of the file happen to end.
    @Test(arguments: [1, 2, 3, 7, 64, 65_536])
    func readsEveryForm(chunkBytes: Int) throws {
        let text =
            Self.header + "1970-01-01 00:00:00,0,0\r\n" + "1970-01-01 00:00:00.5,1,10000000\n"
            + "1970-01-01 00:00:01.1234567,12,3\n" + "1970-01-01 00:00:01.123456999,12,3\n"
            + "2024-02-29 23:59:59.000001+00:00,007".dropLast(3) + "7,8"
        let rows = try rows(text, chunkBytes: chunkBytes)
        #expect(rows.map(\.line) == [2, 3, 4, 5, 6])
        #expect(
            rows.map(\.arrival) == [0, 500_000, 1_123_456, 1_123_456, 1_709_251_199_000_001])
        #expect(rows.map(\.contextTokens) == [0, 1, 12, 12, 7])
        #expect(rows.map(\.generatedTokens) == [0, 10_000_000, 3, 3, 8])
    }

    /// Text that is no trace, and where its fault is.
    struct Fault: Sendable, CustomTestStringConvertible {
        var text: String
        var line: Int
        var column: String?

        /// `lines` after a good header.
        init(_ lines: String, _ line: Int, _ column: String? = nil) {
            text = TraceReaderTests.header + lines
            self.line = line
            self.column = column
        }

        init(header: String) {
            text = header
            line = 1
        }

        var testDescription: String { text.suffix(60).debugDescription }
    }

    // A fault is named by line and column, and nothing after it is played.
    @Test(arguments: [
        Fault(header: ""), Fault(header: "\n"), Fault(header: "\u{FEFF}" + header),
        Fault(header: "timestamp,ContextTokens,GeneratedTokens\n"), Fault(header: " " + header),
        Fault(String(repeating: "9", count: 100_000), 2),
        Fault("\n", 2),
        Fault("2023-11-16 18:15:46,1\n", 2),
        Fault("2023-11-16 18:15:46,1,2,3\n", 2),
        Fault("2023-11-16 18:15:46,1,2\n\n2023-11-16 18:15:47,1,2\n", 3),
        Fault("2023-11-16T18:15:46,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-31 18:15:46,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-02-29 18:15:46,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 24:00:00,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 23:59:60,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 18:15:46.,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 18:15:46.1234567890,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 18:15:46.5x,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 18:15:4,1,2\n", 2, "TIMESTAMP"),
        Fault(",1,2\n", 2, "TIMESTAMP"),
        Fault("1700158546,1,2\n", 2, "TIMESTAMP"),
        Fault("2023-11-16 18:15:46,,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,-1,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,+1,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46, 1,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,01,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,1.0,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,1e3,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,10000001,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,99999999999999999999999,2\n", 2, "ContextTokens"),
        Fault("2023-11-16 18:15:46,1,\"2\"\n", 2, "GeneratedTokens"),
        Fault("2023-11-16 18:15:46,1,2 \n", 2, "GeneratedTokens"),
        Fault("2023-11-16 18:15:46,1,2\r\r\n", 2, "GeneratedTokens"),
        Fault("2023-11-16 18:15:46,1,٣\n", 2, "GeneratedTokens"),
        Fault("2023-11-16 18:15:46,1,2\n2023-11-16 18:15:45.999,1,2\n", 3, "TIMESTAMP"),
    ])
    func namesTheFault(_ fault: Fault) {
        let error = failure(fault.text)
        #expect(error?.line == fault.line)
        #expect(error?.column == fault.column)
        #expect(error?.description.contains("line \(fault.line)") == true)
    }

    // Arbitrary bytes are rows or an error, never a trap.
    @Test func survivesArbitraryBytes() {
        let alphabet = Array("0123456789-: .,+\r\nTZ\u{0}\u{7F}é".utf8) + [0xFF, 0xC0]
        var readable = 0
        for seed in UInt64(1)...2_000 {
            var bytes = Array(Self.header.utf8)
            let valid = Array("2023-11-16 18:15:46.68,374,44\n".utf8)
            for position in UInt64(0)..<60 {
                let draw = SplitMix64.value(seed: seed, at: position)
                let isKept = position < valid.count && draw >> 32 % 40 != 0
                bytes.append(
                    isKept ? valid[Int(position)] : alphabet[Int(draw % UInt64(alphabet.count))])
                if position == valid.count - 1, draw >> 40 % 2 == 0 { break }
            }
            do throws(TraceError) {
                _ = try TraceSurvey(.bytes(bytes))
                readable += 1
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(readable > 50, "some of them must be traces")
    }

    // A trace without requests, a missing file and a directory are refused in words.
    @Test func refusesWhatIsNoTrace() {
        #expect(throws: TraceError(message: "has no requests")) {
            try TraceSurvey(.bytes(Array(Self.header.utf8)))
        }
        #expect(throws: TraceError(message: "cannot be opened: No such file or directory")) {
            try TraceSurvey(.file(path: "/nonexistent/trace.csv"))
        }
        #expect(throws: TraceError(message: "is not a regular file")) {
            try TraceSurvey(.file(path: "/"))
        }
        #expect(throws: TraceError(message: "is not a regular file")) {
            try TraceSurvey(.file(path: "/dev/null"))
        }
    }

    // A file is read as the same bytes in memory are, across many chunks.
    @Test func readsAFile() throws {
        var template = Array("/tmp/faregate-trace-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { unlink(path) }
        var text = Self.header
        for second in 0..<5_000 {
            let digits = String(100_000 + second)
            text += "2023-11-16 18:15:46.\(digits.dropFirst()),\(second),\(second % 7)\r\n"
        }
        var written = 0
        let bytes = Array(text.utf8)
        while written < bytes.count {
            written += bytes[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
        }
        close(descriptor)
        #expect(try TraceSurvey(.file(path: path)) == TraceSurvey(.bytes(bytes)))
        #expect(try TraceSurvey(.file(path: path)).requests == 5_000)
    }
}
