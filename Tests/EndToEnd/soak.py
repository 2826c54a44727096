"""Mixed traffic for a long time: nothing grows, nothing is lost, nothing gets slow.

Callers reserve, extend, settle, release and forget, record usage, send batches, start runs, grant
credit and read, at a steady rate, for many customers, of whom some are refused. Meanwhile two readers
follow the whole log (page by page, and as server-sent events where the server has them), the read
models are rebuilt again and again, and the database is copied while it is written. Then:

- every acknowledged write is in the log once, at the number that its answer gave; numbers have no hole;
  the readers saw every event in order;
- memory after warm-up does not grow: anonymous resident memory (what is mapped from files is the
  system's), median of the last third against that of the middle third. Allowed is what grows by design,
  and SLACK for what comes and goes: a snapshot is encoded from a copy, ids live in a hash table that
  doubles (24 bytes an id, of which up to four times as much while it does), and the allocator keeps pages;
- the 99th percentile of a call's time in the last third is no more than FACTOR times that of the first,
  and CONSTANT: told always, judged from JUDGED_SECONDS on. In thirds of 40 s one stall of a shared machine
  or of its disk is the percentile, and says nothing about Faregate;
- `faregate verify` finds nothing, neither in the ledger nor in its newest copy; rebuilt read models say
  what the live ones said.

FAREGATE_SOAK_SECONDS (120) and FAREGATE_SOAK_RATE (calls a second, 300) say how much.
"""

import collections
import json
import os
import pathlib
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import faregate

DURATION = float(os.environ.get("FAREGATE_SOAK_SECONDS", "120"))
RATE = float(os.environ.get("FAREGATE_SOAK_RATE", "300"))
SEED = int(os.environ.get("FAREGATE_SEED", "20261125"))
CALLERS = 8
CUSTOMERS = 200
REBUILD_EVERY = 20.0
BACKUP_EVERY = 25.0
# Of it 32 MiB are a rebuild's: far behind it takes 10,000 events at a time (ViewFollower), and the
# log is longer than that only after the first third.
SLACK = 56 << 20
BYTES_AN_ID = 4 * 24
FACTOR = 4.0
CONSTANT = 0.020
JUDGED_SECONDS = 900.0
REPORTS = ("usage?group_by=customer,model,day", "refusals?group_by=rule,code,budget,customer,day",
           "revenue?group_by=customer,day", "budgets/minute/history", "reservations")


class Soak:
    """What all threads share."""

    def __init__(self, server):
        self.server = server
        self.start = time.monotonic()
        self.end = self.start + DURATION
        self.quiet = threading.Event()  # no more writes: readers go on to the head and stop
        self.head = None
        self.errors = []
        self.counts = collections.Counter()
        self.lock = threading.Lock()

    def third(self, instant):
        return min(2, int(3 * (instant - self.start) / DURATION))


class Worker(threading.Thread):
    """A thread whose failure is the soak's failure."""

    def __init__(self, soak, name):
        super().__init__(name=name)
        self.soak = soak
        self.counts = collections.Counter()

    def run(self):
        try:
            self.work()
        except Exception as error:  # reported by the main thread
            self.soak.errors.append(f"{self.name}: {type(error).__name__}: {error}")
        with self.soak.lock:
            self.soak.counts.update(self.counts)


