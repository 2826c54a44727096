// Where a trace's bytes come from: the sample in the binary, or a file.
//
// A file is read by plain blocking calls of 64 KiB. They are local and short, and the sandbox is a
// client with nothing else to serve.

import CEmbedded
import Glibc

/// A trace that can be read from its beginning as often as wanted.
package enum TraceOrigin: Sendable {
    /// The first 2,000 requests of Azure's conversation trace of 2023, which are in the binary.
    case sample
    case file(path: String)
    case bytes([UInt8])

    /// - Throws: when the file cannot be opened or is not a regular one.
    func open() throws(TraceError) -> TraceSource {
        switch self {
        case .sample:
            let sample = UnsafeRawBufferPointer(
                start: faregate_embedded_trace_sample(),
                count: faregate_embedded_trace_sample_length())
            return TraceSource(bytes: [UInt8](sample))
        case .file(let path): return try TraceSource(path: path)
        case .bytes(let bytes): return TraceSource(bytes: bytes)
        }
    }
}

/// One pass over a trace's bytes. Not for concurrent use.
final class TraceSource {
    private let descriptor: Int32?
    private let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        descriptor = nil
        self.bytes = bytes
    }

    init(path: String) throws(TraceError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            throw TraceError(message: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        bytes = []
        // It is read twice, and a pipe would be empty the second time.
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TraceError(message: "is not a regular file")
        }
    }

    deinit {
        if let descriptor { Glibc.close(descriptor) }
    }

    /// Fills `buffer` from its beginning; 0 at the end.
    func read(into buffer: inout [UInt8]) throws(TraceError) -> Int {
        guard let descriptor else {
            let count = min(buffer.count, bytes.count - position)
            buffer.replaceSubrange(0..<count, with: bytes[position..<position + count])
            position += count
            return count
        }
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count >= 0 { return count }
            if errno != EINTR {
                throw TraceError(message: "cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }
}
