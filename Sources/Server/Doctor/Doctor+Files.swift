// What the doctor looks at in the file system.

import CMachine
import Glibc

extension Doctor {
    func folder() -> DoctorCheck {
        let folder = Self.folder(of: path)
        var status = stat()
        guard stat(folder, &status) == 0 else {
            return .fail(
                "folder", "\(folder): \(String(cString: strerror(errno)))",
                "make it, owned by the user that runs the server: "
                    + "install -d -m 700 -o USER \(folder)")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            return .fail(
                "folder", "\(folder) cannot be written by this user",
                "run the server as its owner, or change the owner: SQLite makes files beside the "
                    + "ledger")
        }
        if status.st_mode & 0o002 != 0, status.st_mode & 0o1000 == 0 {
            return .warn(
                "folder", "everybody may write to \(folder), and so replace the ledger",
                "chmod o-w \(folder)")
        }
        return .ok("folder", "\(folder) can be written")
    }

    func ledgerFile() -> DoctorCheck {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT
                ? .ok("file", "\(path) is not there yet; the first start makes it")
                : .fail(
                    "file", "\(path): \(String(cString: strerror(errno)))",
                    "check the path (--db) and who may search its folders")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .fail("file", "\(path) is not a file", "name a file with --db")
        }
        guard access(path, R_OK | W_OK) == 0 else {
            return .fail(
                "file", "\(path) cannot be read and written by this user",
                "run as its owner (user number \(status.st_uid))")
        }
        if status.st_mode & 0o077 != 0 {
            return .warn(
                "file",
                "\(path) has mode \(String(status.st_mode & 0o777, radix: 8)): others than its "
                    + "owner may read or write it",
                "chmod 600 \(path)")
        }
        if status.st_nlink > 1 {
            return .warn(
                "file", "\(path) has \(status.st_nlink) names (hard links)",
                "keep one: SQLite finds its write-ahead log by the name")
        }
        return .ok("file", "\(path), \(status.st_size) bytes, for its owner only")
    }

    func diskSpace() -> DoctorCheck? {
        var space = statvfs()
        guard statvfs(Self.folder(of: path), &space) == 0 else { return nil }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        return Self.diskSpace(
            freeBytes: free, ledgerBytes: UInt64(Self.size(of: path) ?? 0),
            freeFiles: space.f_files == 0 ? nil : UInt64(space.f_favail))
    }

    /// - Parameter freeFiles: nil on a file system without a limit on files.
    static func diskSpace(
        freeBytes: UInt64, ledgerBytes: UInt64, freeFiles: UInt64?
    ) -> DoctorCheck {
        let remedy = "make room: when the disk is full, every write is answered 503 until it is not"
        let text = "\(freeBytes >> 20) MiB free, the ledger has \(ledgerBytes >> 20) MiB"
        if freeBytes < 64 << 20 { return .fail("disk space", text, remedy) }
        if let freeFiles, freeFiles < 100 {
            return .fail("disk space", "room for \(freeFiles) more files only", remedy)
        }
        if freeBytes < 1 << 30 || freeBytes < ledgerBytes / 4 {
            return .warn("disk space", text, remedy)
        }
        return .ok("disk space", text)
    }

    func fileSystem() -> DoctorCheck? {
        let type = faregate_file_system_type(Self.folder(of: path))
        return type < 0 ? nil : Self.fileSystem(type: type)
    }

    /// - Parameter type: `f_type` of statfs(2).
    static func fileSystem(type: Int64) -> DoctorCheck {
        let onDisk = "put the ledger on a local disk"
        switch type {
        case 0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997:
            return .fail(
                "file system",
                "a network file system: SQLite's write-ahead log does not work there",
                onDisk)
        case 0x0102_1994, 0x8584_58F6:
            return .fail("file system", "in memory: all is lost when the machine stops", onDisk)
        case 0x6573_5546:
            return .warn(
                "file system", "FUSE: what syncing means there depends on the program behind it",
                onDisk)
        case 0x794C_7630:
            return .warn(
                "file system", "a container's own layer: it goes when the container goes",
                "mount a volume for the ledger's folder")
        default: return .ok("file system", "local")
        }
    }

    /// Writes and syncs 4 KiB a few times, as a commit does.
    func syncTime() -> DoctorCheck? {
        var template = Array("\(Self.folder(of: path))/faregate-doctor-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { return nil }
        unlink(template)
        defer { close(file) }
        let block = [UInt8](repeating: 0x46, count: 4_096)
        var times: [Int64] = []
        for index in 0..<20 {
            let start = ContinuousClock.now
            guard pwrite(file, block, block.count, off_t(index * block.count)) == block.count,
                fdatasync(file) == 0
            else {
                return .fail(
                    "sync", "a sync failed: \(String(cString: strerror(errno)))",
                    "look at the disk: dmesg, smartctl")
            }
            times.append(Int64(start.duration(to: .now) / .microseconds(1)))
        }
        return Self.syncTime(microseconds: times.sorted())
    }

    /// - Parameter times: ascending, at least one.
    static func syncTime(microseconds times: [Int64]) -> DoctorCheck {
        let (median, most) = (times[times.count / 2], times[times.count - 1])
        let text = "a sync takes \(median) µs (median of \(times.count)), at most \(most) µs"
        if median > 20_000 {
            return .warn(
                "sync", text,
                "each commit waits for one: calls wait as long. Use a disk with a faster sync")
        }
        return .ok("sync", text)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
