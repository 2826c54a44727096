// The one file of this module that talks to the system: it reads zone files.

import Glibc

/// Read-only access to the directories that hold zone files.
enum ZoneFiles {
    /// A file that exists and cannot be read.
    struct Failure: Error, Equatable {
        var reason: String
    }

    /// The value of `TZDIR`, if it is set and not empty.
    static func directoryFromEnvironment() -> String? {
        guard let value = getenv("TZDIR") else { return nil }
        let directory = String(cString: value)
        return directory.isEmpty ? nil : directory
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The bytes of a regular file of at most `maximumBytes`; `nil` when there is no such file.
    static func read(_ path: String, maximumBytes: Int) throws(Failure) -> [UInt8]? {
        // Non-blocking, so that a pipe in the place of a file cannot hold the caller up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return nil }
            throw failure(code)
        }
        defer { close(descriptor) }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        // "Europe" is a folder of zones, not a zone.
        case S_IFDIR: return nil
        default: throw Failure(reason: "it is not a regular file")
        }
        guard status.st_size <= maximumBytes else {
            throw Failure(reason: "it is larger than \(maximumBytes) bytes")
        }

        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
            }
            if got < 0 {
                let code = errno
                if code == EINTR { continue }
                throw failure(code)
            }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static func failure(_ code: Int32) -> Failure {
        Failure(reason: String(cString: strerror(code)))
    }
}
