import Money
import Testing

@testable import Sandbox

struct MeasureTests {
    // A percentile is the smallest sample that so many of all are not above (nearest rank).
    @Test func percentilesAreExact() {
        var samples = LatencySamples()
        #expect(samples.summary == nil)
        for value in (1...200).reversed() { samples.add(.microseconds(value)) }
        #expect(
            samples.summary
                == LatencySummary(count: 200, p50: 100, p95: 190, p99: 198, longest: 200))
        var one = LatencySamples()
        one.add(.milliseconds(3))
        #expect(
            one.summary
                == LatencySummary(count: 1, p50: 3_000, p95: 3_000, p99: 3_000, longest: 3_000))
    }

    // Beyond its capacity the sample stays uniform: its median is near that of all.
    @Test func reservoirIsUniform() throws {
        var samples = LatencySamples(capacity: 1_000)
        for value in 1...50_000 { samples.add(.microseconds(value)) }
        let summary = try #require(samples.summary)
        #expect(summary.count == 50_000)
        #expect((22_500...27_500).contains(summary.p50))
        #expect((46_000...49_000).contains(summary.p95))
    }

    // Never more calls under way than the window has room for, and none is lost.
    @Test func windowBoundsConcurrency() async {
        let window = InFlightWindow(limit: 3)
        await withDiscardingTaskGroup { group in
            for _ in 0..<200 {
                await window.enter()
                #expect(window.figures.now <= 3)
                group.addTask {
                    await Task.yield()
                    window.leave()
                }
            }
        }
        #expect(window.figures.now == 0)
        #expect(window.figures.most == 3)
    }

    // Waits as the server asks, within limits; doubles its own pauses; gives up in the end.
    @Test func retriesWithinLimits() {
        #expect(RetryRule.pause(attempt: 0, retryAfterSeconds: 0) == .zero)
        #expect(RetryRule.pause(attempt: 0, retryAfterSeconds: 5) == .seconds(5))
        #expect(RetryRule.pause(attempt: 0, retryAfterSeconds: 6) == nil)
        #expect(RetryRule.pause(attempt: 0, retryAfterSeconds: -1) == nil)
        #expect(RetryRule.pause(attempt: 0, retryAfterSeconds: nil) == .milliseconds(50))
        #expect(RetryRule.pause(attempt: 5, retryAfterSeconds: nil) == .milliseconds(1_600))
        #expect(RetryRule.pause(attempt: 6, retryAfterSeconds: 1) == nil)
    }

    // Figures for people: grouped, rounded half to even, the sign kept.
    @Test func writesFigures() throws {
        #expect(NumberText.count(0) == "0")
        #expect(NumberText.count(999) == "999")
        #expect(NumberText.count(-1_234_567) == "-1,234,567")
        #expect(NumberText.count(.min) == "-9,223,372,036,854,775,808")
        #expect(NumberText.amount(.zero) == "0.0000")
        #expect(NumberText.amount(Money(nanos: 50_000)) == "0.0000")
        #expect(NumberText.amount(Money(nanos: 150_000)) == "0.0002")
        #expect(NumberText.amount(Money(nanos: -1_234_567_800_000)) == "-1,234.5678")
        #expect(NumberText.amount(.max) == "9,223,372,036.8548")
        #expect(NumberText.percent(1, of: 8) == "12.5 %")
        #expect(NumberText.percent(-1, of: 3) == "-33.3 %")
        #expect(NumberText.percent(1, of: 0) == "-")
        #expect(NumberText.milliseconds(1_234_565) == "1,234.56")
        #expect(NumberText.seconds(.milliseconds(8_949)) == "8.9 s")
        #expect(NumberText.clock(.milliseconds(61_001)) == "1:02")
    }

    // The bar says how far, how fast and how long still, in no more columns than there are.
    @Test func drawsProgress() {
        let start = ContinuousClock().now
        let bar = ProgressBar(total: 2_000, width: 100, start: start, write: nil)
        #expect(
            bar.line(done: 500, inFlight: 41, elapsed: .seconds(2))
                == "Playing [########---------------------------]"
                + "  500/2,000   25 %   250/s   0:06 left   41 in flight")
        #expect(bar.line(done: 2_000, inFlight: 0, elapsed: .seconds(9)).hasSuffix("0 in flight"))
        for width in 1...120 {
            let bar = ProgressBar(total: 1_000_000, width: width, start: start, write: nil)
            #expect(bar.line(done: 1, inFlight: 999, elapsed: .seconds(1)).count <= max(width, 2))
        }
    }

    // Without a terminal nothing is drawn; on one the line is taken away at the end.
    @Test func drawsOnTerminalsOnly() {
        let start = ContinuousClock().now
        let recorder = TextRecorder()
        var bar = ProgressBar(total: 10, width: 80, start: start, write: recorder.write)
        bar.update(done: 1, inFlight: 1, now: start)
        bar.update(done: 2, inFlight: 1, now: start + .milliseconds(99))
        bar.update(done: 3, inFlight: 1, now: start + .milliseconds(100))
        bar.finish()
        #expect(recorder.texts.count == 3)
        #expect(recorder.texts.last == "\r\u{1B}[K")
        var silent = ProgressBar(total: 10, width: 80, start: start, write: nil)
        silent.update(done: 1, inFlight: 1, now: start)
        silent.finish()
    }
}
