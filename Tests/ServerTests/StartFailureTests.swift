import Configuration
import EventLog
import Glibc
import SQLiteEventLog
import Testing

@testable import Server

/// Every way a server may not start ends in one line with a stable code, and leaves nothing locked.
@Suite struct StartFailureTests {
    private func failure(
        _ setup: Setup
    ) async throws -> ServerFailure? {
        do {
            try await withServer(setup) { _ in }
            return nil
        } catch let failure as ServerFailure {
            return failure
        }
    }

    // A second server on the same file is refused, and told which process has it.
    @Test func ledgerInUse() async throws {
        let setup = try Setup()
        try await withServer(setup) { _ in
            let failure = try #require(try await failure(setup))
            #expect(failure.code == "locked")
            #expect(failure.kind == .inputOutput)
            #expect(failure.message.contains("is in use by process \(getpid())"))
        }
    }

    // A port that is taken is named; the ledger that was opened meanwhile is free again.
    @Test func portTaken() async throws {
        let (first, second) = (TemporaryFolder(), TemporaryFolder())
        try await withServer(Setup(in: first)) { server in
            let port = server.address.port
            let setup = try Setup(in: second, ["port": .int(port)])
            let failure = try #require(try await failure(setup))
            #expect(failure.code == "port_taken")
            #expect(failure.message.contains("127.0.0.1:\(port) is taken"))
            try await withServer(Setup(in: second)) { _ in }
        }
    }

    // So is the port for operators, by its own setting.
    @Test func metricsPortTaken() async throws {
        let (first, second) = (TemporaryFolder(), TemporaryFolder())
        try await withServer(Setup(in: first)) { server in
            let port = server.address.port
            let setup = try Setup(in: second, ["metrics_port": .int(port)])
            let failure = try #require(try await failure(setup))
            #expect(failure.code == "port_taken")
            #expect(failure.message.contains("127.0.0.1:\(port) is taken"))
            #expect(failure.message.contains("metrics_port"))
        }
    }

    // An address that this machine does not have.
    @Test func unknownAddress() async throws {
        let setup = try Setup(["host": .string("192.0.2.1")])
        let failure = try #require(try await failure(setup))
        #expect(failure.code == "unknown_address", "\(failure)")
    }

    // A name that nobody knows.
    @Test func unknownHost() async throws {
        let setup = try Setup(["host": .string("no-such-host.invalid")])
        let failure = try #require(try await failure(setup))
        #expect(failure.code == "unknown_address", "\(failure)")
    }

    // A folder that does not exist.
    @Test func noSuchFolder() async throws {
        let setup = try Setup(["db": .string("/nonexistent/ledger.db")])
        let failure = try #require(try await failure(setup))
        #expect(failure.code == "cannot_open")
        #expect(failure.message.contains("/nonexistent/ledger.db"))
    }

    // A file that is no ledger stays as it is.
    @Test func notALedger() async throws {
        let folder = TemporaryFolder()
        let text = Array("this is my diary, not a database".utf8)
        try WholeFile.replace(folder.file("ledger.db"), with: text)
        #expect(try await failure(Setup(in: folder))?.code == "corrupt")
        #expect(try WholeFile.read(folder.file("ledger.db")) == text)
    }

    // A ledger is kept in one currency; only a currency that somebody chose contradicts it.
    @Test func otherCurrency() async throws {
        let folder = TemporaryFolder()
        let euros = try Setup(in: folder, ["currency": .string("EUR")])
        try await withServer(euros) { _ in }
        let dollars = try Setup(in: folder, ["currency": .string("USD")])
        let failure = try #require(try await failure(dollars))
        #expect(failure.code == "other_currency")
        #expect(failure.kind == .configuration)
        try await withServer(Setup(in: folder)) { server in
            #expect(server.ledger.store.identity.currency == "EUR")
        }
    }

    // A test clock is asked for both when a ledger is made and whenever it is served.
    @Test func testClockMustBeMeant() async throws {
        let (real, test) = (TemporaryFolder(), TemporaryFolder())
        let asTest: [String: ConfigContent] = ["test_clock": .bool(true)]
        try await withServer(Setup(in: real)) { _ in }
        try await withServer(Setup(in: test, asTest)) { _ in }
        #expect(try await failure(Setup(in: real, asTest))?.code == "no_test_clock")
        #expect(try await failure(Setup(in: test))?.code == "test_clock")
        try await withServer(Setup(in: test, asTest)) { _ in }
    }

    // Each of the store's errors becomes one line that names the file.
    @Test(arguments: [
        (StoreError.Code.full, "the disk is full"),
        (.tooNew, "a newer one"),
        (.corrupt, "no ledger, or a damaged one"),
        (.inputOutput, "the disk failed"),
        (.cannotOpen, "detail"),
    ])
    func storeErrors(code: StoreError.Code, phrase: String) {
        let failure = ServerFailure(StoreError(code, "detail"), path: "/x/ledger.db")
        #expect(failure.code == code.rawValue)
        #expect(failure.kind == .inputOutput)
        #expect(failure.message.contains(phrase))
        #expect(failure.message.contains("/x/ledger.db"))
        #expect(!failure.message.contains("\n"))
    }

    // The URL that is printed can be used as it is.
    @Test(arguments: [
        ("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"), ("::", "http://[::1]:80"), ("localhost", "http://localhost:80"),
    ])
    func addressAsURL(host: String, url: String) {
        #expect(ServerAddress(host: host, port: 80).url == url)
    }
}
