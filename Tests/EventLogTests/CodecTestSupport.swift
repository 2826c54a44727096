import Glibc
import Testing

/// Damages bytes in the ways disks, editors and attackers do.
struct Damage {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(bound, 1)
    }

    mutating func damaged(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...next(below: 3) {
            let place = next(below: bytes.count)
            switch next(below: 6) {
            case 0: bytes = Array(bytes[..<place])
            case 1: if !bytes.isEmpty { bytes[place] ^= UInt8(1 << next(below: 8)) }
            case 2: if !bytes.isEmpty { bytes[place] = UInt8(next(below: 256)) }
            case 3: bytes.insert(UInt8(next(below: 256)), at: place)
            case 4: if !bytes.isEmpty { bytes.remove(at: place) }
            default:
                let end = min(bytes.count, place + next(below: 40))
                bytes.insert(contentsOf: bytes[place..<end], at: next(below: bytes.count))
            }
        }
        return bytes
    }
}

/// Files of the repository, found from this file's own place.
enum RepositoryFile {
    static func path(_ relative: String, here: String = #filePath) -> String {
        let parts = here.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/" + relative
    }

    static func read(_ relative: String) -> [UInt8]? {
        guard let file = fopen(path(relative), "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to relative: String) throws {
        let file = try #require(fopen(path(relative), "wb"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    /// Names of the files in a folder, ascending.
    static func names(in relative: String) -> [String] {
        guard let folder = opendir(path(relative)) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether an environment variable is set to 1.
    static func isSet(_ variable: String) -> Bool {
        getenv(variable).map { String(cString: $0) == "1" } ?? false
    }
}
