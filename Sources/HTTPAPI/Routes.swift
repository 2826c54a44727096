// The one table of routes: everything else (matching, roles, the Hummingbird router, the tests
// against schemas/openapi.yaml) is made from it.

package import Billing

package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

package struct APIRoute: Sendable {
    package let method: HTTPMethod
    /// `/v1/customers/{id}/balance`.
    package let template: String
    /// `operationId` of the OpenAPI file.
    package let operationID: String
    /// Least role that may call it; nil: everybody, without a key.
    package let role: KeyRole?
    /// Names that the query may have.
    package let query: [String]
    /// Whether its path names something that the operator has named.
    let isAboutOperatorID: Bool
    let handler: Handler
    /// Its place in `all`, for tables that count by route.
    fileprivate(set) var place = 0

    typealias Handler = @Sendable (API) -> (APICall) async throws(APIError) -> APIResponse

    fileprivate init(
        _ method: HTTPMethod, _ template: String, _ operationID: String, _ role: KeyRole?,
        query: [String] = [], _ handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.operationID = operationID
        self.role = role
        self.query = query
        isAboutOperatorID = ["budgets", "keys", "plans", "projects", "webhooks"].contains {
            template.hasPrefix("/v1/\($0)/{id}")
        }
        self.handler = handler
    }

    /// Longest body that it takes, bytes, where that is less than the server's own limit: a
    /// stranger gets no more than Stripe needs.
    var bodyBytesMax: Int { role == nil ? 1 << 20 : .max }

    /// Whoever calls it proves by a signature who it is.
    package var isSigned: Bool { template == "/webhooks/stripe" }

    /// The parts of the template; those in braces are parameters.
    var segments: [Substring] { template.dropFirst().split(separator: "/") }
}

extension APIRoute {
    package static let all: [APIRoute] =
        (server + usage + customers + limits + settings + log + reports + hooks + stripe)
        .enumerated()
        .map { place, route in
            var route = route
            route.place = place
            return route
        }

    private static let page = ["limit", "after"]
    private static let projectPage = ["project", "limit", "after"]

    private static let server: [APIRoute] = [
        APIRoute(.get, "/healthz", "getHealth", nil, API.health),
        APIRoute(.get, "/readyz", "getReadiness", nil, API.readiness),
        APIRoute(.get, "/openapi.yaml", "getOpenAPI", nil, API.openAPI),
        APIRoute(.get, "/metrics", "getMetrics", .read, API.getMetrics),
    ]

    private static let usage: [APIRoute] = [
        APIRoute(
            .post, "/v1/estimates", "createEstimate", .meter, query: ["project"], API.createEstimate
        ),
        APIRoute(
            .post, "/v1/reservations", "createReservation", .meter, query: ["project"],
            API.createReservation),
        APIRoute(
            .post, "/v1/reservations/batch", "batchReservations", .meter, query: ["project"],
            API.batchReservations),
        APIRoute(
            .get, "/v1/reservations/{id}", "getReservation", .read, query: ["project"],
            API.getReservation),
        APIRoute(
            .post, "/v1/reservations/{id}/extend", "extendReservation", .meter, query: ["project"],
            API.extendReservation),
        APIRoute(
            .post, "/v1/reservations/{id}/settle", "settleReservation", .meter, query: ["project"],
            API.settleReservation),
        APIRoute(
            .post, "/v1/reservations/{id}/release", "releaseReservation", .meter,
            query: ["project"], API.releaseReservation),
        APIRoute(
            .get, "/v1/reservations/{id}/explain", "getExplanation", .read, query: ["project"],
            API.getExplanation),
        APIRoute(
            .post, "/v1/reservations/{id}/explain", "postExplanation", .read, query: ["project"],
            API.postExplanation),
        APIRoute(.post, "/v1/usage", "recordUsage", .meter, query: ["project"], API.recordUsage),
        APIRoute(
            .post, "/v1/adjustments", "createAdjustment", .admin, query: ["project"],
            API.createAdjustment),
    ]

