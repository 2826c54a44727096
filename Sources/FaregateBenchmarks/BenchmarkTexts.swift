import Glibc

/// Texts of many kinds, each of about the same length.
enum BenchmarkTexts {
    static func all(bytes: Int) -> [(name: String, text: [UInt8])] {
        [
            ("prose", repeated(files("docs", ".md"), bytes)),
            ("code", repeated(files("Sources", ".swift"), bytes)),
            ("json", repeated(files("Sources/CEmbedded", ".json"), bytes)),
            ("scripts", scripts(bytes)),
            ("word", word(bytes)),
            ("letter", [UInt8](repeating: UInt8(ascii: "a"), count: bytes)),
            ("blanks", [UInt8](repeating: UInt8(ascii: " "), count: bytes)),
        ]
    }

    static func write(_ text: [UInt8], to path: String) throws {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        mkdir(folder.joined(separator: "/"), 0o755)
        guard let file = fopen(path, "w") else { throw BenchmarkTextError(path: path) }
        defer { fclose(file) }
        guard fwrite(text, 1, text.count, file) == text.count else {
            throw BenchmarkTextError(path: path)
        }
    }

    /// Words of one to eight letters, each of another script, with blanks and symbols between.
    private static func scripts(_ bytes: Int) -> [UInt8] {
        let blocks: [ClosedRange<UInt32>] = [
            0x61...0x7A, 0xE0...0xFF, 0x3B1...0x3C9, 0x410...0x44F, 0x5D0...0x5EA, 0x621...0x64A,
            0x905...0x939, 0xE01...0xE30, 0x3041...0x3096, 0x4E00...0x9FFF, 0xAC00...0xD7A3,
            0x1F600...0x1F64F,
        ]
        var random = SplitMix64(state: 5)
        var text = ""
        while text.utf8.count < bytes {
            let block = blocks[Int(random.next() % UInt64(blocks.count))]
            for _ in 0...random.next() % 8 {
                let scalar = block.lowerBound + UInt32(random.next() % UInt64(block.count))
                if let scalar = Unicode.Scalar(scalar) { text.unicodeScalars.append(scalar) }
            }
            text += [" ", " ", " ", ", ", "\n", "-"][Int(random.next() % 6)]
        }
        return Array(text.utf8)
    }

    /// One word of any letters.
    private static func word(_ bytes: Int) -> [UInt8] {
        var random = SplitMix64(state: 6)
        return (0..<bytes).map { _ in UInt8(ascii: "a") + UInt8(random.next() % 26) }
    }

    private static func repeated(_ text: [UInt8], _ bytes: Int) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        var result: [UInt8] = []
        while result.count < bytes { result += text.prefix(bytes - result.count) }
        // Not inside a character.
        while let last = result.last, last >= 0x80 { result.removeLast() }
        return result
    }

    /// The files below a folder with this ending, in the order of their names.
    private static func files(_ folder: String, _ ending: String) -> [UInt8] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().flatMap { name -> [UInt8] in
            let path = "\(folder)/\(name)"
            return name.hasSuffix(ending) ? contents(path) : files(path, ending)
        }
    }

    private static func contents(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes
    }
}

struct BenchmarkTextError: Error, CustomStringConvertible {
    let path: String
    var description: String { "\(path) cannot be written" }
}
