import ArgumentParser
import Glibc
import Server

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Write the manual pages and shell completions.",
        discussion: """
            They are made from the program's own help, so that they cannot say anything else. `make
            install` puts them where the system looks: pages for `man faregate` and, for every
            command, `man faregate-serve` and so on; completions for bash, zsh and fish.

            Examples:
              faregate manual --to share
              man -l <(faregate manual --page backup)
            """)

    @Option(
        help: ArgumentHelp(
            "Folder that gets man/man1, bash-completion, zsh and fish.", valueName: "folder"),
        completion: .directory)
    var to: String?

    @Option(help: ArgumentHelp("Print one command's page instead.", valueName: "command"))
    var page: String?

    func validate() throws {
        if (to == nil) == (page == nil) {
            throw ValidationError("Either --to or --page is needed, not both.")
        }
    }

    mutating func run() throws {
        let pages = ManualPage.all()
        if let page {
            let name = page == "faregate" ? page : "faregate-\(page)"
            guard let found = pages.first(where: { $0.name == name }) else {
                throw CommandFailure(.usage, "there is no command '\(page)'")
            }
            Console.current.out(found.text)
            return
        }
        guard let to else { return }
        var files = pages.map { ("man/man1/\($0.name).1", $0.text) }
        for (shell, path) in [
            (CompletionShell.bash, "bash-completion/completions/faregate"),
            (.zsh, "zsh/site-functions/_faregate"),
            (.fish, "fish/vendor_completions.d/faregate.fish"),
        ] { files.append((path, Faregate.completionScript(for: shell))) }
        for (path, text) in files {
            try Self.write(text + (text.hasSuffix("\n") ? "" : "\n"), to: "\(to)/\(path)")
        }
    }

    private static func write(_ text: String, to path: String) throws(CommandFailure) {
        var folder = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
            folder += part + "/"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
                throw CommandFailure(
                    .inputOutput, "\(folder): \(String(cString: strerror(errno)))")
            }
        }
        do throws(WholeFile.Failure) {
            try WholeFile.replace(path, with: Array(text.utf8))
        } catch {
            throw CommandFailure(.inputOutput, error.description)
        }
    }
}
