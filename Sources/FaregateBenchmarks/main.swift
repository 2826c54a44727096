// `make bench`: the engine beside a ceiling taken in the same run on the same disk.
//
// Absolute figures of one machine say little; ratios taken in one run do. Each level is measured
// three times, engine and ceiling in turn, and the medians are printed.

import Glibc

do {
    let options = BenchmarkOptions(arguments: CommandLine.arguments)
    switch options.part {
    case .engine: try await EngineBenchmark(options).run()
    case .decide: try await DecideBenchmark(options).run()
    case .scale: try await ScaleBenchmark(options).run()
    case .tokens: try TokensBenchmark(options).run()
    case .stripe: try await StripeBenchmark(options).run()
    case .bare: try await BareRoute().run()
    }
} catch {
    note("error: \(error)")
    exit(1)
}
