import Glibc

/// Where log lines go. One line is one write(2), so that the lines of several threads and of
/// several processes on one pipe do not run into one another (up to PIPE_BUF bytes, POSIX).
package struct LogOutput: Sendable {
    private let descriptor: Int32

    /// - Parameter descriptor: open for writing for as long as anything logs.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    package static let standardError = LogOutput(descriptor: STDERR_FILENO)

    /// Writes all of `line`. A log that cannot be written is lost: there is nobody to tell.
    func write(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(
                    descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count > 0 {
                    written += count
                } else if count < 0, errno == EINTR {
                    continue
                } else {
                    return
                }
            }
        }
    }
}
