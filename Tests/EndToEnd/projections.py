"""The read models from outside: what reports say is what the log says, after kills, deletion, rebuild.

Traffic runs while the server is killed and started again; then every customer's usage is compared with its
balance, which is folded by other code. The file is deleted, damaged, and built again while the server
serves, and the answers must stay the same.
"""

import json
import os
import random
import subprocess
import tempfile
import time

import faregate
from crash import Caller

ROUNDS = 4
SEED = int(os.environ.get("FAREGATE_SEED", "20261124"))


def reports(client):
    """All lines of all reports, fresh."""
    head = client.json("GET", "/v1/checkpoints/latest")["sequence"]
    found = {}
    for path in ("usage?group_by=customer,model,day", "refusals?group_by=rule,code,budget,customer,day",
                 "revenue?group_by=customer,day", "budgets/daily/history", "reservations"):
        for _ in range(400):
            page = client.json("GET", f"/v1/{path}{'&' if '?' in path else '?'}limit=1000")
            if page["as_of"]["sequence"] >= head:
                break
            time.sleep(0.05)
        assert page["as_of"]["sequence"] >= head, f"{path}: as of {page['as_of']}, not {head}"
        assert not page["has_more"]
        found[path] = page["data"]
    return found


def check_balances(client):
    """Usage by customer beside the balances."""
    lines = {line["customer"]: line
             for line in client.json("GET", "/v1/usage?group_by=customer&limit=1000")["data"]}
    refused = {line["customer"]: line["refused"]
               for line in client.json("GET", "/v1/refusals?group_by=customer&limit=1000")["data"]}
    assert lines, "no usage at all"
    for customer, line in lines.items():
        totals = client.json("GET", f"/v1/customers/{customer}/balance")["totals"]
        for name, value in [("charge", line["charge"]), ("cost", line["cost"]),
                            ("tokens", line["tokens"]["total"]), ("settled", line["calls"]["settled"]),
                            ("reserved", line["calls"]["reserved"]), ("rejected", refused.get(customer, 0))]:
            assert totals[name] == value, f"{customer}: {name} is {value}, the balance says {totals[name]}"
    return len(lines)


def command(server, *arguments):
    """The program on a running server; its standard output."""
    done = subprocess.run(
        [faregate.BINARY, *arguments], capture_output=True, text=True,
        env={**os.environ, "FAREGATE_URL": f"http://127.0.0.1:{server.port}",
             "FAREGATE_KEY": faregate.ADMIN_KEY})
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def main():
    choice = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        server = faregate.Server(folder).start()
        views = server.db.with_name(server.db.name + ".views")
        server.client().json("POST", "/v1/budgets", {
            "id": "daily", "per": ["customer"], "measure": "charge", "window": "day", "amount": "0.50"})
        for number in range(ROUNDS):
            callers = [Caller(server, f"p{number}-c{n}") for n in range(4)]
            for caller in callers:
                caller.start()
            time.sleep(choice.uniform(0.3, 0.8))
            server.kill()
            for caller in callers:
                caller.join()
                assert caller.error is None, caller.error
            server.start()
        live = reports(server.client())
        customers = check_balances(server.client())

        status = json.loads(command(server, "projections", "rebuild", "--json"))
        assert status["state"] == "following" and "rebuild" not in status, status
        assert reports(server.client()) == live, "rebuilt is not live"
        csv = command(server, "usage", "--group-by", "customer,model,day", "--csv").splitlines()
        assert len(csv) == 1 + len(live["usage?group_by=customer,model,day"]), csv

        for harm in ("deleted", "of another version", "cut off"):
            assert server.stop() == 0
            assert views.exists()
            if harm == "deleted":
                views.unlink()
            elif harm == "cut off":
                with open(views, "r+b") as file:
                    file.truncate(3 * 8192)
            else:
                with open(views, "r+b") as file:
                    file.seek(60)
                    file.write((99).to_bytes(4, "big"))
            server.start()
            assert reports(server.client()) == live, f"a file that was {harm} changes the reports"
        assert server.stop() == 0
        done = subprocess.run(
            [faregate.BINARY, "projections", "rebuild", "--db", str(server.db), "--json"],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["lag_events"] == 0
        events = faregate.verify(server.db)["sequence"]
    print(f"projections: reports of {customers} customers over {events} events, {ROUNDS} kills, "
          "equal to balances and after every rebuild")


if __name__ == "__main__":
    main()
