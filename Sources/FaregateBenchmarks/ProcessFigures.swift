// What Linux says about this process and its threads.

import Glibc

enum ProcessFigures {
    /// Resident memory in bytes.
    static func residentBytes() -> Int {
        let fields = text("/proc/self/statm").split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor time that the thread of this name has used so far, nanoseconds.
    static func threadNanoseconds(named name: String) -> UInt64 {
        guard let directory = opendir("/proc/self/task") else { return 0 }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let task = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            let path = "/proc/self/task/" + task
            guard text(path + "/comm").split(separator: "\n").first.map(String.init) == name
            else { continue }
            let fields = text(path + "/schedstat").split(separator: " ")
            return fields.first.flatMap { UInt64($0) } ?? 0
        }
        return 0
    }

    static func fileBytes(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