class Caller(Worker):
    """Traffic of one connection; keeps what it was told."""

    def __init__(self, soak, number):
        super().__init__(soak, f"caller-{number}")
        self.choice = random.Random(f"{SEED}-{number}")
        self.client = soak.server.client()
        self.told = []  # (number of the event, its type, the reservation's id)
        self.times = ([], [], [])
        self.ids = 0

    def work(self):
        kinds = [(self.call_once, 60), (self.forget, 4), (self.usage, 8), (self.batch, 3), (self.run_once, 3),
                 (self.grant, 2), (self.read, 20)]
        weighted = [kind for kind, weight in kinds for _ in range(weight)]
        interval = CALLERS / RATE
        due = time.monotonic() + self.choice.random() * interval
        while due < self.soak.end:
            time.sleep(max(0.0, due - time.monotonic()))
            begun = self.counts["requests"]
            self.choice.choice(weighted)()
            # The rate is of requests, whatever a kind of traffic takes of them.
            due = max(due, time.monotonic() - 1) + interval * (self.counts["requests"] - begun)

    def ask(self, method, path, body=None, expect=(200, 201)):
        begun = time.monotonic()
        status, data = self.client.call(method, path, body)
        ended = time.monotonic()
        self.counts["requests"] += 1
        assert status in expect, f"{method} {path}: {status} {data[:300]!r}"
        if path.startswith("/v1/reservations") and not path.endswith("batch"):
            self.times[self.soak.third(begun)].append(ended - begun)
        return status, json.loads(data) if data else {}

    def new_id(self):
        self.ids += 1
        return f"{self.name}-{self.ids}"

    def body(self, ttl=120, **more):
        body = {
            "id": self.new_id(), "customer": f"customer-{self.choice.randrange(CUSTOMERS)}",
            "model": "gpt-4o" if self.choice.random() < 0.98 else "a-model-without-a-price",
            "user": f"user-{self.choice.randrange(20)}", "ttl_seconds": ttl,
            "tags": {"team": self.choice.choice("abc")},
            "usage_estimate": {"input_tokens": self.choice.randrange(1, 4000), "max_output_tokens": 500},
        }
        return {**body, **more}

    def actual(self):
        return {"input_tokens": self.choice.randrange(1, 4000), "output_tokens": self.choice.randrange(600)}

    def note(self, status, answer, kind, reservation):
        """Keeps what an answer acknowledges; whether it was a yes."""
        if status < 300:
            self.told.append((answer["event"], kind, reservation))
            return True
        self.told.append((answer["error"]["rejection_event"], "usage.rejected", reservation))
        self.counts["refused"] += 1
        return False

    def reserve(self, **more):
        body = self.body(**more)
        status, answer = self.ask("POST", "/v1/reservations", body, (201, 402, 429))
        return body["id"] if self.note(status, answer, "usage.reserved", body["id"]) else None

    def change(self, name, verb, body=None):
        kind = {"settle": "usage.settled", "release": "usage.released", "extend": "usage.extended"}[verb]
        status, answer = self.ask("POST", f"/v1/reservations/{name}/{verb}", body)
        self.note(status, answer, kind, name)

    def call_once(self):
        name = self.reserve()
        if name is None:
            return
        way = self.choice.random()
        if way < 0.1:
            return self.change(name, "release")
        if way < 0.2:
            self.change(name, "extend", {"ttl_seconds": 300})
        usage = self.actual()
        self.change(name, "settle", {"usage": usage})
        if way > 0.95:  # once more: the same answer, and no second event
            self.change(name, "settle", {"usage": usage})
            assert self.told[-1] == self.told[-2], self.told[-2:]

    def forget(self):
        self.reserve(ttl=1, on_expiry=self.choice.choice(["release", "charge"]))

    def usage(self):
        body = {"id": self.new_id(), "customer": f"customer-{self.choice.randrange(CUSTOMERS)}",
                "model": "gpt-4o", "usage": self.actual()}
        status, answer = self.ask("POST", "/v1/usage", body)
        self.note(status, answer, "usage.recorded", body["id"])

    def batch(self):
        bodies = [self.body() for _ in range(20)]
        _, answer = self.ask("POST", "/v1/reservations/batch",
                             {"commands": [{"op": "reserve", **body} for body in bodies]})
        held = []
        for body, result in zip(bodies, answer["results"], strict=True):
            assert result["status"] in (201, 402, 429), result
            if self.note(result["status"], result["body"], "usage.reserved", body["id"]):
                held.append(body["id"])
        if not held:
            return
        _, answer = self.ask("POST", "/v1/reservations/batch", {"commands": [
            {"op": "settle", "id": name, "usage": self.actual()} for name in held]})
        for name, result in zip(held, answer["results"], strict=True):
            assert result["status"] == 200, result
            self.note(200, result["body"], "usage.settled", name)

    def run_once(self):
        run = self.new_id()
        _, answer = self.ask("POST", "/v1/runs", {"id": run, "cap": "0.05"})
        self.told.append((answer["event"], "run.started", None))
        for _ in range(3):
            name = self.reserve(run=run)
            if name:
                self.change(name, "settle", {"usage": self.actual()})
        _, answer = self.ask("POST", f"/v1/runs/{run}/end")
        self.told.append((answer["event"], "run.ended", None))

    def grant(self):
        customer = f"customer-{self.choice.randrange(CUSTOMERS)}"
        _, answer = self.ask("POST", f"/v1/customers/{customer}/credits",
                             {"id": self.new_id(), "amount": "0.05"})
        self.told.append((answer["event"], "credit.granted", None))

    def read(self):
        customer = f"customer-{self.choice.randrange(CUSTOMERS)}"
        path = self.choice.choice([
            f"/v1/customers/{customer}/balance", f"/v1/customers/{customer}/events?limit=20",
            "/v1/usage?group_by=model&limit=10", "/v1/refusals?group_by=code&limit=10",
            "/v1/reservations?limit=20", "/v1/customers?limit=20", "/v1/budgets/minute/counters?limit=20",
            "/v1/checkpoints/latest", "/readyz",
        ])
        self.ask("GET", path, expect=(200, 404))


