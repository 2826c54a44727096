// Finds the route of a path. A static part goes before a parameter, but does not hide it: a
// reservation may well be called "batch".

struct RouteTree: Sendable {
    private struct Node: Sendable {
        var children: [String: Int] = [:]
        var parameter: Int?
        var routes: [String: APIRoute] = [:]
    }

    enum Match {
        case route(APIRoute, parameters: [String])
        /// The path is known, with these methods.
        case otherMethods([String])
        case unknown
        /// Not a well-formed path.
        case malformed
    }

    private var nodes = [Node()]

    init(_ routes: [APIRoute]) {
        for route in routes {
            var place = 0
            for segment in route.segments {
                let next: Int?
                if segment.hasPrefix("{") {
                    next = nodes[place].parameter
                } else {
                    next = nodes[place].children[String(segment)]
                }
                if let next {
                    place = next
                    continue
                }
                nodes.append(Node())
                if segment.hasPrefix("{") {
                    nodes[place].parameter = nodes.count - 1
                } else {
                    nodes[place].children[String(segment)] = nodes.count - 1
                }
                place = nodes.count - 1
            }
            precondition(
                nodes[place].routes[route.method.rawValue] == nil, "one route, one handler")
            nodes[place].routes[route.method.rawValue] = route
        }
    }

    func match(method: String, path: String) -> Match {
        guard path.utf8.first == UInt8(ascii: "/") else { return .malformed }
        var segments: [String] = []
        for part in path.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            guard let segment = percentDecoded(part) else { return .malformed }
            segments.append(segment)
        }
        var methods: Set<String> = []
        var parameters: [String] = []
        if let route = find(method, segments[...], from: 0, &parameters, &methods) {
            return .route(route, parameters: parameters)
        }
        return methods.isEmpty ? .unknown : .otherMethods(methods.sorted())
    }

    private func find(
        _ method: String, _ segments: ArraySlice<String>, from place: Int,
        _ parameters: inout [String], _ methods: inout Set<String>
    ) -> APIRoute? {
        guard let segment = segments.first else {
            if let route = nodes[place].routes[method] { return route }
            // Of several paths that fit, the most literal one is the one that was meant.
            if methods.isEmpty { methods.formUnion(nodes[place].routes.keys) }
            return nil
        }
        if let next = nodes[place].children[segment],
            let route = find(method, segments.dropFirst(), from: next, &parameters, &methods)
        {
            return route
        }
        guard let next = nodes[place].parameter, !segment.isEmpty else { return nil }
        parameters.append(segment)
        if let route = find(method, segments.dropFirst(), from: next, &parameters, &methods) {
            return route
        }
        parameters.removeLast()
        return nil
    }
}
