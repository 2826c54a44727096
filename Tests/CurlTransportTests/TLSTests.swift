import CurlTransport
import Foundation
import StripeAPI
import Testing

@Suite(.serialized)
struct TLSTests {
    private static func run(_ arguments: [String], in folder: URL) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = Pipe()
        try process.run()
        return process
    }

    private static func withServer(
        _ options: [String], _ body: (_ url: String, _ certificate: String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "faregate-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let making = try run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", "key.pem", "-out", "cert.pem",
            ], in: folder)
        making.waitUntilExit()
        try #require(making.terminationStatus == 0)
        let port = Int.random(in: 20_000..<32_000)
        let server = try run(
            [
                "openssl", "s_server", "-accept", "\(port)", "-key", "key.pem", "-cert", "cert.pem",
                "-www",
            ] + options, in: folder)
        defer { server.terminate() }
        try await Task.sleep(for: .milliseconds(700))
        try #require(server.isRunning)
        try await body("https://localhost:\(port)/", folder.appending(path: "cert.pem").path())
    }

    private static func outcome(_ url: String, caFile: String?) async -> String {
        var settings = CurlSettings()
        settings.caFile = caFile
        guard let transport = try? CurlTransport(settings) else { return "no transport" }
        let outcome: String
        do throws(TransportError) {
            outcome = "\(try await transport.send(TransportRequest(.get, url)).status)"
        } catch {
            outcome = error.kind.rawValue
        }
        await transport.shutdown()
        return outcome
    }

    @Test("A certificate nobody vouches for is refused, with its authority it is taken")
    func verifiesCertificates() async throws {
        try await Self.withServer([]) { url, certificate in
            #expect(await Self.outcome(url, caFile: nil) == "tls")
            #expect(await Self.outcome(url, caFile: certificate) == "200")
            // The name must fit too.
            let byAddress = url.replacing("localhost", with: "127.0.0.1")
            #expect(await Self.outcome(byAddress, caFile: certificate) == "tls")
        }
    }

    @Test("TLS older than 1.2 is refused")
    func refusesOldTLS() async throws {
        try await Self.withServer(["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]) { url, certificate in
            #expect(await Self.outcome(url, caFile: certificate) == "tls")
        }
    }
}
