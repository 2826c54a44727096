import Foundation

/// The project's own sources as text.
struct SourceTree {
    struct File {
        var module: String
        /// Relative to the project.
        var path: String
        var lines: [String]
    }

    let root: URL
    let files: [File]

    /// The Swift files below `folders` of the project that this test file lies in.
    init(_ folders: String...) throws {
        root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var found: [File] = []
        for folder in folders {
            let base = root.appendingPathComponent(folder)
            let names = try FileManager.default.subpathsOfDirectory(atPath: base.path)
            for name in names.sorted() where name.hasSuffix(".swift") {
                let text = try String(
                    contentsOf: base.appendingPathComponent(name), encoding: .utf8)
                found.append(
                    File(
                        module: String(name.split(separator: "/")[0]), path: folder + "/" + name,
                        lines: text.components(separatedBy: "\n")))
            }
        }
        files = found
    }

    /// The line without comments and string contents, so that words in them do not count.
    static func code(_ line: String) -> String {
        var result = ""
        var isInString = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" {
                isInString.toggle()
            } else if !isInString {
                if character == "/", previous == "/" { return String(result.dropLast()) }
                result.append(character)
            }
            previous = character
        }
        return result
    }
}
