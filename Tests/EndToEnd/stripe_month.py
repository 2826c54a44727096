"""Two months of billing through the simulated Stripe, with everything going wrong and the server killed.

Lost answers, 429s, 500s, rejections that nobody is told of, late sums, webhooks late, lost and twice; the
server dies by SIGKILL again and again, sometimes without its .stripe file. Afterwards, in peace:

- for every customer, Σ of the invoices is the ledger's billable, to the millionth
- every top-up that was paid is granted once
- the comparison of sums finds nothing, and the log verifies
"""

import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import faregate
import stripe_account

START = datetime.datetime(2026, 12, 1, tzinfo=datetime.timezone.utc)
CUSTOMERS = 8
FAULTS = {
    "lost_answer": 50, "refused": 20, "limited": 30, "locked": 15, "failed": 30, "failed_and_kept": 10,
    "conflict": 15, "silent_rejection": 20, "aggregation_lag_seconds": [0, 600],
    "webhook_duplicate": 100, "webhook_lost": 100, "webhook_delay_seconds": [0, 3_600],
    "payment_failed": 100}


class Month:
    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(folder)
        self.account = stripe_account.StripeAccount(
            self.folder, ["--clock", self.text(START), "--seed", str(seed)]).start()
        steps = self.account.set_up()
        self.price = steps[2]["id"]
        self.server = faregate.Server(
            folder, arguments=["--test-clock"], environment=self.account.environment).start()
        self.client = self.server.client()
        self.account.control(endpoint=self.account.endpoint(self.server.port))
        self.now = START
        self.usage = 0
        self.kills = 0
        self.paid = {}
        self.client.json("POST", "/v1/test_clock", {"now": self.text(START)})

    @staticmethod
    def text(instant):
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

    def at_stripe(self, path, **form):
        request = urllib.request.Request(
            f"{self.account.url}/v1/{path}", urllib.parse.urlencode(form).encode(),
            {"Authorization": f"Bearer {stripe_account.KEY}"})
        return json.load(urllib.request.urlopen(request))

    def open(self, name):
        customer = self.at_stripe("customers", **{"metadata[faregate_customer]": name})["id"]
        self.at_stripe("subscriptions", **{"customer": customer, "items[0][price]": self.price})
        self.client.json("POST", "/v1/customers", {"id": name, "terms": {"funding": "postpaid"}},
                         expect=(201, 409))
        self.client.json("PATCH", f"/v1/customers/{name}", {"terms": {"funding": "postpaid"}})
        return customer

    def settle_down(self, seconds=3):
        """Until nothing is under way, or it waits for a later time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.client.json("GET", "/v1/stripe/status")
            if status["pending"]["pushes"] == 0 and status["webhooks_waiting"] == 0:
                return
            time.sleep(0.03)

    def step(self, hours, seconds):
        self.now += datetime.timedelta(hours=hours)
        self.account.control(advance_to=self.text(self.now))
        self.client.json("POST", "/v1/test_clock", {"now": self.text(self.now)})
        self.settle_down(seconds)

    def traffic(self, names):
        for name in names:
            if self.random.random() < 0.5:
                continue
            self.usage += 1
            nanos = self.random.randrange(1, 2_000_000_000)
            self.client.json("POST", "/v1/usage", {
                "id": f"u{self.usage}", "customer": name, "model": "m",
                "amount": f"{nanos // 10**9}.{nanos % 10**9:09d}"})

    def kill(self):
        self.kills += 1
        self.server.kill()
        if self.random.random() < 0.3:
            for path in self.folder.glob("ledger.db.stripe*"):
                path.unlink()
        # Where it was, as webhooks find it.
        self.server.start(port=self.server.port)
        self.client = self.server.client()

    def top_up(self, name):
        """Made and paid while Stripe is well: the page is what a person sees."""
        self.account.control(faults={**FAULTS, **dict.fromkeys(
            ("lost_answer", "refused", "limited", "locked", "failed", "failed_and_kept", "conflict"), 0)})
        page = self.client.json("POST", f"/v1/customers/{name}/stripe/checkout", {
            "amount": "25", "credit": "27.5", "success_url": "https://example.com"})
        self.account.control(pay=page["id"], faults=FAULTS)
        self.paid[page["id"]] = name

    def compare(self, customers):
        books = self.account.books()
        for name, customer in customers.items():
            standing = self.client.json("GET", f"/v1/customers/{name}/stripe")
            billed = books["billed_quantities"].get(customer, 0)
            assert decimal(standing["billed"]) == billed * 1_000, (name, standing, billed)
            assert standing["pushed"] == "0" and standing["waiting"] == "0", standing
            assert abs(decimal(standing["carried"])) < 1_000, standing
            assert decimal(standing["billable"]) == billed * 1_000 + decimal(standing["carried"]), standing
        for name in set(self.paid.values()):
            grants = self.client.json("GET", f"/v1/customers/{name}/credits")["data"]
            wanted = {page for page, owner in self.paid.items() if owner == name}
            assert sorted(grant["id"] for grant in grants) == sorted(wanted), (grants, wanted)
            assert all(grant["amount"] == "27.5" for grant in grants), grants

    def reconcile(self):
        done = subprocess.run(
            [faregate.BINARY, "reconcile", "--json", "--url", f"http://127.0.0.1:{self.server.port}",
             "--key", faregate.ADMIN_KEY], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        status = json.loads(done.stdout)
        assert status["drift"] == {"amount": "0", "standing": 0}, status["drift"]
        assert status["reconciled"]["equal"] == CUSTOMERS, status["reconciled"]

    def close(self):
        self.account.stop()
        if self.server.process.poll() is None:
            self.server.kill()


def decimal(text):
    """Nano-units."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole) * 10**9 + int((fraction + "0" * 9)[:9]))


def play(month):
    customers = {f"c{number}": month.open(f"c{number}") for number in range(CUSTOMERS)}
    month.settle_down()
    month.account.control(faults=FAULTS)
    for step in range(33 * 4):
        month.traffic(customers)
        month.step(6, 0.3)
        if month.random.random() < 0.2:
            month.kill()
        if step in (20, 60, 90):
            month.top_up("c0")
    # Stripe is well again: what was carried over is billed with the second invoice.
    month.account.control(faults={})
    for _ in range(70):
        month.step(24, 3)
    month.compare(customers)
    month.reconcile()


def main():
    seed = int(os.environ.get("FAREGATE_SEED", "7"))
    with tempfile.TemporaryDirectory() as folder:
        month = Month(folder, seed)
        try:
            play(month)
            assert month.server.stop() == 0
            report = faregate.verify(month.server.db)
        except BaseException:
            print(f"seed {seed}, folder of the server's log:", file=sys.stderr)
            print((month.folder / "server.log").read_text()[-3000:], file=sys.stderr)
            print(json.dumps(month.client.json("GET", "/v1/stripe/status"), indent=1), file=sys.stderr)
            raise
        finally:
            month.close()
    print(f"stripe_month: {month.usage} usage records of {CUSTOMERS} customers, {month.kills} kills,"
          f" {len(month.paid)} top-ups: billed to the millionth; {report['sequence']} events verify")


if __name__ == "__main__":
    main()
