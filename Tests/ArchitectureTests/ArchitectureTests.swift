import Foundation
import Testing

@Suite struct ArchitectureTests {
    // Each module imports only what the architecture gives it; every module is in the table.
    @Test func imports() throws {
        for file in try SourceTree("Sources").files {
            let allowed = try #require(
                Architecture.allowedImports[file.module], "\(file.module) is not in the table")
            for (number, line) in file.lines.enumerated() {
                let words = line.split(separator: " ")
                guard let place = words.firstIndex(of: "import"), place <= 2,
                    words.count > place + 1,
                    words[..<place].allSatisfy({ Self.importModifiers.contains(String($0)) })
                else { continue }
                let module = String(words[place + 1].split(separator: ".")[0])
                #expect(
                    allowed.contains(module),
                    "\(file.path):\(number + 1): \(file.module) may not import \(module)")
            }
        }
    }

    private static let importModifiers: Set<String> = [
        "package", "public", "internal", "private", "fileprivate", "@testable", "@preconcurrency",
        "@_exported",
    ]

    // The core knows no clock, no randomness and never waits.
    @Test func pureCore() throws {
        for file in try SourceTree("Sources").files
        where Architecture.pureModules.contains(file.module) {
            for (number, line) in file.lines.enumerated() {
                let code = SourceTree.code(line)
                for word in Architecture.wordsBannedFromTheCore {
                    #expect(!contains(code, word), "\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    // No floating point near money.
    @Test func noFloatingPoint() throws {
        let files = try SourceTree("Sources").files.filter {
            Architecture.modulesWithoutFloatingPoint.contains($0.module)
        }
        for file in files {
            for (number, line) in file.lines.enumerated() {
                let code = SourceTree.code(line)
                for word in ["Double", "Float", "Decimal"] {
                    #expect(!contains(code, word), "\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    // Nothing that somebody sent can end the process by a forced try, cast or a fatal error.
    @Test func noTraps() throws {
        for file in try SourceTree("Sources").files where file.module != "FaregateTestSupport" {
            for (number, line) in file.lines.enumerated() {
                let code = SourceTree.code(line)
                for call in Architecture.bannedCalls {
                    #expect(!code.contains(call), "\(file.path):\(number + 1): \(call)")
                }
            }
        }
    }

    // Small rooms: files, functions and lines stay short.
    @Test func sizes() throws {
        for file in try SourceTree("Sources", "Tests").files {
            #expect(
                file.lines.count <= Architecture.fileLinesMax + 1,
                "\(file.path) has \(file.lines.count) lines")
            // Code is the formatter's business; text in quotes cannot be broken.
            for (number, line) in file.lines.enumerated() where isComment(line) {
                #expect(
                    line.count <= Architecture.columnsMax || line.contains("http")
                        || line.contains("{\"") || line.contains("\","),
                    "\(file.path):\(number + 1) has \(line.count) columns")
            }
            for function in functions(in: file.lines) {
                #expect(
                    function.count <= Architecture.functionLinesMax,
                    "\(file.path):\(function.lowerBound + 1): function of \(function.count) lines")
            }
        }
    }

    // A type that nobody names is dead: each source file declares something that another place
    // uses.
    @Test func noDeadFiles() throws {
        let tree = try SourceTree("Sources", "Tests")
        let text = tree.files.map { $0.lines.joined(separator: "\n") }
        let words = try NSRegularExpression(pattern: "[A-Za-z_][A-Za-z0-9_]*")
        var uses: [String: Int] = [:]
        for source in text {
            let range = NSRange(source.startIndex..., in: source)
            words.enumerateMatches(in: source, range: range) { match, _, _ in
                if let match, let range = Range(match.range, in: source) {
                    uses[String(source[range]), default: 0] += 1
                }
            }
        }
        for file in tree.files where file.path.hasPrefix("Sources/") {
            let names = declarations(in: file.lines)
            if names.isEmpty || names.contains("main") || file.path.hasSuffix("main.swift") {
                continue
            }
            #expect(
                names.contains { uses[$0, default: 0] > 1 },
                "\(file.path) seems to be used by nobody")
        }
    }

    private func isComment(_ line: String) -> Bool {
        line.drop { $0 == " " }.hasPrefix("//")
    }

    private func declarations(in lines: [String]) -> [String] {
        lines.compactMap { line in
            let words = SourceTree.code(line).split(whereSeparator: {
                !$0.isLetter && !$0.isNumber && $0 != "_"
            })
            for kind in [
                "struct", "class", "enum", "protocol", "func", "extension", "actor", "let", "var",
            ] {
                if let place = words.firstIndex(of: Substring(kind)), place + 1 < words.count {
                    return String(words[place + 1])
                }
            }
            return nil
        }
    }

    /// Ranges of lines of functions, by indentation: from `func` or `init` to the brace that closes
    /// it.
    private func functions(in lines: [String]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for (start, line) in lines.enumerated() {
            let code = SourceTree.code(line)
            let isFunction =
                contains(code, "func") || code.contains(" init(") || code.contains(" init?(")
            // On one line: `init() {}`.
            let opened = code.filter { $0 == "{" }.count
            if opened > 0, opened == code.filter({ $0 == "}" }).count { continue }
            guard isFunction, let first = line.firstIndex(where: { $0 != " " }) else { continue }
            let closing = String(line[..<first]) + "}"
            // A declaration without a body ends before the next declaration of the same
            // indentation.
            guard
                let end = lines[start...].firstIndex(where: {
                    $0 == closing || $0.hasPrefix(closing + " ")
                })
            else { continue }
            let body = lines[start..<end].contains { SourceTree.code($0).hasSuffix("{") }
            let isProtocolRequirement = !lines[start...min(start + 6, end)].contains {
                SourceTree.code($0).contains("{")
            }
            if body, !isProtocolRequirement { result.append(start..<end + 1) }
        }
        return result
    }

    private func contains(_ code: String, _ word: String) -> Bool {
        guard let range = code.range(of: word) else { return false }
        let isName: (Character) -> Bool = { $0.isLetter || $0.isNumber || $0 == "_" }
        let before =
            range.lowerBound == code.startIndex ? " " : code[code.index(before: range.lowerBound)]
        let after = range.upperBound == code.endIndex ? " " : code[range.upperBound]
        let wordEndsInName = word.last.map(isName) ?? false
        return !isName(before) && !(wordEndsInName && isName(after))
    }
}
