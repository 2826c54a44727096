// Pages of lists that are sorted by a text key.
//
// The state keeps most things in dictionaries. A page is found by one pass that keeps the smallest
// keys after the cursor: linear in the number of things, without sorting or copying all of them.

import CanonicalJSON

/// Keeps the smallest `count` keys that are offered.
struct SmallestKeys<Key: Comparable> {
    private let count: Int
    /// Ascending; at most `count`.
    private(set) var keys: [Key] = []

    init(count: Int) {
        precondition(count > 0, "a page has room")
        self.count = count
    }

    mutating func offer(_ key: Key) {
        if keys.count == count {
            guard let largest = keys.last, key < largest else { return }
            keys.removeLast()
        }
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        keys.insert(key, at: low)
    }
}

/// The keys of one page, and whether more follow.
func pageOfKeys<Key: Comparable>(
    _ keys: some Sequence<Key>, after: Key?, limit: Int,
    where isWanted: (Key) -> Bool = { _ in true }
) -> (keys: [Key], hasMore: Bool) {
    var smallest = SmallestKeys<Key>(count: limit + 1)
    for key in keys where after.map({ $0 < key }) ?? true {
        if isWanted(key) { smallest.offer(key) }
    }
    let hasMore = smallest.keys.count > limit
    return (Array(smallest.keys.prefix(limit)), hasMore)
}

/// `{"data":[…],"has_more":…,"next":…}`.
func page<Item>(
    _ items: [Item], hasMore: Bool, next: String?,
    _ write: (inout JSONWriter, Item) -> Void
) -> APIResponse {
    let body = JSONWriter.document(reservingCapacity: 64 + items.count * 256) { json in
        json.list("data", items) { json, item in json.object { json in write(&json, item) } }
        json.member("has_more", hasMore)
        if hasMore { json.member("next", ifPresent: next) }
    }
    return APIResponse(status: 200, body: body)
}
