import ArgumentParser
import CanonicalJSON
import EventLog
import Glibc
import SQLiteEventLog
import Server
import Testing

@testable import faregate

@Suite struct BackupCommandTests {
    // A server is backed up from its file and over HTTP; both restore to what it has.
    @Test func fileAndServer() async throws {
        try await LiveServer.run { server in
            let folder = server.folder
            try await server.cli.must("customer", "create", "acme")
            let file = try await Shell().must(
                "backup", "--db", server.ledgerPath, "--to", folder.file("a.db"))
            #expect(file.contains("verified"))
            #expect(file.contains(server.ledger.store.head.root.hex))
            try await server.cli.must("backup", "--to", folder.file("b.db"))
            try await server.cli.must("customer", "create", "birch")
            let increment = await server.cli.run(
                "backup", "--since", folder.file("b.db"), "--to", folder.file("1.jsonl"), "--json")
            #expect(increment.status == 0, "\(increment.error)")
            #expect(try increment.json()["events"].integer == 1)
            let head = server.ledger.store.head
            for base in ["a.db", "b.db"] {
                let preview = await Shell().run(
                    "restore", folder.file(base), folder.file("1.jsonl"), "--preview", "--json")
                #expect(preview.status == 0, "\(preview.error)")
                let json = try preview.json()
                #expect(json["checkpoint"]["root"].text == head.root.hex)
                #expect(json["customers"].integer == 2)
                #expect(json["preview"].flag)
            }
            #expect(access(folder.file("b.db.log.partial"), F_OK) != 0)
            let wrong = Shell(environment: ["FAREGATE_URL": server.address.url])
            let refused = await wrong.run("backup", "--to", folder.file("c.db"))
            #expect(refused.status == 1 && refused.error.contains("unauthenticated"))
            #expect(access(folder.file("c.db"), F_OK) != 0)
        }
    }

    // What --help promises of exit codes: refused 1, asked wrongly 2, a file that is not there 5.
    @Test func exitCodes() async throws {
        let folder = TemporaryFolder()
        let ledger = try await OpenLedger.owned(
            path: folder.file("x.db"), creation: OpenLedger.Creation(currency: "EUR"))
        await ledger.shutdown()
        let cli = Shell()
        let (db, copy) = (folder.file("x.db"), folder.file("copy.db"))
        #expect(await cli.run("backup", "--db", db, "--to", copy).status == 0)
        let again = await cli.run("backup", "--db", db, "--to", copy)
        #expect(again.status == 1)
        #expect(again.error.contains("--force") && again.error.hasSuffix("(exists)\n"))
        #expect(await cli.run("backup", "--db", db, "--to", copy, "--force").status == 0)
        #expect(await cli.run("backup", "--db", folder.file("no.db"), "--to", "y").status == 5)
        #expect(await cli.run("restore", copy).status == 2)
        #expect(await cli.run("restore", copy, "--to", db, "--preview").status == 2)
        #expect(await cli.run("restore", folder.file("no.db"), "--preview").status == 5)
        #expect(await cli.run("export", "--db", db, "--from", "5", "--to", "2").status == 2)
        #expect(await cli.run("export", "--db", db, "--from", "0").status == 2)
        let doctor = await cli.run("doctor", "--db", folder.file("none/x.db"), "--json")
        #expect(doctor.status == 1)
        #expect(try doctor.json()["checks"].items.contains { $0["result"].text == "fail" })
    }

    // Export, then import: the same root.
    @Test func exportAndImport() async throws {
        let folder = TemporaryFolder()
        let ledger = try await OpenLedger.owned(
            path: folder.file("x.db"), creation: OpenLedger.Creation(currency: "EUR"))
        let head = ledger.store.head
        await ledger.shutdown()
        let cli = Shell()
        try await cli.must(
            "export", "--db", folder.file("x.db"), "--output", folder.file("x.jsonl"))
        let said = try await cli.must("import", folder.file("x.jsonl"), "--db", folder.file("y.db"))
        #expect(said.contains(head.root.hex))
        try await cli.must("verify", "--db", folder.file("y.db"))
        let part = await cli.run(
            "export", "--db", folder.file("x.db"), "--from", "1", "--to", "2", "--output",
            folder.file("part.jsonl"))
        #expect(part.status == 0, "\(part.error)")
        let refused = await cli.run("import", folder.file("part.jsonl"), "--db", "z.db")
        #expect(refused.status == 1 && refused.error.contains("excerpt"))
    }
}

@Suite struct ManualTests {
    // Every command has its words and options in a page, and every page the parts that man needs.
    @Test func pages() throws {
        let pages = ManualPage.all()
        let names = Set(pages.map(\.name))
        for (words, command) in HelpTests.commands() {
            let parts = words.split(separator: " ")
            let name = parts.count == 1 ? "faregate" : "faregate-\(parts[1])"
            let page = try #require(pages.first { $0.name == name }, "\(words)")
            #expect(names.contains(name))
            for part in parts.dropFirst(2) {
                #expect(page.text.contains(part.uppercased()), "\(words)")
            }
            let abstract = command.configuration.abstract
                .replacing("\\", with: "\\e").replacing("-", with: "\\-")
            #expect(page.text.contains(abstract), "\(words)")
        }
        for page in pages {
            #expect(page.text.contains(".TH \(page.name.uppercased()) 1"))
            #expect(page.text.contains("\n.SH DESCRIPTION\n"))
            let requests = page.text.split(separator: "\n").filter { $0.hasPrefix(".") }
            let known = [".\\\"", ".TH", ".SH", ".TP", ".BR", ".PP", ".nf", ".fi", ".nh", ".ad"]
            for line in requests {
                #expect(known.contains { line.hasPrefix($0) }, "\(page.name): \(line)")
            }
        }
    }

    // The files lie where the system looks for them.
    @Test func files() async throws {
        let folder = TemporaryFolder()
        try await Shell().must("manual", "--to", folder.file("share"))
        for path in [
            "man/man1/faregate.1", "man/man1/faregate-backup.1",
            "bash-completion/completions/faregate", "zsh/site-functions/_faregate",
            "fish/vendor_completions.d/faregate.fish",
        ] {
            let bytes = try WholeFile.read(folder.file("share/\(path)"))
            #expect(String(decoding: bytes, as: UTF8.self).contains("backup"), "\(path)")
        }
        let page = try await Shell().must("manual", "--page", "doctor")
        #expect(page.contains(".TH FAREGATE-DOCTOR 1"))
        #expect(await Shell().run("manual", "--page", "nothing").status == 2)
    }
}
