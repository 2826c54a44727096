import Glibc

/// `FaregateBenchmarks [--part engine|decide|scale|tokens|stripe|bare] [--customers N] [--events N]
/// [--seconds S] [--repeats R] [--callers 1,64,256,1024] [--dir PATH]`
struct BenchmarkOptions {
    enum Part: String { case engine, decide, scale, tokens, stripe, bare }

    var part = Part.engine
    var customers = 100_000
    /// How far `scale` fills the log.
    var events = 1_000_000
    var seconds = 3
    var repeats = 3
    var callers = [1, 64, 256, 1024]
    /// Where the files go: a real disk, or durability costs nothing and the figures mean nothing.
    var directory = ".build/bench"

    init(arguments: [String]) {
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { Self.usage() }
            switch name {
            case "--part":
                guard let known = Part(rawValue: value) else { Self.usage() }
                part = known
            case "--customers": customers = Self.number(value)
            case "--events": events = Self.number(value)
            case "--seconds": seconds = Self.number(value)
            case "--repeats": repeats = Self.number(value)
            case "--callers": callers = value.split(separator: ",").map { Self.number(String($0)) }
            case "--dir": directory = value
            default: Self.usage()
            }
        }
    }

    private static func number(_ text: String) -> Int {
        guard let number = Int(text), number > 0 else { usage() }
        return number
    }

    private static func usage() -> Never {
        note(
            "usage: FaregateBenchmarks [--part engine|decide|scale|tokens|stripe|bare] [--customers N] [--events N]"
                + " [--seconds S] [--repeats R] [--callers 1,64,256,1024] [--dir PATH]")
        exit(2)
    }
}
