// A file layer for SQLite that fails when told to: the system's own, with writes, syncs and cuts
// counted on the way, and one of them, or all from one on, answered with an error.
//
// Faults are armed for the calling thread only, so that tests beside each other do not meet. A
// store opened with `vfs: FaultyDisk.vfs` works on it.

import CSQLite
import Glibc
import Synchronization

enum FaultyDisk {
    struct Fault {
        /// Which operation fails, counted from 1 by the writes, syncs and cuts of this thread.
        var operation: Int
        /// SQLite's code that it fails with.
        var code: Int32
        /// Whether every later operation fails too.
        var isLasting: Bool
        /// Whether a failing write has written the first half.
        var isTorn = false
    }

    private struct Plan {
        var fault: Fault
        var count = 0
        var hasStruck = false
    }

    private static let plans = Mutex<[pthread_t: Plan]>([:])

    /// The name to open with; registers the layer at first use.
    static let vfs: String = {
        let name = "faregate-faulty-disk"
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: sqlite3_vfs_find(nil).pointee)
        layer.pointee.zName = UnsafePointer(strdup(name))
        layer.pointee.pNext = nil
        layer.pointee.xOpen = { _, path, file, flags, outFlags in
            let system = sqlite3_vfs_find(nil)!
            let code = system.pointee.xOpen(system, path, file, flags, outFlags)
            if let file, file.pointee.pMethods != nil { FaultyDisk.interpose(on: file) }
            return code
        }
        sqlite3_vfs_register(layer, 0)
        return name
    }()

    /// Runs `body` with `fault` armed on this thread; whether it has struck.
    static func whileArmed(_ fault: Fault, _ body: () throws -> Void) rethrows -> Bool {
        let thread = pthread_self()
        plans.withLock { $0[thread] = Plan(fault: fault) }
        defer { plans.withLock { $0[thread] = nil } }
        try body()
        return plans.withLock { $0[thread]?.hasStruck == true }
    }

    /// The code to fail with, and whether torn; nil to go on.
    fileprivate static func nextOperation() -> (code: Int32, isTorn: Bool)? {
        plans.withLock { plans in
            let thread = pthread_self()
            guard var plan = plans[thread] else { return nil }
            plan.count += 1
            let strikes =
                plan.fault.isLasting
                ? plan.count >= plan.fault.operation : plan.count == plan.fault.operation
            if strikes { plan.hasStruck = true }
            plans[thread] = plan
            return strikes ? (plan.fault.code, plan.fault.isTorn) : nil
        }
    }

    private typealias Methods = UnsafePointer<sqlite3_io_methods>

    /// Tables of methods by address, which never go away: the failing one for each of the system's
    /// (it has one for files with locks and one for those without), and back.
    private struct Tables {
        var failing: [Int: Int] = [:]
        var system: [Int: Int] = [:]
    }

    private static let tables = Mutex(Tables())

    fileprivate static func interpose(on file: UnsafeMutablePointer<sqlite3_file>) {
        let system = file.pointee.pMethods!
        let address = Int(bitPattern: system)
        let failing = tables.withLock { tables in
            if let known = tables.failing[address] { return known }
            let made = Int(bitPattern: makeMethods(over: Methods(bitPattern: address)!))
            tables.failing[address] = made
            tables.system[made] = address
            return made
        }
        file.pointee.pMethods = Methods(bitPattern: failing)
    }

    private static func makeMethods(over system: Methods) -> Methods {
        let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        table.initialize(to: system.pointee)
        table.pointee.xWrite = { file, bytes, count, offset in
            let write = FaultyDisk.systemMethods(of: file!).xWrite!
            guard let fault = FaultyDisk.nextOperation() else {
                return write(file, bytes, count, offset)
            }
            if fault.isTorn { _ = write(file, bytes, count / 2, offset) }
            return fault.code
        }
        table.pointee.xSync = { file, flags in
            FaultyDisk.nextOperation()?.code
                ?? FaultyDisk.systemMethods(of: file!).xSync(file, flags)
        }
        table.pointee.xTruncate = { file, size in
            FaultyDisk.nextOperation()?.code
                ?? FaultyDisk.systemMethods(of: file!).xTruncate(file, size)
        }
        return Methods(table)
    }

    fileprivate static func systemMethods(
        of file: UnsafeMutablePointer<sqlite3_file>
    ) -> sqlite3_io_methods {
        let address = Int(bitPattern: file.pointee.pMethods)
        return Methods(bitPattern: tables.withLock { $0.system[address]! })!.pointee
    }
}