class Reader(Worker):
    """Follows the whole log; what it saw, by number."""

    def __init__(self, soak, name):
        super().__init__(soak, name)
        self.seen = []  # type and reservation of event 1, 2, 3 …

    def take(self, event):
        expected = len(self.seen) + 1
        assert event["seq"] == expected, f"event {event['seq']} came where {expected} was due"
        self.seen.append((sys.intern(event["type"]), event.get("reservation")))

    @property
    def is_done(self):
        return self.soak.quiet.is_set() and len(self.seen) >= self.soak.head


class PageReader(Reader):
    def work(self):
        client = self.soak.server.client()
        while not self.is_done:
            page = client.json("GET", f"/v1/events?after={len(self.seen)}&limit=1000")
            for event in page["data"]:
                self.take(event)
            assert page["next"] == len(self.seen), page["next"]
            if not page["has_more"]:
                time.sleep(0.1)


class StreamReader(Reader):
    """The same as server-sent events, where the server answers with that type."""

    is_available = True

    def work(self):
        while not self.is_done:
            connection = faregate.http.client.HTTPConnection("127.0.0.1", self.soak.server.port, timeout=5)
            headers = {"Authorization": f"Bearer {faregate.ADMIN_KEY}", "Accept": "text/event-stream"}
            if self.seen:
                headers["Last-Event-ID"] = str(len(self.seen))
            connection.request("GET", f"/v1/events?after={len(self.seen)}", headers=headers)
            response = connection.getresponse()
            if not (response.getheader("Content-Type") or "").startswith("text/event-stream"):
                self.is_available = False
                return
            self.counts["streams"] += 1
            try:
                self.follow(response)
            except TimeoutError:  # nothing new for a while: ask again from here
                pass
            finally:
                connection.close()

    def follow(self, response):
        data = []
        while not self.is_done:
            line = response.readline()
            if not line:
                return
            line = line.decode().rstrip("\r\n")
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                event = json.loads("\n".join(data))
                data = []
                if "seq" in event:
                    self.take(event)


class Rebuilder(Worker):
    def work(self):
        client = self.soak.server.client()
        due = self.soak.start + REBUILD_EVERY
        while due < self.soak.end:
            time.sleep(max(0.0, due - time.monotonic()))
            client.json("POST", "/v1/projections/rebuild", {}, expect=(202,))
            self.counts["rebuilds"] += 1
            due += REBUILD_EVERY


class Copier(Worker):
    """Copies the database while it is written."""

    def __init__(self, soak, folder):
        super().__init__(soak, "copier")
        self.folder = pathlib.Path(folder)
        self.newest = None
        listed = subprocess.run([faregate.BINARY, "--help"], capture_output=True, text=True).stdout
        self.has_command = any(line.split()[:1] == ["backup"] for line in listed.splitlines())

    def work(self):
        due = self.soak.start + min(BACKUP_EVERY, DURATION / 4)
        while due < self.soak.end:
            time.sleep(max(0.0, due - time.monotonic()))
            copy = self.folder / f"copy-{self.counts['copies']}.db"
            self.copy(copy)
            if self.newest:
                self.newest.unlink()
            self.newest = copy
            self.counts["copies"] += 1
            due += BACKUP_EVERY

    def copy(self, copy):
        if self.has_command:
            done = subprocess.run([faregate.BINARY, "backup", "--db", str(self.soak.server.db), "--to", str(copy)],
                                  capture_output=True, text=True)
            assert done.returncode == 0, f"backup: {done.stderr[-500:]}"
            return
        source = sqlite3.connect(f"file:{self.soak.server.db}?mode=ro", uri=True)
        target = sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()


