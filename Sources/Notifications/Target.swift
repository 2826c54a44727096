// Where a webhook may go. An endpoint's URL is given by somebody who may call the API; the server
// can reach what they cannot: its own machine, the network behind it, the cloud's metadata service.
// So the form of the URL is checked when it is set, and every address that its name stands for when
// something is sent (a name may stand for another address by then).

import Glibc

/// What an operator lets webhooks do.
package struct TargetRules: Sendable, Equatable {
    /// `http` to other machines.
    package var allowsHTTP = false
    /// This machine and private networks.
    package var allowsPrivate = false

    package init() {}
}

/// A URL that webhooks may be sent to.
package struct Target: Sendable, Equatable {
    package var isHTTPS: Bool
    /// In lower case; an IPv6 address without its brackets.
    package var host: String
    package var port: Int

    /// Why a URL is not taken, as the end of a sentence that begins with the field's name.
    package struct Fault: Error, Sendable, Equatable {
        package var message: String

        init(_ message: String) { self.message = message }
    }

    package init(url: String, rules: TargetRules) throws(Fault) {
        try self.init(form: url)
        if !rules.allowsPrivate, isPrivate {
            throw Fault(
                "must not name this machine or a private network (webhook_private_targets is off)")
        }
        if !isHTTPS, !rules.allowsHTTP, !isThisMachine {
            throw Fault("must begin with https:// (webhook_http is off)")
        }
    }

    private init(form url: String) throws(Fault) {
        guard url.utf8.count <= 2_048, url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Fault("must be at most 2,048 visible ASCII characters; escape others with %")
        }
        let lowered = url.lowercased()
        if lowered.hasPrefix("https://") {
            isHTTPS = true
        } else if lowered.hasPrefix("http://") {
            isHTTPS = false
        } else {
            throw Fault("must begin with https://")
        }
        if url.contains("#") { throw Fault("must have no fragment (#)") }
        if url.contains("\\") { throw Fault("must have no backslash") }
        let rest = lowered.dropFirst(isHTTPS ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { throw Fault("must have no user name or password") }
        port = isHTTPS ? 443 : 80
        var name = authority
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw Fault("has no host") }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            name = authority[authority.index(after: end)...]
            if !name.isEmpty, !name.hasPrefix(":") { throw Fault("has no port after its host") }
            guard Address(host) != nil, host.contains(":") else {
                throw Fault("must have an IPv6 address between the brackets")
            }
        } else {
            host = String(authority.prefix { $0 != ":" })
            name = authority.dropFirst(host.utf8.count)
        }
        guard Self.isHost(host) else { throw Fault("has no host, or one with strange characters") }
        if !name.isEmpty {
            let digits = name.dropFirst()
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
                (1...65_535).contains(number)
            else { throw Fault("must have a port of 1 to 65535") }
            port = number
        }
    }

    private static func isHost(_ text: String) -> Bool {
        if text.contains(":") { return true }
        return (1...253).contains(text.utf8.count) && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private var name: Substring { host.hasSuffix(".") ? host.dropLast() : host[...] }

    /// By its very name; another name may turn out to be, when it is looked up.
    var isThisMachine: Bool {
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        return Address(String(name))?.isLoopback ?? false
    }

    var isPrivate: Bool {
        if isThisMachine || name.hasSuffix(".local") || name.hasSuffix(".internal") { return true }
        return Address(String(name)).map { !$0.isPublic } ?? false
    }
}

/// An IPv4 or IPv6 address.
package struct Address: Sendable, Equatable {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address of IPv4 or IPv6")
        self.bytes = bytes
    }

    /// Also in the old forms that the system takes for IPv4: `127.1`, `0x7f000001`, `2130706433`.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_aton(text, &four) != 0 {
            bytes = withUnsafeBytes(of: four.s_addr) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = withUnsafeBytes(of: six) { Array($0) }
    }

    /// As it stands in a URL, without brackets.
    package var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let isWritten = bytes.withUnsafeBytes {
            inet_ntop(family, $0.baseAddress, &buffer, socklen_t(buffer.count)) != nil
        }
        guard isWritten else { return "" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The IPv4 address inside an IPv6 one that stands for it.
    private var embedded: Address? {
        guard bytes.count == 16 else { return nil }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        let isTranslated =
            bytes.starts(with: [0x00, 0x64, 0xff, 0x9b]) && bytes[4..<12].allSatisfy { $0 == 0 }
        if isMapped || isTranslated { return Address(bytes: Array(bytes[12...])) }
        if bytes.starts(with: [0x20, 0x02]) { return Address(bytes: Array(bytes[2..<6])) }
        return nil
    }

    var isLoopback: Bool {
        if let embedded { return embedded.isLoopback }
        if bytes.count == 4 { return bytes[0] == 127 }
        return bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// Reachable from everywhere: none of the special ranges of RFC 6890 and its successors.
    package var isPublic: Bool {
        if let embedded { return embedded.isPublic }
        if bytes.count == 16 {
            // Only 2000::/3 is given out; of it, documentation and the like are not.
            return bytes[0] & 0xe0 == 0x20 && !bytes.starts(with: [0x20, 0x01, 0x0d, 0xb8])
                && !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] & 0xfe == 0)
                && !(bytes[0] == 0x3f && bytes[1] == 0xff)
        }
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224..., _, _): return false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _): return false
        case (192, 0, 0), (192, 0, 2), (198, 18...19, _), (198, 51, 100), (203, 0, 113):
            return false
        default: return true
        }
    }
}
