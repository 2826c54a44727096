// How fast the tokenizers are: megabytes of text a second of processor time, on one thread.
//
// The texts are made from this repository's own files, so it is run in the repository's folder, and
// are written to `--dir`, so that other tokenizers can be measured on the same ones
// (Tests/Benchmarks/tokens.py).

import Glibc
import Tokenizers

struct TokensBenchmark {
    let options: BenchmarkOptions
    private static let bytes = 1_000_000

    init(_ options: BenchmarkOptions) { self.options = options }

    func run() throws {
        for encoding in TokenEncoding.allCases {
            let start = threadNanoseconds()
            let tokenizer = Tokenizer.named(encoding)
            _ = tokenizer.count("a")
            let loading = Double(threadNanoseconds() - start) / 1e6
            note("\(encoding.rawValue): ready after \(fixed(loading, 1)) ms")
        }
        var rows = [["encoding", "text", "MB", "tokens", "count MB/s", "encode MB/s"]]
        for (name, text) in BenchmarkTexts.all(bytes: Self.bytes) {
            try BenchmarkTexts.write(text, to: "\(options.directory)/\(name).txt")
            for encoding in TokenEncoding.allCases {
                let tokenizer = Tokenizer.named(encoding)
                rows.append([
                    encoding.rawValue, name, fixed(Double(text.count) / 1e6, 2),
                    "\(tokenizer.encode(text).count)",
                    fixed(speed(text) { tokenizer.count($0) }, 1),
                    fixed(speed(text) { tokenizer.encode($0).count }, 1),
                ])
            }
        }
        print(aligned(rows))
    }

    /// Megabytes a second, the median of the repeats.
    private func speed(
        _ text: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Int
    ) -> Double {
        let speeds = (0..<max(options.repeats, 1) * 3).map { _ in
            let start = threadNanoseconds()
            var bytes = 0
            repeat {
                _ = text.withUnsafeBufferPointer(body)
                bytes += text.count
            } while threadNanoseconds() - start < 100_000_000
            return Double(bytes) * 1e3 / Double(threadNanoseconds() - start)
        }
        return median(speeds)
    }

    /// Processor time: other work on the machine counts little.
    private func threadNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

extension Tokenizer {
    fileprivate func encode(_ bytes: [UInt8]) -> [Int32] {
        bytes.withUnsafeBufferPointer { encode($0) }
    }
}