class Gauge(Worker):
    """Memory of the server, twice a second, in bytes."""

    def __init__(self, soak):
        super().__init__(soak, "gauge")
        self.samples = []  # (instant, anonymous, resident)

    def work(self):
        while not self.soak.quiet.is_set():
            text = pathlib.Path(f"/proc/{self.soak.server.process.pid}/status").read_text()
            sizes = {line.split(":")[0]: int(line.split()[1]) * 1024
                     for line in text.splitlines() if line.startswith(("RssAnon", "VmRSS"))}
            self.samples.append((time.monotonic(), sizes["RssAnon"], sizes["VmRSS"]))
            time.sleep(0.5)

    def median(self, third, column=1):
        return statistics.median(
            sample[column] for sample in self.samples if self.soak.third(sample[0]) == third)


def percentile99(times):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def set_up(client):
    client.json("POST", "/v1/budgets", {
        "id": "minute", "per": ["customer"], "measure": "charge", "window": "minute", "amount": "0.15"})
    client.json("POST", "/v1/budgets", {
        "id": "requests", "per": ["user"], "measure": "requests", "window": "hour", "amount": 1_000_000})
    for number in range(CUSTOMERS):
        body = {"id": f"customer-{number}"}
        if number % 4 == 0:
            body["terms"] = {"funding": "prepaid", "markup_ppm": 100_000}
        client.json("POST", "/v1/customers", body)
        if number % 4 == 0:
            client.json("POST", f"/v1/customers/customer-{number}/credits",
                        {"id": "first", "amount": "0.5"})


def all_reports(client):
    """All lines of all reports, as of the head."""
    head = client.json("GET", "/v1/checkpoints/latest")["sequence"]
    end = time.monotonic() + 120
    while True:
        status = client.json("GET", "/v1/projections")
        if "rebuild" not in status and status["sequence"] >= head:
            break
        assert time.monotonic() < end, f"the read models do not come to {head}: {status}"
        time.sleep(0.1)
    found = {}
    for report in REPORTS:
        lines, after = [], ""
        while True:
            page = client.json("GET", f"/v1/{report}{'&' if '?' in report else '?'}limit=1000{after}")
            lines += page["data"]
            if not page["has_more"]:
                break
            after = "&after=" + urllib.parse.quote(str(page["next"]), safe="")
        found[report] = lines
    return found


def wait_until_quiet(client):
    """The number of the last event, when holds that nobody resolves have expired and nothing more comes."""
    end = time.monotonic() + 60
    head = 0
    while True:
        now = client.json("GET", "/v1/checkpoints/latest")["sequence"]
        if now == head:
            return head
        assert time.monotonic() < end, f"events go on without calls: {head}, {now}"
        head = now
        time.sleep(3)


def check_log(logs, told, head):
    """Every acknowledged write is in the log, once, where its answer said, and all readers saw one log."""
    for log in logs:
        assert len(log) == head, f"a reader saw {len(log)} of {head} events"
        assert log == logs[0], "two readers saw two logs"
    log = logs[0]
    # An extension may come more than once; nothing else of a call does.
    times = collections.Counter(line for line in log if line[1] and line[0] != "usage.extended")
    for number, kind, reservation in told:
        assert number <= head, f"acknowledged event {number} is not in the log of {head}"
        found = log[number - 1]
        assert found == (kind, reservation) or (reservation is None and found[0] == kind), (
            f"event {number} is {found}, acknowledged was {(kind, reservation)}")
        assert times.get((kind, reservation), 1) == 1, (
            f"{kind} of {reservation} is {times[(kind, reservation)]} times in the log")


