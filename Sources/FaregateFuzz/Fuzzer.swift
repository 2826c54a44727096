// libFuzzer on one of the targets. `make fuzz` builds it, with AddressSanitizer and counters of
// coverage, and runs it:
//
//     FAREGATE_FUZZ_TARGET=json|event|cloudevent|dialect|sizing FaregateFuzz [options and folders]
//
// The target comes in the environment because libFuzzer starts itself again with its own arguments
// (`-merge=1`).

import CLibFuzzer
import FaregateFuzzing
import Glibc

@main
enum Fuzzer {
    /// What one input may take at most: 50 ms for what happens once, and 20 µs for each byte, which
    /// is far more than the readers take even here. At 64 kB a square of the size is beyond it.
    private static let nanosecondsOnce = 50_000_000
    private static let nanosecondsPerByte = 20_000

    private static let target = getenv("FAREGATE_FUZZ_TARGET").flatMap {
        FuzzTarget(rawValue: String(cString: $0))
    }

    static func main() {
        if target == nil {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            write("FAREGATE_FUZZ_TARGET must be one of \(names)")
            exit(64)
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { data, size in
                check(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            })
    }

    private static func check(_ bytes: [UInt8]) {
        let start = cpuNanoseconds()
        do throws(Violation) {
            try target?.check(bytes)
        } catch {
            write("broken rule: \(error)")
            abort()
        }
        let used = cpuNanoseconds() - start
        if used > nanosecondsOnce + nanosecondsPerByte * bytes.count {
            write("broken rule: \(used / 1_000_000) ms for \(bytes.count) bytes is not linear")
            abort()
        }
    }

    /// CPU time of this thread: what else the machine does is not in it.
    private static func cpuNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func write(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
