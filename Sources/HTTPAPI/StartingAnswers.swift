// What a server answers before it has a ledger: it listens at once, so that probes see it alive
// and how far it is, and everybody else a 503 to come back after.

import CanonicalJSON

package struct StartingProgress: Sendable, Equatable {
    /// Events folded so far; and to fold, 0 while that is not known.
    package var folded: UInt64
    package var total: UInt64

    package init(folded: UInt64 = 0, total: UInt64 = 0) {
        self.folded = folded
        self.total = total
    }

    /// The answer to a request while the log is being read.
    package func answer(_ request: APIRequest) -> APIResponse {
        if request.method == "GET", request.path == "/healthz" {
            return APIResponse(
                status: 200, body: JSONWriter.document { json in json.member("status", "ok") })
        }
        var response: APIResponse
        if request.method == "GET", request.path == "/readyz" {
            let body = JSONWriter.document { json in
                json.member("events_folded", folded)
                json.member("events_total", total)
                json.member("state", "starting")
            }
            response = APIResponse(status: 503, headers: [("Retry-After", "1")], body: body)
        } else {
            let error = APIError.unavailable(
                "starting", "The server is reading its log; nothing was recorded. Try again soon.")
            response = APIResponse(
                status: error.status, headers: error.headers,
                body: error.body(documentationURL: nil))
        }
        response.code = "starting"
        return response
    }
}
