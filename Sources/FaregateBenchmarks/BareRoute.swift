// What HTTP and JSON cost by themselves: a Hummingbird route that decodes the body of a reservation
// and answers with JSON of the size and form that Faregate answers with, and does nothing else.

import Foundation
import Hummingbird
import Logging

struct BareRoute {
    /// Serves until the process is ended. The port goes to standard output.
    func run() async throws {
        let router = Router()
        router.post("/v1/reservations") { request, context -> EditedResponse<BareAnswer> in
            let body = try await request.decode(as: BareBody.self, context: context)
            return EditedResponse(status: .created, response: BareAnswer(body))
        }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                print(channel.localAddress?.port ?? 0)
                fflush(nil)
            }, logger: Logger(label: "bare") { _ in SwiftLogNoOpLogHandler() })
        try await application.runService()
    }
}

private struct BareBody: Decodable {
    struct Sizes: Decodable {
        var input_tokens: Int
        var max_output_tokens: Int
    }

    var id: String
    var customer: String
    var model: String
    var usage_estimate: Sizes
}

/// The fields of a reservation as Faregate answers it.
private struct BareAnswer: ResponseEncodable, Encodable {
    struct Line: Encodable {
        var budget = "customer-month"
        var measure = "charge"
        var amount = "1000000.00"
        var spent = "12.345678"
        var held = "0.012345"
        var available = "999987.641977"
        var window_start = "2026-11-01T00:00:00Z"
        var resets_at = "2026-12-01T00:00:00Z"
    }

    var id: String
    var customer: String
    var model: String
    var status = "reserved"
    var bound: String
    var expected: String
    var created_at = "2026-11-24T12:00:00Z"
    var expires_at = "2026-11-24T12:10:00Z"
    var budgets = [Line(), Line(), Line(), Line()]

    init(_ body: BareBody) {
        id = body.id
        customer = body.customer
        model = body.model
        bound = "0.0\(body.usage_estimate.max_output_tokens)"
        expected = "0.0\(body.usage_estimate.input_tokens)"
    }
}
