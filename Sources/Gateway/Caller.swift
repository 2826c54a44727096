// Whom a call is charged to. Headers say it:
//
//   X-Faregate-Customer: acme          required, unless the project lets a field of the body say it
//   X-Faregate-User: u-17              one of the customer's users
//   X-Faregate-Run: run-42             one run of an agent
//   X-Faregate-Tags: team=search,region=eu    at most 16; commas and = in them percent-encoded
//   X-Faregate-Project: default        for keys that are not bound to a project
//
// Each but the tags, which are a list, comes once: HTTP would join two values to a third one, a
// customer whom nobody meant. Values are UTF-8. Bytes that are not have become U+FFFD by the time
// they are seen here, whichever they were: two customers would be one, so that the character is
// refused.

import Billing
import Dialects
import Estimation
import HTTPAPI
import HTTPTypes

extension HTTPField.Name {
    static let faregateCustomer = Self("X-Faregate-Customer")!
    static let faregateUser = Self("X-Faregate-User")!
    static let faregateRun = Self("X-Faregate-Run")!
    static let faregateTags = Self("X-Faregate-Tags")!
    static let faregateProject = Self("X-Faregate-Project")!
    static let faregateReservation = Self("x-faregate-reservation")!
    static let xAPIKey = Self("x-api-key")!
    static let azureKey = Self("api-key")!
    static let requestID = Self("X-Request-Id")!
    static let faregateRequestID = Self("x-faregate-request-id")!
    static let traceparent = Self("traceparent")!
}

/// Who asks, as the headers say it, and what they name.
struct Caller {
    let headers: HTTPFields
    let principal: APIPrincipal

    /// As the API wants it, wherever the caller's library puts its key.
    static func authorization(_ headers: HTTPFields) -> String? {
        if let authorization = headers[.authorization] { return authorization }
        return (headers[.xAPIKey] ?? headers[.azureKey]).map { "Bearer " + $0 }
    }

    func project() throws(APIError) -> String {
        guard let named = try text(.faregateProject) else {
            return principal.project ?? Project.builtIn
        }
        guard API.isOperatorID(named) else {
            throw invalid("X-Faregate-Project", "must be the id of a project")
        }
        if let own = principal.project, own != named {
            throw APIError(
                403, .permission, "forbidden", "This key acts in project '\(own)' only.",
                param: "X-Faregate-Project")
        }
        return named
    }

    /// - Parameter fields: those of the body that may name the customer in this project.
    func subject(
        project: String, _ sized: SizedRequest, fields: [CustomerField]
    ) throws(APIError) -> Subject {
        var customer = try id(.faregateCustomer)
        if customer == nil { customer = try named(in: sized, fields) }
        guard let customer else {
            throw APIError(
                400, .invalidRequest, "missing_customer",
                "Say whom the call is charged to: X-Faregate-Customer: cus_42.",
                param: "X-Faregate-Customer")
        }
        return Subject(
            project: project, customer: customer, user: try id(.faregateUser),
            run: try id(.faregateRun), tags: try tags())
    }

    private func named(
        in sized: SizedRequest, _ fields: [CustomerField]
    ) throws(APIError) -> String? {
        for field in fields {
            let value =
                switch field {
                case .user: sized.user
                case .safetyIdentifier: sized.safetyIdentifier
                case .metadataUserID: sized.metadataUserID
                }
            guard let value, !value.isEmpty else { continue }
            guard API.isID(value) else { throw invalid(field.rawValue, Self.idForm) }
            return value
        }
        return nil
    }

    private static let idForm = "must have 1 to 256 bytes and no control characters"

    private func id(_ name: HTTPField.Name) throws(APIError) -> String? {
        guard let value = try text(name) else { return nil }
        guard API.isID(value) else { throw invalid(name.rawName, Self.idForm) }
        return value
    }

    private func text(_ name: HTTPField.Name) throws(APIError) -> String? {
        let values = headers[values: name]
        guard let value = values.first else { return nil }
        if values.count > 1 { throw invalid(name.rawName, "must be sent once") }
        try checkEncoding(value, name)
        return value
    }

    private func checkEncoding(_ value: String, _ name: HTTPField.Name) throws(APIError) {
        if value.unicodeScalars.contains("\u{FFFD}") {
            throw invalid(name.rawName, "must be UTF-8")
        }
    }

    private func tags() throws(APIError) -> [Tag] {
        guard let text = headers[.faregateTags] else { return [] }
        try checkEncoding(text, .faregateTags)
        let name = HTTPField.Name.faregateTags.rawName
        var tags: [Tag] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let key = decoded(sides[0]), let value = decoded(sides[1]),
                API.isID(key), value.isEmpty || API.isID(value)
            else { throw invalid(name, "must be pairs such as team=search,region=eu") }
            tags.append(Tag(key: key, value: value))
        }
        tags.sort()
        guard tags.count <= 16, zip(tags, tags.dropFirst()).allSatisfy({ $0.key != $1.key }) else {
            throw invalid(name, "must have at most 16 pairs, each name once")
        }
        return tags
    }

    private func decoded(_ text: Substring) -> String? {
        let trimmed = text.drop { $0 == " " }
        let end = trimmed.lastIndex { $0 != " " }
        return percentDecoded(end.map { trimmed[...$0].utf8 } ?? Substring().utf8)
    }

    private func invalid(_ name: String, _ predicate: String) -> APIError {
        APIError(
            400, .invalidRequest, "invalid_header", "\(name) \(predicate).", param: name)
    }
}
