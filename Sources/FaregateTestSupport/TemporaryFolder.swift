// A place for the files of a test.

import Glibc

/// A new folder, gone with everything in it when the test is over.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter isInMemory: on a file system in memory, if there is one, where a sync costs
    ///   nothing: for tests that open hundreds of ledgers and make the disk's faults themselves.
    package init(isInMemory: Bool = false) throws {
        let parent = isInMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/faregate-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw FixtureError.noFolder(parent) }
        path = String(cString: made)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    package var ledger: String { path + "/faregate.db" }

    package var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
