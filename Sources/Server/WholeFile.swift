import Glibc

/// Reading and writing small files in one go.
package enum WholeFile {
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let path: String
        /// `errno`; 0 when the file is larger than allowed.
        package let code: Int32

        package var description: String {
            code == 0
                ? "\(path): the file is too large" : "\(path): \(String(cString: strerror(code)))"
        }
    }

    /// All bytes of a file. Blocks.
    ///
    /// - Parameter maxBytes: more are refused.
    package static func read(
        _ path: String, maxBytes: Int = 64 << 20
    ) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(path: path, code: errno)
            }
            if bytes.count + count > maxBytes { throw Failure(path: path, code: 0) }
            bytes += chunk[..<count]
        }
    }

    /// Puts a file with these bytes in place of what is there: readers see the old one or the whole
    /// new one. Blocks.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 {
                let code = errno
                close(descriptor)
                unlink(temporary)
                throw Failure(path: path, code: code)
            }
            written += count
        }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw Failure(path: path, code: code)
        }
    }
}
