"""kill -9 at random instants under concurrent load: nothing acknowledged is lost, nothing is half there.

Each round: callers reserve and settle over HTTP and note every answer they got; the server is killed; it is
started again on the same file; every noted answer must be repeated byte for byte by the same request.
FAREGATE_CRASHES sets the number of rounds (20).
"""

import json
import os
import random
import tempfile
import threading
import time

import faregate

ROUNDS = int(os.environ.get("FAREGATE_CRASHES", "20"))
CALLERS = 16
SEED = int(os.environ.get("FAREGATE_SEED", "20261122"))


def reserve_body(name, number, choice):
    return {
        "id": f"{name}-{number}", "customer": f"customer-{choice.randrange(8)}", "model": "gpt-4o",
        "usage_estimate": {"input_tokens": choice.randrange(1, 4000), "max_output_tokens": 500},
    }


def settle_body(choice):
    return {"usage": {"input_tokens": choice.randrange(1, 4000), "output_tokens": choice.randrange(600)}}


class Caller(threading.Thread):
    """Reserves and settles until its server is gone; keeps (path, body, answer) of all it was told."""

    def __init__(self, server, name):
        super().__init__()
        self.server, self.name, self.told = server, name, []
        self.choice = random.Random(f"{SEED}-{name}")
        self.error = None

    def run(self):
        try:
            client = self.server.client()
            for number in range(100_000):
                body = reserve_body(self.name, number, self.choice)
                if not self.ask(client, "/v1/reservations", body, (201, 402, 429)):
                    continue
                if self.choice.random() < 0.8:
                    path = f"/v1/reservations/{body['id']}/settle"
                    self.ask(client, path, settle_body(self.choice), (200,))
        except (OSError, faregate.http.client.HTTPException):
            return
        except Exception as error:  # reported by the main thread
            self.error = error

    def ask(self, client, path, body, expected):
        status, data = client.call("POST", path, body)
        assert status in expected, f"{path}: {status} {data[:300]!r}"
        self.told.append((path, body, status, data))
        return status < 300


def check_told(server, told):
    client = server.client()
    for path, body, status, data in told:
        status_now, data_now = client.call("POST", path, body)
        assert (status_now, data_now) == (status, data), (
            f"{path} was told {status} {data!r}, is told {status_now} {data_now!r}")


def main():
    choice = random.Random(SEED)
    acknowledged = 0
    with tempfile.TemporaryDirectory() as folder:
        server = faregate.Server(folder).start()
        client = server.client()
        client.json("POST", "/v1/budgets", {
            "id": "daily", "name": "daily", "per": ["customer"], "measure": "charge",
            "window": "day", "amount": "2.00"})
        for round_number in range(ROUNDS):
            callers = [Caller(server, f"r{round_number}-c{n}") for n in range(CALLERS)]
            for caller in callers:
                caller.start()
            time.sleep(choice.uniform(0.05, 0.6))
            server.kill()
            for caller in callers:
                caller.join()
                assert caller.error is None, caller.error
            server.start()
            for caller in callers:
                acknowledged += len(caller.told)
                check_told(server, caller.told)
        code = server.stop()
        assert code == 0, f"the server ended with {code}"
        report = faregate.verify(server.db)
    print(f"crash: {ROUNDS} kills, {acknowledged} acknowledged answers repeated byte for byte, "
          f"verify clean over {report['sequence']} events (seed {SEED})")


if __name__ == "__main__":
    main()