def check_checks(log, told, head, gauge, ids):
    """The checks above would have seen a loss, a double, another order, and a leak."""
    middle = next(index for index in range(head // 2, head) if log[index][0] == "usage.settled")
    wrong = [
        ([log[:middle] + log[middle + 1:]], head),
        ([log[:middle] + log[middle + 1:]], head - 1),
        ([log + [log[middle]]], head + 1),
        ([log, log[:middle] + [log[middle + 1], log[middle]] + log[middle + 2:]], head),
    ]
    for logs, length in wrong:
        try:
            check_log(logs, told, length)
        except AssertionError:
            continue
        raise AssertionError("the check of the log does not see what it is there for")
    leak = Gauge(gauge.soak)
    # A leak at a steady pace, twice what is allowed from one third to the next.
    _, allowed = check_memory(gauge, ids)
    leak.samples = [(at, anonymous + (at - gauge.soak.start) / DURATION * 6 * allowed, resident)
                    for at, anonymous, resident in gauge.samples]
    growth, allowed = check_memory(leak, ids)
    assert growth > allowed, "the check of memory does not see what it is there for"


def check_memory(gauge, ids):
    """Growth from the middle third to the last, and what is allowed."""
    growth = gauge.median(2) - gauge.median(1)
    allowed = SLACK + BYTES_AN_ID * ids / 3
    return growth, allowed


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = faregate.Server(folder).start()
        client = server.client()
        set_up(client)
        soak = Soak(server)
        callers = [Caller(soak, number) for number in range(CALLERS)]
        pages, stream = PageReader(soak, "pages"), StreamReader(soak, "stream")
        gauge, copier = Gauge(soak), Copier(soak, folder)
        others = [pages, stream, gauge, copier, Rebuilder(soak, "rebuilder")]
        for thread in callers + others:
            thread.start()
        for caller in callers:
            caller.join()
        failures = []
        if not soak.errors:
            # The first connection was idle for longer than the server keeps one.
            client = server.client()
            soak.head = wait_until_quiet(client)
        else:
            soak.head = 0
        soak.quiet.set()
        for thread in others:
            thread.join()
        assert not soak.errors, "\n".join(soak.errors)
        logs = [reader.seen for reader in (pages, stream) if reader is pages or reader.is_available]
        told = [line for caller in callers for line in caller.told]
        check_log(logs, told, soak.head)
        live = all_reports(client)
        client.json("POST", "/v1/projections/rebuild", {}, expect=(202,))
        assert all_reports(client) == live, "rebuilt read models are not the live ones"
        assert live["reservations"] == [], "holds that nobody resolves do not expire"
        assert server.stop() == 0
        report = faregate.verify(server.db)
        assert report["sequence"] >= soak.head
        copied = faregate.verify(copier.newest)["sequence"] if copier.newest else 0

        ids = sum(caller.ids for caller in callers)
        check_checks(logs[0], told, soak.head, gauge, ids)
        growth, allowed = check_memory(gauge, ids)
        if growth > allowed:
            failures.append(f"memory grew by {growth / 2**20:.1f} MiB, allowed are {allowed / 2**20:.1f}")
        first, last = (percentile99([t for c in callers for t in c.times[third]]) for third in (0, 2))
        if DURATION >= JUDGED_SECONDS and last > FACTOR * first + CONSTANT:
            failures.append(f"p99 went from {first * 1000:.1f} to {last * 1000:.1f} ms")
        size = server.db.stat().st_size

    mib = [f"{gauge.median(third) / 2**20:.1f}" for third in range(3)]
    resident = [f"{gauge.median(third, 2) / 2**20:.1f}" for third in range(3)]
    middle = percentile99([t for c in callers for t in c.times[1]])
    print(f"soak: {DURATION:.0f} s, seed {SEED}")
    for name, value in [
        ("requests", f"{soak.counts['requests']:,} ({soak.counts['requests'] / DURATION:.0f}/s), "
                     f"{soak.counts['refused']:,} calls refused"),
        ("events", f"{soak.head:,} without a hole, {len(told):,} acknowledged, each there once"),
        ("ids", f"{ids:,}"),
        ("readers", "pages" + (f", {soak.counts['streams']} streams" if stream.is_available else
                               " (the server has no streams)")),
        ("rebuilds", f"{soak.counts['rebuilds']} under load; the last equals the live rows"),
        ("copies", f"{soak.counts['copies']} by {'faregate backup' if copier.has_command else 'sqlite'}, "
                   f"the newest verified to event {copied:,}"),
        ("anonymous MiB", f"{' → '.join(mib)} in thirds; {growth / 2**20:+.1f}, "
                          f"allowed {allowed / 2**20:.1f}"),
        ("resident MiB", " → ".join(resident)),
        ("p99 ms", " → ".join(f"{p * 1000:.1f}" for p in (first, middle, last))
                   + f", allowed {(FACTOR * first + CONSTANT) * 1000:.1f}"),
        ("ledger", f"{size / 2**20:.0f} MiB, verify clean over {report['sequence']:,} events"),
    ]:
        print(f"  {name:<14} {value}")
    assert not failures, "; ".join(failures)


if __name__ == "__main__":
    main()
