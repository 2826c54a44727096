// A database's place in the file system: one spelling for one file, so that two spellings cannot
// mean two lock files.

package import EventLog
import Glibc

package struct DatabasePath {
    /// Absolute, without symbolic links.
    package let text: String
    package let exists: Bool

    /// - Throws: `.cannotOpen` when the folder does not exist or may not be searched, or something
    ///   other than a file is there.
    package init(_ given: String) throws(StoreError) {
        if let resolved = Self.resolve(given) {
            var status = stat()
            guard stat(resolved, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw StoreError(.cannotOpen, "\(given) is not a file")
            }
            text = resolved
            exists = true
            return
        }
        let slash = given.lastIndex(of: "/")
        let name = slash.map { String(given[given.index(after: $0)...]) } ?? given
        let folder = slash.map { $0 == given.startIndex ? "/" : String(given[..<$0]) } ?? "."
        guard !name.isEmpty, let resolved = Self.resolve(folder) else {
            throw StoreError(.cannotOpen, "\(given): \(String(cString: strerror(errno)))")
        }
        text = resolved == "/" ? "/" + name : resolved + "/" + name
        exists = false
    }

    private var folder: String {
        let slash = text.lastIndex(of: "/")!
        return slash == text.startIndex ? "/" : String(text[..<slash])
    }

    /// Makes the empty file, readable by its owner only: SQLite gives the files beside it the same
    /// permissions. The folder is synced, so that the name lasts as long as what goes inside.
    package func create() throws(StoreError) {
        let file = open(text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(errno) }
        Glibc.close(file)
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure(errno) }
        defer { Glibc.close(directory) }
        guard fsync(directory) == 0 else { throw failure(errno) }
    }

    private func failure(_ reason: Int32) -> StoreError {
        let code: StoreError.Code =
            switch reason {
            case ENOSPC, EDQUOT: .full
            case EIO: .inputOutput
            default: .cannotOpen
            }
        return StoreError(code, "\(text): \(String(cString: strerror(reason)))")
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
