"""Makes fixtures/stripe/golden-calls.json: what Stripe's own Python SDK sends for the calls that we make.

    pip install stripe==16.1.0
    python3 Tests/StripeAPITests/make_golden.py > fixtures/stripe/golden-calls.json

The parameters are given to the SDK's typed methods; a server of our own takes down method, path, query,
content type, idempotency key and body.
"""

import http.server
import json
import sys
import threading

import stripe

KEY = "sk_test_golden"
WEBHOOK = "https://faregate.example.com/webhooks/stripe"
SNAPSHOT_TYPES = [
    "billing.meter.deactivated", "charge.dispute.closed", "charge.dispute.created",
    "charge.dispute.updated", "charge.refunded", "checkout.session.async_payment_succeeded",
    "checkout.session.completed", "customer.created", "customer.deleted",
    "customer.subscription.created", "customer.subscription.deleted", "customer.subscription.paused",
    "customer.subscription.resumed", "customer.subscription.updated", "customer.updated",
    "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed"]

taken = []


class Recorder(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        path, _, query = self.path.partition("?")
        taken.append({
            "method": self.command, "path": path, "query": query, "body": body,
            "content_type": self.headers.get("Content-Type") if body else None,
            "idempotency_key": self.headers.get("Idempotency-Key")})
        data = b'{"object":"list","data":[],"has_more":false}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


def calls(client):
    """Name and what is asked; the names are those of GoldenCallTests.swift."""
    v1, once = client.v1, {"idempotency_key": "key-1"}
    yield "meter_event", lambda: v1.billing.meter_events.create({
        "event_name": "faregate_usage", "identifier": "key-1",
        "payload": {"stripe_customer_id": "cus_1", "value": "-2500"}, "timestamp": 1795332300}, once)
    yield "create_meter", lambda: v1.billing.meters.create({
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": {"formula": "sum"}, "display_name": "LLM usage & more",
        "event_name": "faregate_usage", "value_settings": {"event_payload_key": "value"}},
        {"idempotency_key": "faregate:meter:faregate_usage"})
    yield "meters", lambda: v1.billing.meters.list()
    yield "summaries", lambda: v1.billing.meters.event_summaries.list("mtr_1", {
        "customer": "cus_1", "start_time": 1795332000, "end_time": 1795335600})
    yield "customer", lambda: v1.customers.retrieve("cus_1")
    yield "subscriptions", lambda: v1.subscriptions.list({"customer": "cus_1", "status": "all"})
    yield "subscription", lambda: v1.subscriptions.retrieve("sub_1")
    yield "invoice", lambda: v1.invoices.retrieve("in_1")
    yield "invoice_lines", lambda: v1.invoices.line_items.list("in_1")
    yield "invoices", lambda: v1.invoices.list({"customer": "cus_1", "subscription": "sub_1"})
    yield "events", lambda: v1.events.list({"created": {"gte": 1795332300}})
    yield "thin_event", lambda: client.v2.core.events.retrieve("evt_1")
    yield "product", lambda: v1.products.retrieve("faregate_usage")
    yield "create_product", lambda: v1.products.create({
        "id": "faregate_usage", "metadata": {"faregate": "usage"}, "name": "Usage [ä] 100%"},
        {"idempotency_key": "faregate:product:faregate_usage"})
    yield "prices", lambda: v1.prices.list({"active": True, "lookup_keys": ["faregate_usage_usd_month"]})
    yield "create_price", lambda: v1.prices.create({
        "billing_scheme": "per_unit", "currency": "usd", "lookup_key": "faregate_usage_usd_month",
        "product": "faregate_usage",
        "recurring": {"interval": "month", "meter": "mtr_1", "usage_type": "metered"},
        "unit_amount_decimal": "0.0001"},
        {"idempotency_key": "faregate:price:faregate_usage_usd_month:faregate_usage:mtr_1"})
    yield "create_checkout", lambda: v1.checkout.sessions.create({
        "cancel_url": "https://example.com/no", "customer": "cus_1",
        "line_items": [{"price_data": {
            "currency": "usd", "product_data": {"name": "Credit"}, "unit_amount": 5000}, "quantity": 1}],
        "metadata": {"faregate_credit": "paid", "faregate_customer": "a b+c/d"}, "mode": "payment",
        "payment_intent_data": {"metadata": {"faregate_credit": "paid", "faregate_customer": "a b+c/d"}},
        "success_url": "https://example.com/yes?session={CHECKOUT_SESSION_ID}"}, once)
    yield "create_portal", lambda: v1.billing_portal.sessions.create({
        "customer": "cus_1", "return_url": "https://example.com/account"}, once)
    yield "dispute", lambda: v1.disputes.retrieve("du_1")
    yield "stage_evidence", lambda: v1.disputes.update("du_1", {
        "evidence": {"access_activity_log": "2026-11-24: 14 calls\n2026-11-25: 3 calls"},
        "submit": False}, once)
    yield "webhook_endpoints", lambda: v1.webhook_endpoints.list()
    yield "create_webhook_endpoint", lambda: v1.webhook_endpoints.create({
        "api_version": "2026-10-28.endive", "description": "Faregate", "enabled_events": SNAPSHOT_TYPES,
        "url": WEBHOOK}, once)
    yield "event_destinations", lambda: client.v2.core.event_destinations.list({
        "include": ["webhook_endpoint.url"], "limit": 100})
    yield "create_event_destination", lambda: client.v2.core.event_destinations.create({
        "enabled_events": [
            "v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
        "event_payload": "thin",
        "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        "name": "Faregate: meter reports", "type": "webhook_endpoint",
        "webhook_endpoint": {"url": WEBHOOK}}, once)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = stripe.StripeClient(
        KEY, base_addresses={"api": f"http://127.0.0.1:{server.server_port}"}, max_network_retries=0)
    golden = []
    for name, call in calls(client):
        try:
            call()
        except (TypeError, KeyError, AttributeError) as error:
            # The answer is none; what was sent is.
            print(f"{name}: the answer: {error}", file=sys.stderr)
        golden.append({"name": name, **taken.pop()})
        assert not taken, f"{name}: more than one request"
    json.dump({"sdk": f"stripe {stripe.VERSION}", "calls": golden}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
