import Billing
import CanonicalJSON

/// The functions of a request: as the model reads them, and as they were sent.
struct FunctionList {
    var namespace = ToolNamespace()
    var sent: [UInt8] = []
    var count = 0
}

extension Sizer {
    /// `name`, `description`, `parameters`.
    mutating func add(
        _ function: JSONObject, to list: inout FunctionList
    ) throws(SizingError) {
        var name = ""
        try required("name", of: function) { (sizer, value) throws(SizingError) in
            name = try sizer.string(value)
        }
        list.namespace.add(
            name: name, description: try text("description", of: function),
            parameters: function["parameters"])
        list.sent += CompactJSON.bytes(of: .object(function))
        list.count += 1
    }

    /// The namespace is expected; the longer of it and what was sent bounds. 9 tokens more, or 5
    /// where a system message is there already to hold it.
    mutating func read(_ list: FunctionList, hasSystem: Bool) {
        guard list.count > 0 else { return }
        frame(
            hasSystem ? 5 : 9, max: Framing.request + list.count * Framing.toolDefinition)
        read(expecting: list.namespace.finished(), or: list.sent)
    }

    /// A tool that the model reads as it was sent.
    mutating func readTool(_ tool: JSONValue) {
        frame(8, max: Framing.toolDefinition)
        readJSON(tool)
    }

    // MARK: The provider's own

    /// A tool that searches the web: a fee each time, and results to read.
    ///
    /// - Parameter uses: nil: as often as the model likes, which nobody can bound.
    mutating func addSearches(atMost uses: Int64?) {
        usage.webSearches = min(1, uses ?? 1)
        usage.maxWebSearches = (usage.maxWebSearches ?? 0) + (uses ?? 1)
        frame(uses == 0 ? 0 : Self.searchResultTokens, max: 0)
        addRounds(atMost: uses)
    }

    /// A tool whose results the model reads in a prompt of its own.
    mutating func addRounds(atMost uses: Int64?) {
        rounds += uses ?? 1
        if uses == nil { markUnbounded() }
    }

    private static var searchResultTokens: Int { 8_000 }
}
