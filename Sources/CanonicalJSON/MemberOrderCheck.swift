#if DEBUG
    /// Watches, in debug builds, that a writer's caller nests rightly and gives the members of each
    /// object in RFC 8785 order.
    struct MemberOrderCheck: Sendable {
        enum Container: Sendable {
            case object
            case array
        }

        private var open: [(container: Container, lastName: String?)] = []

        mutating func open(_ container: Container) {
            open.append((container, nil))
        }

        mutating func close(_ container: Container) {
            let closed = open.popLast()
            assert(closed?.container == container, "closes an \(container) that is not open")
        }

        mutating func key(_ name: String) {
            assert(open.last?.container == .object, "member \(name) outside an object")
            if let last = open.last?.lastName {
                assert(compareMemberNames(last, name) < 0, "member \(name) must not follow \(last)")
            }
            open[open.count - 1].lastName = name
        }
    }
#endif
