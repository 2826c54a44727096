// The real program, started as a process of its own.

import Glibc
import Server
import Testing

final class Program: Sendable {
    let processID: pid_t
    private let outPath: String
    private let errorPath: String

    /// The program beside the test's own executable.
    private static var path: String {
        get throws {
            var buffer = [CChar](repeating: 0, count: 4_096)
            let count = readlink("/proc/self/exe", &buffer, buffer.count)
            try #require(count > 0)
            let own = String(
                decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/") + "/faregate"
        }
    }

    /// - Parameters:
    ///   - folder: gets the files that hold what the program prints.
    ///   - fileBlocksMax: largest file that it may write, in blocks of 512 bytes: what a full disk
    ///     looks like.
    init(
        _ arguments: [String], in folder: TemporaryFolder, named name: String = "program",
        environment: [String: String] = [:], fileBlocksMax: Int? = nil
    ) throws {
        outPath = folder.file("\(name).out")
        errorPath = folder.file("\(name).err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outPath, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, flags, 0o600)
        let path = try Self.path
        var variables = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]
        variables.merge(environment) { $1 }
        var line = [path] + arguments
        if let fileBlocksMax {
            line = ["/bin/sh", "-c", "ulimit -f \(fileBlocksMax); exec \"$0\" \"$@\""] + line
        }
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] =
            variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var id: pid_t = 0
        let status = posix_spawn(&id, line[0], &actions, nil, &words, &settings)
        try #require(status == 0, "\(path): \(String(cString: strerror(status)))")
        processID = id
    }

    var out: String { Self.text(outPath) }
    var error: String { Self.text(errorPath) }

    private static func text(_ path: String) -> String {
        String(decoding: (try? WholeFile.read(path)) ?? [], as: UTF8.self)
    }

    func signal(_ number: Int32) { kill(processID, number) }

    /// Waits for the end; the exit status, or minus the signal that ended it.
    func end(withinSeconds limit: Int = 60) async throws -> Int32 {
        for _ in 0..<limit * 50 {
            var status: Int32 = 0
            if waitpid(processID, &status, WNOHANG) == processID {
                return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        signal(SIGKILL)
        waitpid(processID, nil, 0)
        throw Overdue(what: "the program did not end in \(limit) s")
    }

    /// Waits until the program has written the file; its text.
    static func appearance(of path: String, withinSeconds limit: Int = 60) async throws -> String {
        for _ in 0..<limit * 50 {
            if let bytes = try? WholeFile.read(path) {
                return String(decoding: bytes, as: UTF8.self)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Overdue(what: "\(path) did not appear in \(limit) s")
    }

    struct Overdue: Error {
        var what: String
    }
}
