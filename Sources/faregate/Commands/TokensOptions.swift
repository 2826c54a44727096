import ArgumentParser
import CanonicalJSON
import Glibc
import Server
import Tokenizers

/// What the commands on tokens read, and with which tokenizer.
struct TokensOptions: ParsableArguments {
    @Argument(help: "Files to read; without any, or with -, standard input.", completion: .file())
    var files: [String] = []

    @Option(help: "o200k_base or cl100k_base.")
    var encoding: TokenEncoding?

    @Option(help: "Model whose tokenizer is used (default: the one of gpt-4o).")
    var model: String?

    @Flag(help: "Read JSON lines, and answer each with one.")
    var lines = false

    func validate() throws {
        if encoding != nil, model != nil {
            throw ValidationError("--encoding and --model exclude each other.")
        }
    }

    var family: TokenizerFamily {
        switch encoding {
        case .cl100kBase: TokenizerFamily(model: "gpt-4")
        case .o200kBase, nil: TokenizerFamily(model: model ?? "gpt-4o")
        }
    }

    var paths: [String] { files.isEmpty ? ["-"] : files }

    /// Larger files, and longer lines, are refused.
    private static let bytesMax = 256 << 20

    /// What lines of JSON may hold: a text may be as long as the line.
    private static let limits = JSONLimits(
        maxBytes: bytesMax, maxNodes: bytesMax, maxStringBytes: bytesMax)

    static func file(_ path: String) throws(CommandFailure) -> [UInt8] {
        do throws(WholeFile.Failure) {
            return try WholeFile.read(path == "-" ? "/dev/stdin" : path, maxBytes: bytesMax)
        } catch {
            throw CommandFailure(.inputOutput, "\(error)")
        }
    }

    /// Answers every line as soon as it is there.
    func forEachLine(_ answer: (JSONValue) throws -> JSONObject) throws {
        for path in paths {
            let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw CommandFailure(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
            }
            defer { if path != "-" { close(descriptor) } }
            var reader = LineReader(descriptor: descriptor, bytesMax: Self.bytesMax)
            var number = 0
            while let line = try reader.next(path) {
                number += 1
                if line.allSatisfy({ $0 <= 0x20 }) { continue }
                do {
                    let document = try StrictJSON.parse(line, limits: Self.limits)
                    Console.current.out(Self.line(try answer(document)))
                } catch let failure as CommandFailure {
                    throw CommandFailure(failure.status, "line \(number): \(failure.message)")
                } catch {
                    throw CommandFailure(.usage, "line \(number): \(error)")
                }
            }
        }
    }

    /// The text that a line of input asks about.
    static func bytes(of document: JSONValue) throws(CommandFailure) -> [UInt8] {
        if case .string(let text) = document { return Array(text.utf8) }
        if case .string(let text)? = document["text"] { return Array(text.utf8) }
        if case .string(let digits)? = document["hex"] {
            guard let bytes = bytes(hex: digits) else {
                throw CommandFailure(.usage, "\"hex\" has to be pairs of hexadecimal digits")
            }
            return bytes
        }
        throw CommandFailure(.usage, "a string is needed, or an object with \"text\" or \"hex\"")
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Character(UnicodeScalar(digits[place])).hexDigitValue,
                let low = Character(UnicodeScalar(digits[place + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }

    static func line(_ object: JSONObject) -> String {
        // Names are in order, and the values are numbers and valid text: nothing can be refused.
        guard let bytes = try? CanonicalJSON.encode(.object(object)) else { return "{}" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension TokenEncoding: ExpressibleByArgument {}

/// Lines of a file or a pipe, each without its end.
private struct LineReader {
    let descriptor: Int32
    let bytesMax: Int
    private var buffer: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)

    init(descriptor: Int32, bytesMax: Int) {
        self.descriptor = descriptor
        self.bytesMax = bytesMax
    }

    /// Nil: there are no more.
    mutating func next(_ path: String) throws(CommandFailure) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            guard buffer.count <= bytesMax else {
                throw CommandFailure(.usage, "\(path): a line of more than \(bytesMax) bytes")
            }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandFailure(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 {
                // A last line without an end.
                let rest = buffer
                buffer = []
                return rest.isEmpty ? nil : rest
            }
            buffer += chunk[..<count]
        }
    }
}
