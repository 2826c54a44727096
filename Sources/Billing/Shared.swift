// A value behind one reference.
//
// Customers, budgets and reservations are handed around for every call, and most of their fields
// hardly ever change. Behind a reference these cost one retain a copy instead of one for each
// string and list in them. The option not taken, entities as classes, would give up that a state is
// a value: a copy of it (for a snapshot, for a decision tried out) must not move with the original.

/// Copies share one storage until one of them is changed.
struct Shared<Value: Sendable & Hashable>: Sendable, Hashable {
    private final class Storage: @unchecked Sendable {
        // Unchecked, twice: only changed while there is no other reference, through an exclusive
        // access to the one that is left.
        @exclusivity(unchecked) var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var storage: Storage

    init(_ value: Value) { storage = Storage(value) }

    var value: Value {
        _read { yield storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }

    static func == (a: Self, b: Self) -> Bool {
        a.storage === b.storage || a.storage.value == b.storage.value
    }

    func hash(into hasher: inout Hasher) { hasher.combine(storage.value) }
}

extension Shared: CustomReflectable {
    /// As if the value's properties were its own: dumps and tests look through it.
    var customMirror: Mirror {
        Mirror(self, children: Mirror(reflecting: value).children, displayStyle: .struct)
    }
}