    private static let customers: [APIRoute] = [
        APIRoute(
            .get, "/v1/customers", "listCustomers", .read, query: projectPage, API.listCustomers),
        APIRoute(
            .post, "/v1/customers", "createCustomer", .admin, query: ["project"], API.createCustomer
        ),
        APIRoute(
            .get, "/v1/customers/{id}", "getCustomer", .read, query: ["project"], API.getCustomer),
        APIRoute(
            .patch, "/v1/customers/{id}", "updateCustomer", .admin, query: ["project"],
            API.updateCustomer),
        APIRoute(
            .get, "/v1/customers/{id}/balance", "getBalance", .read, query: ["project", "as_of"],
            API.getBalance),
        APIRoute(
            .post, "/v1/customers/{id}/suspend", "suspendCustomer", .admin, query: ["project"],
            API.suspendCustomer),
        APIRoute(
            .post, "/v1/customers/{id}/resume", "resumeCustomer", .admin, query: ["project"],
            API.resumeCustomer),
        APIRoute(
            .post, "/v1/customers/{id}/close", "closeCustomer", .admin, query: ["project"],
            API.closeCustomer),
        APIRoute(
            .post, "/v1/customers/{id}/link", "linkCustomer", .admin, query: ["project"],
            API.linkCustomer),
        APIRoute(
            .get, "/v1/customers/{id}/credits", "listCredits", .read, query: projectPage,
            API.listCredits),
        APIRoute(
            .post, "/v1/customers/{id}/credits", "grantCredit", .admin, query: ["project"],
            API.grantCredit),
        APIRoute(
            .post, "/v1/customers/{id}/credits/{grant}/revoke", "revokeCredit", .admin,
            query: ["project"], API.revokeCredit),
        APIRoute(
            .post, "/v1/customers/{id}/payments", "recordPayment", .admin, query: ["project"],
            API.recordPayment),
        APIRoute(
            .get, "/v1/customers/{id}/events", "listCustomerEvents", .read, query: projectPage,
            API.listCustomerEvents),
    ]

    private static let limits: [APIRoute] = [
        APIRoute(
            .get, "/v1/budgets", "listBudgets", .read, query: page + ["customer"], API.listBudgets),
        APIRoute(.post, "/v1/budgets", "createBudget", .admin, API.createBudget),
        APIRoute(.get, "/v1/budgets/{id}", "getBudget", .read, API.getBudget),
        APIRoute(.put, "/v1/budgets/{id}", "putBudget", .admin, API.putBudget),
        APIRoute(.delete, "/v1/budgets/{id}", "deleteBudget", .admin, API.deleteBudget),
        APIRoute(
            .get, "/v1/budgets/{id}/counters", "listCounters", .read,
            query: page + ["scope_prefix"], API.listCounters),
        APIRoute(.post, "/v1/runs", "startRun", .meter, query: ["project"], API.startRun),
        APIRoute(.get, "/v1/runs/{id}", "getRun", .read, query: ["project"], API.getRun),
        APIRoute(.post, "/v1/runs/{id}/stop", "stopRun", .meter, query: ["project"], API.stopRun),
        APIRoute(.post, "/v1/runs/{id}/end", "endRun", .meter, query: ["project"], API.endRun),
    ]

    private static let settings: [APIRoute] = [
        APIRoute(.get, "/v1/plans", "listPlans", .read, query: page, API.listPlans),
        APIRoute(.post, "/v1/plans", "createPlan", .admin, API.createPlan),
        APIRoute(.get, "/v1/plans/{id}", "getPlan", .read, API.getPlan),
        APIRoute(.put, "/v1/plans/{id}", "putPlan", .admin, API.putPlan),
        APIRoute(.get, "/v1/projects", "listProjects", .read, query: page, API.listProjects),
        APIRoute(.post, "/v1/projects", "createProject", .admin, API.createProject),
        APIRoute(.get, "/v1/projects/{id}", "getProject", .read, API.getProject),
        APIRoute(.patch, "/v1/projects/{id}", "updateProject", .admin, API.updateProject),
        APIRoute(
            .get, "/v1/price-book", "getPriceBook", .read,
            query: page + ["model", "card", "version"], API.getPriceBook),
        APIRoute(.post, "/v1/price-book", "publishPrices", .admin, API.publishPrices),
        APIRoute(
            .get, "/v1/price-book/versions", "listPriceVersions", .read, query: page,
            API.listPriceVersions),
        APIRoute(.get, "/v1/keys", "listKeys", .read, query: page, API.listKeys),
        APIRoute(.post, "/v1/keys", "createKey", .admin, API.createKey),
        APIRoute(.post, "/v1/keys/{id}/revoke", "revokeKey", .admin, API.revokeKey),
    ]

    private static let span = ["from", "to"]
    private static let sums = ["group_by", "from", "to", "limit", "after"]

