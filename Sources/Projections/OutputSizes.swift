// How long answers were, remembered as a histogram that forgets.
//
// Lengths differ by orders of magnitude, so the buckets grow with them: each length up to 15 has
// its own, and every doubling from there on has eight of the same width. A quantile is the upper
// end of a bucket, so it is never too low and at most an eighth too high.
//
// When the histogram holds 1,024 calls all its counts are halved: what customers do changes, and
// what is recent counts for more. The same events in the same order give the same histogram, on
// every machine and after every rebuild.
//
// As text in the file: `12:3,57:1`, bucket and count, in the order of the buckets.

package import EventLog

/// Output tokens of one completion, over many calls.
package struct OutputSizes: Sendable, Hashable {
    /// Sorted by bucket; counts are above zero.
    private var buckets: [(bucket: Int, calls: Int)] = []
    /// Calls in the histogram at present.
    package private(set) var calls = 0

    /// Counts are halved when there are so many.
    package static let callsMax = 1_024
    /// Fewer calls say little about how long the next answer may be.
    package static let callsNeeded = 20
    /// Longer ones count as so long.
    static let tokensMax: Int64 = 1 << 40

    package init() {}

    package mutating func add(tokens: Int64) {
        let bucket = Self.bucket(of: min(max(tokens, 0), Self.tokensMax))
        let place = buckets.firstIndex { $0.bucket >= bucket } ?? buckets.count
        if place < buckets.count, buckets[place].bucket == bucket {
            buckets[place].calls += 1
        } else {
            buckets.insert((bucket, 1), at: place)
        }
        calls += 1
        if calls >= Self.callsMax { forgetHalf() }
    }

    private mutating func forgetHalf() {
        buckets = buckets.compactMap { $0.calls > 1 ? ($0.bucket, $0.calls / 2) : nil }
        calls = buckets.reduce(0) { $0 + $1.calls }
    }

    /// The length that so many of a thousand answers do not exceed; nil when too few are known.
    ///
    /// - Parameter perThousand: 1 to 1,000.
    package func quantile(perThousand: Int) -> Int64? {
        guard calls >= Self.callsNeeded else { return nil }
        let wanted = (calls * perThousand + 999) / 1_000
        var seen = 0
        for (bucket, calls) in buckets {
            seen += calls
            if seen >= wanted { return Self.upperEnd(of: bucket) }
        }
        return buckets.last.map { Self.upperEnd(of: $0.bucket) }
    }

    static func bucket(of tokens: Int64) -> Int {
        if tokens < 16 { return Int(tokens) }
        let octave = 63 - tokens.leadingZeroBitCount
        return 16 + (octave - 4) * 8 + Int((tokens >> (octave - 3)) & 7)
    }

    /// The longest length in a bucket.
    static func upperEnd(of bucket: Int) -> Int64 {
        if bucket < 16 { return Int64(bucket) }
        let (octave, part) = (bucket - 16).quotientAndRemainder(dividingBy: 8)
        return Int64(9 + part) << (octave + 1) - 1
    }

    package static func == (a: OutputSizes, b: OutputSizes) -> Bool { a.text == b.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension OutputSizes {
    package var text: String {
        buckets.map { "\($0.bucket):\($0.calls)" }.joined(separator: ",")
    }

    /// - Parameter text: anything else than a histogram's text is an empty histogram: the file is
    ///   ours, and what it holds is learned anew.
    package init(text: String) {
        self.init()
        var last = -1
        for part in text.split(separator: ",") {
            let numbers = part.split(separator: ":").map { Int($0) }
            guard numbers.count == 2, let bucket = numbers[0], let calls = numbers[1],
                bucket > last, bucket <= Self.bucket(of: Self.tokensMax),
                (1...Self.callsMax).contains(calls)
            else {
                self = OutputSizes()
                return
            }
            buckets.append((bucket, calls))
            self.calls += calls
            last = bucket
        }
    }
}

/// What is known of the answers that one model gave: to one customer, or to all of a project.
package struct OutputSizeRow: ViewRow, Hashable {
    package static let table = "output_sizes"
    package static let keyColumns = 3

    package var project = ""
    /// Empty: all customers of the project. No customer's id is empty.
    package var customer = ""
    package var model = ""
    package var calls: Int64 = 0
    private var buckets = ""

    package init() {}

    package init(project: String, customer: String, model: String) {
        self.project = project
        self.customer = customer
        self.model = model
    }

    package var sizes: OutputSizes { OutputSizes(text: buckets) }

    mutating func add(tokens: Int64) {
        var sizes = sizes
        sizes.add(tokens: tokens)
        calls = Int64(sizes.calls)
        buckets = sizes.text
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("model", &model)
        visitor.integer("calls", &calls)
        visitor.text("buckets", &buckets)
    }
}

extension ViewReader {
    /// How many tokens so many of a thousand answers of `model` to `customer` do not exceed; of all
    /// of the project, while too few to the customer are known; nil while those are too few as
    /// well.
    package func expectedOutput(
        project: String, customer: String, model: String, perThousand: Int
    ) throws(StoreError) -> Int64? {
        for name in [customer, ""] {
            let row = try find(OutputSizeRow(project: project, customer: name, model: model))
            if let tokens = row?.sizes.quantile(perThousand: perThousand) { return tokens }
        }
        return nil
    }
}
