"""Stripe's own Python SDK against our simulated Stripe, and the signatures of both against each other.

- as a client: meters, events, sums, prices, subscriptions, invoices, sessions, pages of lists and errors
  come back as the SDK's own types
- `Webhook.construct_event` takes what the simulator signs; the server takes what the SDK signs, and refuses
  what it refuses
"""

import http.server
import json
import pathlib
import queue
import tempfile
import threading
import time

import stripe

import faregate
import stripe_account


class Receiver:
    """Webhooks as they come in."""

    def __init__(self):
        self.received = queue.Queue()
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self):
        return self.received.get(timeout=20)


def sdk(account, key=stripe_account.KEY):
    return stripe.StripeClient(key, base_addresses={"api": account.url}, max_network_retries=0)


def refused(kind, body, **fields):
    """Runs `body`; it must fail with this error of the SDK."""
    try:
        body()
    except kind as error:
        for name, value in fields.items():
            assert getattr(error, name) == value, f"{name}: {getattr(error, name)!r}, not {value!r}"
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def catalogue(client):
    meter = client.v1.billing.meters.create({
        "display_name": "Usage", "event_name": "faregate_usage",
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"}})
    assert isinstance(meter, stripe.billing.Meter) and meter.status == "active"
    product = client.v1.products.create({"name": "Usage"})
    price = client.v1.prices.create({
        "product": product.id, "currency": "usd", "unit_amount_decimal": "0.0001",
        "lookup_key": "usage", "recurring": {
            "interval": "month", "usage_type": "metered", "meter": meter.id}})
    assert price.recurring.meter == meter.id and str(price.unit_amount_decimal) == "0.0001"
    return meter, price


def metering(client, account, meter, customer):
    account.control(advance_seconds=180)
    now = int(time.time() + 180) // 60 * 60
    event = client.v1.billing.meter_events.create({
        "event_name": "faregate_usage", "identifier": "id-1", "timestamp": now - 60,
        "payload": {"stripe_customer_id": customer.id, "value": "2500"}})
    assert isinstance(event, stripe.billing.MeterEvent) and event.payload["value"] == "2500"
    error = refused(stripe.InvalidRequestError, lambda: client.v1.billing.meter_events.create({
        "event_name": "faregate_usage", "identifier": "id-1",
        "payload": {"stripe_customer_id": customer.id, "value": "2500"}}), http_status=400)
    assert str(error.user_message).startswith("An event already exists with identifier"), error
    refused(stripe.InvalidRequestError, lambda: client.v1.billing.meter_events.create({
        "event_name": "other", "payload": {"stripe_customer_id": customer.id, "value": "1"}}))
    refused(stripe.InvalidRequestError, lambda: client.v1.billing.meter_events.create({
        "event_name": "faregate_usage", "timestamp": now - 36 * 86_400,
        "payload": {"stripe_customer_id": customer.id, "value": "1"}}), http_status=400)
    sums = client.v1.billing.meters.event_summaries.list(meter.id, {
        "customer": customer.id, "start_time": now - 3_600, "end_time": now + 60})
    assert isinstance(sums.data[0], stripe.billing.MeterEventSummary)
    assert [one.aggregated_value for one in sums.data] == [2500], sums.data


def billing(client, account, customer, price, subscription):
    item = subscription["items"].data[0]
    assert subscription.status == "active" and item.current_period_end > time.time()
    account.control(advance_seconds=item.current_period_end - int(time.time()) + 60)
    draft = client.v1.invoices.list({"customer": customer.id}).data[0]
    assert isinstance(draft, stripe.Invoice) and draft.status == "draft"
    account.control(advance_seconds=3_700)
    invoice = client.v1.invoices.retrieve(draft.id)
    assert invoice.status == "paid" and invoice.lines.data[0].quantity == 2500, invoice
    assert invoice.lines.data[0].pricing.price_details.price == price.id
    assert invoice.parent.subscription_details.subscription == subscription.id


def sessions(client, customer):
    session = client.v1.checkout.sessions.create({
        "mode": "payment", "customer": customer.id, "success_url": "https://example.com",
        "line_items": [{"quantity": 1, "price_data": {
            "currency": "usd", "unit_amount": 5_000, "product_data": {"name": "Credit"}}}]})
    assert session.amount_total == 5_000 and session.url.startswith("http")
    portal = client.v1.billing_portal.sessions.create({
        "customer": customer.id, "return_url": "https://example.com"})
    assert portal.url.startswith("http")


def lists_and_errors(client, account):
    made = [client.v1.customers.create({"name": f"C{number}"}).id for number in range(25)]
    listed = [one.id for one in client.v1.customers.list({"limit": 10}).auto_paging_iter()]
    assert listed[:25] == made[::-1], "pages do not make the whole"
    refused(stripe.InvalidRequestError, lambda: client.v1.customers.retrieve("cus_none"),
            http_status=404, code="resource_missing")
    refused(stripe.AuthenticationError, lambda: sdk(account, "wrong").v1.customers.list(),
            http_status=401)
    refused(stripe.InvalidRequestError, lambda: client.v1.customers.create({"nonsense": "1"}),
            http_status=400)
    account.control(faults={"limited": 1000})
    refused(stripe.RateLimitError, lambda: client.v1.customers.list(), http_status=429)
    account.control(faults={"failed": 1000})
    refused(stripe.APIError, lambda: client.v1.customers.list(), http_status=500)
    account.control(faults={"lost_answer": 1000})
    refused(stripe.APIConnectionError, lambda: client.v1.customers.list())
    account.control(faults={})
    options = {"idempotency_key": "once"}
    one = client.v1.customers.create({"name": "Once"}, options)
    again = client.v1.customers.create({"name": "Once"}, options)
    assert one.id == again.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    refused(stripe.IdempotencyError,
            lambda: client.v1.customers.create({"name": "Other"}, options), http_status=400)


def our_signatures(receiver, secret):
    """What the simulator has sent so far."""
    seen = set()
    while not receiver.received.empty() or not seen:
        body, header = receiver.next()
        event = stripe.Webhook.construct_event(body, header, secret)
        seen.add(event.type)
        refused(stripe.SignatureVerificationError,
                lambda: stripe.Webhook.construct_event(body + b" ", header, secret))
        time.sleep(0.01)
    wanted = {"customer.created", "customer.subscription.created", "invoice.created",
              "invoice.finalized", "invoice.paid"}
    assert wanted <= seen, f"missing: {wanted - seen}"
    return len(seen)


def their_signatures(server):
    """What the SDK signs, at our server."""
    client = server.client()

    def deliver(body, header):
        client.connection.request("POST", "/webhooks/stripe", body, {"Stripe-Signature": header})
        response = client.connection.getresponse()
        return response.status, json.loads(response.read())

    def header(body, secret=stripe_account.SECRET, age=0):
        stamp = int(time.time()) - age
        signed = stripe.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", secret)
        return f"t={stamp},v1={signed}"

    body = json.dumps({
        "id": "evt_1", "object": "event", "type": "plan.created", "created": int(time.time()),
        "livemode": False, "data": {"object": {"id": "plan_ü"}}}, ensure_ascii=False).encode()
    assert deliver(body, header(body)) == (200, {"result": "recorded"})
    assert deliver(body, header(body)) == (200, {"result": "known"})
    assert deliver(body, header(body, age=250))[0] == 200
    for wrong in (header(body, age=400), header(body, age=-400), header(body, "whsec_other"), "t=1"):
        status, answer = deliver(body, wrong)
        assert status == 400 and answer["error"]["code"] == "invalid_signature", (wrong, answer)
    both = header(body, "whsec_old_secret") + ",v1=" + header(body).split("v1=")[1]
    assert deliver(body, both)[0] == 200, "one of two signatures is right"


def main():
    with tempfile.TemporaryDirectory() as folder:
        account = stripe_account.StripeAccount(pathlib.Path(folder)).start()
        receiver = Receiver()
        server = faregate.Server(folder, environment=account.environment).start()
        try:
            account.control(endpoint={"url": receiver.url, "secret": stripe_account.SECRET})
            client = sdk(account)
            meter, price = catalogue(client)
            customer = client.v1.customers.create({"name": "Acme", "metadata": {"a": "b"}})
            assert isinstance(customer, stripe.Customer) and customer.metadata["a"] == "b"
            subscription = client.v1.subscriptions.create({
                "customer": customer.id, "items": [{"price": price.id}]})
            metering(client, account, meter, customer)
            billing(client, account, customer, price, subscription)
            sessions(client, customer)
            lists_and_errors(client, account)
            kinds = our_signatures(receiver, stripe_account.SECRET)
            their_signatures(server)
            assert server.stop() == 0
        finally:
            account.stop()
            if server.process.poll() is None:
                server.kill()
    print(f"stripe_sdk: stripe {stripe.VERSION} as a client of the simulator; {kinds} types of events verified by"
          " it, and its signatures by the server")


if __name__ == "__main__":
    main()
