import FaregateFuzzing
import Foundation
import Testing

/// The rules that `make fuzz` holds the readers to, on its seeds and on damaged copies of them.
@Suite struct SeedTests {
    // Every seed keeps every rule, and each target accepts some of its seeds.
    @Test(arguments: FuzzTarget.allCases)
    func seeds(_ target: FuzzTarget) throws {
        let seeds = try Seeds.of(target)
        var accepted = 0
        for (name, bytes) in seeds {
            do throws(Violation) {
                if try target.check(bytes) { accepted += 1 }
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
        #expect(accepted >= 3)
        #expect(accepted < seeds.count)
    }

    // Damaged seeds keep them, too, whether they are still accepted or not.
    @Test(arguments: FuzzTarget.allCases)
    func damagedSeeds(_ target: FuzzTarget) throws {
        var damage = Damage(seed: 0xF022)
        let seeds = try Seeds.of(target).map(\.bytes)
        // A dialect's bytes are read some thirty times over; counting tokens takes its time without
        // optimisation.
        for round in 0..<(target == .dialect || target == .sizing ? 1_500 : 6_000) {
            let bytes = damage.damaged(seeds[round % seeds.count], with: seeds)
            do throws(Violation) {
                try target.check(bytes)
            } catch {
                Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(error)")
            }
        }
    }
}

private enum Seeds {
    static func of(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var folders = ["Tests/Fuzz/seeds/\(target.rawValue)"]
        if target == .json || target == .event { folders.append("fixtures/events") }
        var seeds: [(name: String, bytes: [UInt8])] = []
        for folder in folders {
            let base = root.appendingPathComponent(folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: base.path).sorted() {
                let data = try Data(contentsOf: base.appendingPathComponent(name))
                seeds.append((name: "\(folder)/\(name)", bytes: Array(data)))
            }
        }
        return seeds
    }
}

/// Changes bytes as a fuzzer without coverage would.
private struct Damage {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(bound, 1)
    }

    mutating func damaged(_ original: [UInt8], with others: [[UInt8]]) -> [UInt8] {
        var bytes = original
        for _ in 0...below(3) {
            let place = below(bytes.count)
            switch below(6) {
            case 0 where place < bytes.count: bytes[place] = UInt8(below(256))
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.insert(Array("{}[],:\"\\019-.etn\u{212A}".utf8)[below(18)], at: place)
            case 3 where place < bytes.count:
                // Digits and letters change into their neighbours: mostly still well-formed.
                bytes[place] ^= 1
            case 4:
                let end = min(bytes.count, place + below(40))
                bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count + 1))
            default:
                let other = others[below(others.count)]
                let start = below(other.count)
                let end = min(other.count, start + below(60))
                bytes.insert(contentsOf: other[start..<end], at: place)
            }
        }
        return bytes
    }
}
