import StripeAPI
import Testing

struct TransportTests {
    @Test("Headers of an answer are found whatever their case, the first of several")
    func findsHeaders() {
        let response = TransportResponse(
            status: 200, headers: [("Request-Id", "req_1"), ("request-id", "req_2")])
        #expect(response.header("REQUEST-ID") == "req_1")
        #expect(response.header("date") == nil)
    }
}
