"""A gateway under test: a server whose upstreams are the simulated provider, and callers of it."""

import decimal
import itertools
import json
import time
from dataclasses import dataclass

import faregate
import priced
import simulator

OPENAI, ANTHROPIC = "openai", "anthropic"


@dataclass
class Caller:
    """What an SDK is given."""

    openai_url: str
    anthropic_url: str
    key: str
    customer: str

    @property
    def headers(self):
        return {"X-Faregate-Customer": self.customer}


class Gateway:
    """Server and simulator together; `with Gateway(folder) as gateway:`."""

    def __init__(self, folder, simulated=(), upstream=None):
        self.folder = folder
        self.simulator = simulator.Simulator(folder, simulated)
        self.upstream = upstream or {}
        self.numbers = itertools.count(1)

    def __enter__(self):
        self.simulator.start()
        path = self.folder / "upstreams.json"
        path.write_text(json.dumps({"upstreams": {
            name: {"dialect": name, "base_url": self.simulator.url, "key": simulator.KEY,
                   **self.upstream}
            for name in (OPENAI, ANTHROPIC)}}))
        path.chmod(0o600)
        self.server = faregate.Server(self.folder, arguments=["--upstreams", str(path)])
        try:
            self.server.start()
        except BaseException:
            self.simulator.stop()
            raise
        made = self.client.json("POST", "/v1/keys", {"role": "meter", "name": "sdk"})
        self.key = made["secret"]
        # Neither the callers' key nor the administrator's has any business at a provider.
        self.simulator.control(watch=[self.key, faregate.ADMIN_KEY])
        return self

    @property
    def client(self):
        """A new connection: one that waits too long is closed by the server."""
        return self.server.client()

    def __exit__(self, kind, error, trace):
        try:
            assert self.server.stop() == 0 or kind
        finally:
            self.simulator.stop()
        if not kind:
            faregate.verify(self.server.db)

    def caller(self, budget=None, name="caller"):
        """A new customer; with a budget: so many units of charge in its whole life."""
        customer = f"{name}-{next(self.numbers)}"
        if budget is not None:
            self.client.json("POST", "/v1/budgets", {
                "id": f"budget-{customer}", "name": f"budget-{customer}",
                "match": {"customer": customer}, "per": ["customer"], "measure": "charge",
                "window": "lifetime", "amount": budget, "holds": "bound"})
        base = f"http://127.0.0.1:{self.server.port}"
        return Caller(f"{base}/{OPENAI}/v1", f"{base}/{ANTHROPIC}", self.key, customer)

    def balance(self, customer):
        """As the ledger has it; nil figures for a customer that it does not know."""
        status, data = self.client.call("GET", f"/v1/customers/{customer}/balance")
        if status == 404:
            return {"open_reservations": 0, "held": "0", "totals": {"charge": "0"}}
        assert status == 200, data
        return json.loads(data)

    def settled(self, customer, timeout=60):
        """The balance once nothing is held any more."""
        end = time.monotonic() + timeout
        while True:
            balance = self.balance(customer)
            if balance["open_reservations"] == 0:
                assert decimal.Decimal(balance["held"]) == 0, balance
                return balance
            assert time.monotonic() < end, f"holds left: {balance}"
            time.sleep(0.02)

    def check(self, customer, after):
        """The ledger charges what the simulator served after that request, and no key got out."""
        requests = self.simulator.served(after)
        balance = self.settled(customer)
        charge = decimal.Decimal(balance["totals"]["charge"])
        expected = priced.total(requests)
        assert charge == expected, (
            f"charged {charge}, served for {expected}:\n"
            + "\n".join(json.dumps(request) for request in requests))
        for request in requests:
            assert request["credential"] == "own", request
            assert not request["leaks"], request
            assert "x-faregate-customer" not in request["headers"], request
        return requests, charge


class Direct:
    """The same without a gateway, to see that a case is right about the SDK and the simulator."""

    def __init__(self, folder, simulated=()):
        self.simulator = simulator.Simulator(folder, simulated)

    def __enter__(self):
        self.simulator.start()
        return self

    def __exit__(self, *_):
        self.simulator.stop()

    def caller(self, budget=None, name="caller"):
        url = self.simulator.url
        return Caller(f"{url}/v1", url, simulator.KEY, name)

    def check(self, customer, after):
        return self.simulator.served(after), None
