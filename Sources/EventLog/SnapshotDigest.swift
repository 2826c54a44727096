// The checksum that tells a whole snapshot from a torn or damaged one. It is the SHA-256 of
//
//   sequence ‖ format ‖ number of parts ‖ (name length ‖ name ‖ byte length ‖ bytes) for each part
//
// with every number as eight bytes, most significant first, and names in UTF-8. It does not depend
// on how a store cuts the parts into rows.

extension StoredSnapshot {
    /// SHA-256 over the snapshot's place, format and parts.
    package var digest: MerkleHash {
        var digest = RunningDigest()
        digest.update(sequence)
        digest.update(UInt64(bitPattern: Int64(format)))
        digest.update(UInt64(parts.count))
        for part in parts {
            let name = Array(part.name.utf8)
            digest.update(UInt64(name.count))
            digest.update(name)
            digest.update(UInt64(part.bytes.count))
            digest.update(part.bytes)
        }
        return digest.finish()
    }
}
