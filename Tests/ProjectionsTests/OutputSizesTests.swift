import Billing
import EventLog
import FaregateTestSupport
import Testing

@testable import Projections

@Suite struct OutputSizesTests {
    /// Rule: every length is in one bucket, buckets follow each other without a gap, and none is
    /// wider than an eighth of its lengths.
    @Test func bucketsCoverAllLengths() {
        var lengths = Array(0...70_000) as [Int64]
        for power in 5...40 {
            let length = (1 as Int64) << power
            lengths += [length - 1, length, length + 1, length + length / 8 - 1]
        }
        for length in lengths.sorted() where length <= OutputSizes.tokensMax {
            let bucket = OutputSizes.bucket(of: length)
            let end = OutputSizes.upperEnd(of: bucket)
            #expect(end >= length)
            #expect(bucket == 0 || OutputSizes.upperEnd(of: bucket - 1) < length)
            #expect(end - length <= length / 8)
        }
    }

    /// Rule: a quantile is never below the true one, and at most an eighth above it.
    @Test(arguments: [1, 500, 900, 950, 990, 1_000])
    func quantileIsCloseFromAbove(perThousand: Int) throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<50 {
            let count = Int.random(in: OutputSizes.callsNeeded...900, using: &random)
            let lengths = (0..<count).map { _ in
                let power = Int64.random(in: 1...20, using: &random)
                return Int64.random(in: 0...(1 << power), using: &random)
            }
            var sizes = OutputSizes()
            for length in lengths { sizes.add(tokens: length) }
            let place = (count * perThousand + 999) / 1_000
            let exact = lengths.sorted()[max(place, 1) - 1]
            let found = try #require(sizes.quantile(perThousand: perThousand))
            #expect(found >= exact)
            #expect(found <= exact + exact / 8)
        }
    }

    /// Rule: a handful of answers is not a distribution.
    @Test func fewCallsSayNothing() {
        var sizes = OutputSizes()
        for _ in 1..<OutputSizes.callsNeeded { sizes.add(tokens: 100) }
        #expect(sizes.quantile(perThousand: 950) == nil)
        sizes.add(tokens: 100)
        #expect(sizes.quantile(perThousand: 950) == 103)
    }

    /// Rule: what is recent counts for more: after a thousand short answers the long ones before
    /// are forgotten, and the histogram never grows beyond its bound.
    @Test func oldAnswersAreForgotten() {
        var sizes = OutputSizes()
        for _ in 0..<500 { sizes.add(tokens: 4_000) }
        #expect(sizes.quantile(perThousand: 950) == 4_095)
        for _ in 0..<10_000 {
            sizes.add(tokens: 10)
            #expect(sizes.calls < OutputSizes.callsMax)
        }
        #expect(sizes.quantile(perThousand: 950) == 10)
    }

    /// Rule: the text in the file is the histogram, and text that is none is an empty one.
    @Test func textRoundTrips() {
        var random = SeededGenerator(seed: 11)
        var sizes = OutputSizes()
        for _ in 0..<3_000 {
            sizes.add(tokens: Int64.random(in: 0...100_000, using: &random))
            #expect(OutputSizes(text: sizes.text) == sizes)
        }
        sizes.add(tokens: .max)
        sizes.add(tokens: -5)
        #expect(OutputSizes(text: sizes.text) == sizes)
        for text in ["1", "1:0", "1:-2", "2:1,1:1", "x:1", "9999:1", "1:1:1", "1:99999"] {
            #expect(OutputSizes(text: text) == OutputSizes(), "\(text)")
        }
    }
}
