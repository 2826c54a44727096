// What the doctor looks at in the machine: clock, limits, time zones.

import CMachine
import EventLog
import Glibc
import SQLiteEventLog
import TimeZones

extension Doctor {
    func clock() -> DoctorCheck {
        if let ahead = secondsOfLedgerAhead(), ahead > 1 {
            return .fail(
                "clock",
                "the newest event is \(ahead) s in the future: the clock was set back, and every "
                    + "event gets that time until it is reached",
                "set the clock right (timedatectl), then look when the event was written: "
                    + "faregate events")
        }
        var maxError: Int64 = 0
        let isSynchronised = faregate_clock_is_synchronised(&maxError) == 1
        return Self.clock(
            isSynchronised: isSynchronised, maxErrorMicroseconds: maxError,
            driftMicroseconds: Self.driftMicroseconds())
    }

    /// - Parameters:
    ///   - isSynchronised: what the kernel was told by a time service.
    ///   - driftMicroseconds: how much the clock moved against the monotonic one in a tenth of a
    ///     second.
    static func clock(
        isSynchronised: Bool, maxErrorMicroseconds: Int64, driftMicroseconds: Int64
    ) -> DoctorCheck {
        if abs(driftMicroseconds) > 5_000 {
            return .warn(
                "clock",
                "it moved by \(driftMicroseconds) µs against the monotonic clock within 100 ms",
                "something sets it in steps: let one time service slew it (chrony, systemd-timesyncd)"
            )
        }
        guard isSynchronised else {
            return .warn(
                "clock", "no time service has told the kernel that the clock is right",
                "run chrony or systemd-timesyncd: windows and price changes begin by this clock. In "
                    + "a container or a virtual machine the host may see to it")
        }
        return .ok("clock", "synchronised, within \(maxErrorMicroseconds / 1_000) ms")
    }

    private func secondsOfLedgerAhead() -> Int64? {
        guard access(path, F_OK) == 0,
            let store = try? SQLiteEventStore.openReadOnly(path: path), store.head.sequence > 0,
            !store.identity.isTestClock,
            let newest = try? store.checkpoints(after: store.head.sequence - 1, limit: 1).first
        else { return nil }
        defer { store.close() }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return newest.timeMicroseconds / 1_000_000 - Int64(now.tv_sec)
    }

    private static func driftMicroseconds() -> Int64 {
        func difference() -> Int64 {
            var (real, monotonic) = (timespec(), timespec())
            clock_gettime(CLOCK_REALTIME, &real)
            clock_gettime(CLOCK_MONOTONIC, &monotonic)
            return (Int64(real.tv_sec) - Int64(monotonic.tv_sec)) * 1_000_000
                + (Int64(real.tv_nsec) - Int64(monotonic.tv_nsec)) / 1_000
        }
        let before = difference()
        usleep(100_000)
        return difference() - before
    }

    func openFiles() -> DoctorCheck? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return nil
        }
        return Self.openFiles(max: limit.rlim_cur)
    }

    static func openFiles(max: UInt) -> DoctorCheck {
        let text = max > 1 << 40 ? "no limit on open files" : "\(max) files may be open"
        let remedy = "every connection is one: raise it (ulimit -n, LimitNOFILE= of systemd)"
        if max < 256 { return .fail("open files", text, remedy) }
        if max < 4_096 { return .warn("open files", text, remedy) }
        return .ok("open files", text)
    }

    func fileSize() -> DoctorCheck? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            limit.rlim_cur != rlim_t.max
        else { return nil }
        return .warn(
            "file size", "a file may have at most \(limit.rlim_cur >> 20) MiB",
            "the ledger grows without end: ulimit -f unlimited")
    }

    func timeZones() -> DoctorCheck {
        do {
            _ = try TimeZoneDatabase().rules(for: "Europe/Berlin")
            return .ok("time zones", "the IANA time zones are there")
        } catch {
            return .warn(
                "time zones", "the IANA time zones are missing: only UTC can be used",
                "apt-get install tzdata")
        }
    }
}
