// Reading the committed fixtures and the machine's zone files, without Foundation.

import Glibc
import TimeZones

struct FileError: Error, CustomStringConvertible {
    var description: String
}

/// The bytes of a file.
func readBytes(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else {
        throw FileError(description: "cannot open \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}

func writeBytes(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "wb"), fwrite(bytes, 1, bytes.count, file) == bytes.count,
        fclose(file) == 0
    else { throw FileError(description: "cannot write \(path)") }
}

/// The fields of each line of a file in `fixtures/time-zones`, comments left out.
func fixtureRows(_ name: String) throws -> [[Substring]] {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    let path = root.joined(separator: "/") + "/fixtures/time-zones/\(name)"
    let text = String(decoding: try readBytes(path), as: UTF8.self)
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
        line.split(separator: "\t", omittingEmptySubsequences: false)
    }
}

/// The bytes of a zone of the machine's database.
func zoneFileBytes(_ identifier: String) throws -> [UInt8] {
    try readBytes("\(TimeZoneDatabase.systemDirectory)/\(identifier)")
}

/// Runs a body with a new folder, and removes it and its files afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/faregate-time-zones-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
        throw FileError(description: "cannot make a folder: \(String(cString: strerror(errno)))")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeFolder(folder) }
    return try body(folder)
}

private func removeFolder(_ folder: String) {
    guard let entries = opendir(folder) else { return }
    while let entry = readdir(entries) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." && remove("\(folder)/\(name)") != 0 {
            removeFolder("\(folder)/\(name)")
        }
    }
    closedir(entries)
    rmdir(folder)
}
