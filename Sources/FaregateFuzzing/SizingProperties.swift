import Billing
import CanonicalJSON
import Estimation

enum SizingProperties {
    static func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        var isAccepted = false
        for dialect in RequestDialect.allCases {
            let sized: SizedRequest
            do throws(SizingError) {
                sized = try RequestSizing.size(bytes, dialect: dialect)
            } catch {
                try hold(
                    error.message.contains(error.param ?? ""), "a message names its field")
                continue
            }
            try check(sized, bytes)
            isAccepted = true
        }
        if let value = try? StrictJSON.parse(bytes, limits: RequestSizing.limits) {
            _ = RequestDialect.inferred(from: value)
        }
        return isAccepted
    }

    private static func check(_ sized: SizedRequest, _ bytes: [UInt8]) throws(Violation) {
        let usage = sized.usage
        let most = usage.maxInputTokens ?? 0
        try hold(usage.inputTokens >= 0, "a count is not negative")
        try hold(most >= usage.inputTokens, "the bound is at least what is expected")
        try hold(
            (usage.maxInputImageTokens ?? 0) + (usage.maxInputAudioTokens ?? 0) <= most,
            "the parts are in the whole")
        try hold(
            (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0) <= usage.inputTokens,
            "what is written to the cache was read")
        try hold(sized.unbounded.count <= 16, "what is named is bounded")
        try hold(
            usage.source?.requestBytes == Int64(bytes.count), "the size is that of the request")
        try hold(sized.priorOutputTokens >= 0, "a prior is not negative")
        for name in sized.unbounded {
            try hold(name.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "a place is plain text")
        }
    }
}
