// Lines of a file or pipe, one at a time, whatever the file's size.

import EventLog
import Glibc

struct LineReader: ~Copyable {
    /// A price book is one event; nothing of ours comes near this.
    static let lineBytesMax = 256 << 20

    private let name: String
    private let descriptor: Int32
    private let isOwned: Bool
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private(set) var bytesRead = 0

    /// - Parameter path: `-` is standard input.
    init(path: String) throws(ArchiveError) {
        let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw ArchiveError(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
        }
        name = path == "-" ? "standard input" : path
        isOwned = path != "-"
        descriptor = file
    }

    deinit { if isOwned { close(descriptor) } }

    /// The next line with its line feed; without one at the end of a file that was cut short. Nil
    /// after the last.
    mutating func next() throws(ArchiveError) -> [UInt8]? {
        var searched = start
        while true {
            if let feed = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = feed + 1 }
                return Array(buffer[start...feed])
            }
            searched = buffer.count
            if isAtEnd {
                defer { start = buffer.count }
                return start == buffer.count ? nil : Array(buffer[start...])
            }
            if start > 0 {
                buffer.removeFirst(start)
                searched -= start
                start = 0
            }
            guard buffer.count <= Self.lineBytesMax else {
                throw ArchiveError(.notABackup, "\(name): a line is longer than any of ours")
            }
            try fill()
        }
    }

    private mutating func fill() throws(ArchiveError) {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw ArchiveError(.inputOutput, "\(name): \(String(cString: strerror(errno)))")
            }
            isAtEnd = count == 0
            bytesRead += count
            buffer += chunk[..<count]
            return
        }
    }
}
