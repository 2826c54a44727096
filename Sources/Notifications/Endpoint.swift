package import Billing

/// Where notifications are sent.
package struct Endpoint: Sendable, Equatable {
    package var id: String
    package var url: String
    package var description: String
    /// Empty: all types.
    package var types: [NotificationType]
    /// Only what happens in this project; nil: in all.
    package var project: String?
    package var isEnabled: Bool
    /// Why it was switched off other than by somebody's wish: `gone`, `failing` or `backlog`.
    package var disabledReason: DisabledReason?
    package var createdAt: Instant
    /// Events up to this one are not notified.
    package var afterSequence: UInt64
    package var secret: WebhookSecret
    /// The secret before the last rotation, and how long it goes on signing.
    package var oldSecret: WebhookSecret?
    package var oldSecretUntil: Instant?
    /// Since when every attempt has failed; nil: the last one succeeded, or there was none.
    package var failingSince: Instant?

    package enum DisabledReason: String, Sendable, CaseIterable {
        /// It answered 410.
        case gone
        /// Nothing has arrived for five days.
        case failing
        /// Too much waits for it.
        case backlog
    }

    package init(
        id: String, url: String, description: String = "", types: [NotificationType] = [],
        project: String? = nil, isEnabled: Bool = true, createdAt: Instant, afterSequence: UInt64,
        secret: WebhookSecret
    ) {
        self.id = id
        self.url = url
        self.description = description
        self.types = types
        self.project = project
        self.isEnabled = isEnabled
        self.createdAt = createdAt
        self.afterSequence = afterSequence
        self.secret = secret
    }

    /// Whether `notification` is for this endpoint.
    func wants(_ notification: Notification) -> Bool {
        isEnabled && notification.sequence > afterSequence
            && (types.isEmpty || types.contains(notification.type))
            && (project == nil || project == notification.project)
    }

    /// What signs at `now`, the newest first.
    func secrets(at now: Instant) -> [WebhookSecret] {
        guard let oldSecret, let oldSecretUntil, now < oldSecretUntil else { return [secret] }
        return [secret, oldSecret]
    }
}

package enum DeliveryState: String, Sendable, CaseIterable {
    /// An attempt is due, or will be.
    case waiting
    case delivered
    /// No attempts are left, or the endpoint is gone.
    case failed
}

/// One notification on its way to one endpoint.
package struct Delivery: Sendable, Equatable {
    /// Its place in the list.
    package var number: Int64
    package var id: String
    package var endpoint: String
    package var notification: String
    package var type: String
    /// Number of the event; 0: of a test.
    package var sequence: UInt64
    package var project: String?
    package var state: DeliveryState
    /// All that were made.
    package var attempts: Int64
    package var createdAt: Instant
    /// When the next attempt is due, while it waits.
    package var dueAt: Instant
    package var lastAttemptAt: Instant?
    /// Status of the last answer.
    package var lastStatus: Int64?
    /// Why there was no answer.
    package var lastError: String?
    package var body: String
}

/// What a transport is to send: `POST` to `url`.
package struct WebhookRequest: Sendable, Equatable {
    package var delivery: String
    package var endpoint: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package static func == (a: WebhookRequest, b: WebhookRequest) -> Bool {
        a.delivery == b.delivery && a.endpoint == b.endpoint && a.url == b.url && a.body == b.body
            && a.headers.elementsEqual(b.headers, by: ==)
    }
}

/// Sends requests over the network.
package protocol WebhookTransport: Sendable {
    /// Never longer than its own timeout; follows no redirects and reads little of the answer.
    func send(_ request: WebhookRequest) async -> AttemptOutcome

    /// Lets go of connections. Nothing is sent after it.
    func shutdown() async
}
