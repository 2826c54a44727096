/// What an operator sets about Stripe.
package struct StripeSettings: Sendable, Equatable {
    package init() {}
}