    private static let reports: [APIRoute] = [
        APIRoute(
            .get, "/v1/usage", "getUsage", .read, query: sums + ["project", "customer", "model"],
            API.getUsage),
        APIRoute(
            .get, "/v1/customers/{id}/usage", "getCustomerUsage", .read,
            query: sums + ["project", "model"], API.getCustomerUsage),
        APIRoute(
            .get, "/v1/refusals", "getRefusals", .read, query: sums + ["project", "customer"],
            API.getRefusals),
        APIRoute(
            .get, "/v1/revenue", "getRevenue", .read, query: sums + ["project", "customer"],
            API.getRevenue),
        APIRoute(
            .get, "/v1/reservations", "listOpenReservations", .read,
            query: projectPage + ["customer"], API.listOpenReservations),
        APIRoute(
            .get, "/v1/customers/{id}/credits/history", "getCreditHistory", .read,
            query: projectPage + span + ["grant"], API.getCreditHistory),
        APIRoute(
            .get, "/v1/budgets/{id}/history", "getBudgetHistory", .read,
            query: page + span + ["scope"], API.getBudgetHistory),
        APIRoute(.get, "/v1/projections", "getProjections", .read, API.getProjections),
        APIRoute(
            .post, "/v1/projections/rebuild", "rebuildProjections", .admin,
            API.rebuildProjections),
    ]

    private static let hooks: [APIRoute] = [
        APIRoute(.get, "/v1/webhooks", "listWebhooks", .read, query: page, API.listWebhooks),
        APIRoute(.post, "/v1/webhooks", "createWebhook", .admin, API.createWebhook),
        APIRoute(
            .get, "/v1/webhooks/deliveries", "listDeliveries", .read,
            query: page + ["webhook", "state"], API.listDeliveries),
        APIRoute(.get, "/v1/webhooks/deliveries/{id}", "getDelivery", .read, API.getDelivery),
        APIRoute(
            .post, "/v1/webhooks/deliveries/{id}/resend", "resendDelivery", .admin,
            API.resendDelivery),
        APIRoute(.get, "/v1/webhooks/{id}", "getWebhook", .read, API.getWebhook),
        APIRoute(.patch, "/v1/webhooks/{id}", "updateWebhook", .admin, API.updateWebhook),
        APIRoute(.delete, "/v1/webhooks/{id}", "deleteWebhook", .admin, API.deleteWebhook),
        APIRoute(.post, "/v1/webhooks/{id}/rotate", "rotateWebhook", .admin, API.rotateWebhook),
        APIRoute(.post, "/v1/webhooks/{id}/test", "testWebhook", .admin, API.testWebhook),
    ]

    private static let stripe: [APIRoute] = [
        // Proves itself by its signature.
        APIRoute(
            .post, "/webhooks/stripe", "receiveStripeWebhook", nil, API.receiveStripeWebhook),
        APIRoute(.get, "/v1/stripe/status", "getStripeStatus", .read, API.getStripeStatus),
        APIRoute(.post, "/v1/stripe/reconcile", "reconcileStripe", .admin, API.reconcileStripe),
        APIRoute(
            .post, "/v1/stripe/replay", "replayStripeEvents", .admin, API.replayStripeEvents),
        APIRoute(
            .get, "/v1/customers/{id}/stripe", "getCustomerStripe", .read, query: ["project"],
            API.getCustomerStripe),
        APIRoute(
            .post, "/v1/customers/{id}/stripe/checkout", "createStripeCheckout", .admin,
            query: ["project"], API.createStripeCheckout),
        APIRoute(
            .post, "/v1/customers/{id}/stripe/portal", "createStripePortal", .admin,
            query: ["project"], API.createStripePortal),
    ]

    private static let log: [APIRoute] = [
        APIRoute(
            .get, "/v1/events", "listEvents", .read,
            query: page + ["type", "project", "customer", "reservation"], API.listEvents),
        APIRoute(.get, "/v1/events/{seq}", "getEvent", .read, API.getEvent),
        APIRoute(.get, "/v1/checkpoints/latest", "getCheckpoint", .read, API.getCheckpoint),
        APIRoute(.get, "/v1/log", "exportLog", .admin, query: ["since"], API.exportLog),
        APIRoute(.get, "/v1/test_clock", "getTestClock", .read, API.getTestClock),
        APIRoute(.post, "/v1/test_clock", "setTestClock", .admin, API.setTestClock),
    ]
}
