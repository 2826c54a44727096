// What metrics say of the process, the files and the build, read when somebody asks: from /proc
// (see proc(5)) and with stat(2). Names are those that Prometheus' own clients use.

import Glibc
import Telemetry

enum ProcessMetrics {
    /// What cannot be read is left out.
    static func write(to text: inout PrometheusText, version: String) {
        text.family("faregate_build_info", .gauge, "1, with what runs.")
        text.sample(1, .one, [("version", version), ("swift", swiftVersion)])
        if let stat = fields(ofStat: "/proc/self/stat") { write(stat, to: &text) }
        if let count = entries(of: "/proc/self/fd") {
            // One of them is the folder itself, being read.
            text.single("process_open_fds", .gauge, "Open file descriptors.", Int64(count - 1))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            text.single(
                "process_max_fds", .gauge, "File descriptors that may be open.",
                Int64(clamping: limit.rlim_cur))
        }
    }

    /// Sizes of the ledger's files.
    static func writeFiles(to text: inout PrometheusText, ledger: String, views: String) {
        text.family("faregate_file_bytes", .gauge, "Sizes of the ledger's files.")
        let files: [(String, String)] = [
            ("log", ledger), ("wal", ledger + "-wal"), ("views", views),
            ("views_wal", views + "-wal"),
        ]
        for (name, path) in files {
            text.sample(size(of: path) ?? 0, .one, [("file", name)])
        }
        var system = statvfs()
        if statvfs(ledger, &system) == 0 {
            text.single(
                "faregate_disk_available_bytes", .gauge,
                "Room left on the file system of the log.",
                Int64(clamping: UInt64(system.f_bavail) &* UInt64(system.f_frsize)))
        }
    }

    private static func write(_ stat: [Int64], to text: inout PrometheusText) {
        let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        // Fields 14, 15, 20, 22, 23, 24 of proc(5); the first two are not among these.
        guard stat.count >= 22, ticks > 0 else { return }
        let nanosecondsOfTick = 1_000_000_000 / ticks
        text.single(
            "process_cpu_seconds_total", .counter, "User and system time.",
            (stat[11] + stat[12]) * nanosecondsOfTick, .nano)
        text.single("process_threads", .gauge, "Threads.", stat[17])
        text.single("process_virtual_memory_bytes", .gauge, "Virtual memory.", stat[20])
        text.single("process_resident_memory_bytes", .gauge, "Resident memory.", stat[21] * page)
        if let boot = bootSeconds() {
            text.single(
                "process_start_time_seconds", .gauge, "When the process began, since 1970 UTC.",
                boot * 1_000_000_000 + stat[19] * nanosecondsOfTick, .nano)
        }
    }

    /// The numbers behind the name, which is in parentheses and may hold anything.
    private static func fields(ofStat path: String) -> [Int64]? {
        guard let bytes = try? WholeFile.read(path, maxBytes: 1 << 16),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The state, a letter, is the first.
        return bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
            Int64(String(decoding: $0, as: UTF8.self)) ?? 0
        }
    }

    private static func bootSeconds() -> Int64? {
        guard let bytes = try? WholeFile.read("/proc/stat", maxBytes: 1 << 20) else { return nil }
        let line = bytes.split(separator: UInt8(ascii: "\n")).first {
            $0.starts(with: "btime ".utf8)
        }
        return line.flatMap { Int64(String(decoding: $0.dropFirst(6), as: UTF8.self)) }
    }

    private static func size(of path: String) -> Int64? {
        var found = stat()
        return stat(path, &found) == 0 ? Int64(found.st_size) : nil
    }

    private static func entries(of path: String) -> Int? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            // Without the folder itself and its parent.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }

    private static var swiftVersion: String {
        #if swift(>=6.4)
            "6.4 or newer"
        #elseif swift(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}

/// Raises the limit of open files to what the system allows this process; connections need them.
///
/// - Returns: the limit in force.
func raiseFileLimit() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1_024 }
    if limit.rlim_cur < limit.rlim_max {
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
}
