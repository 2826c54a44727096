"""Webhooks and the stream of events from outside, with a real receiver and kills.

The receiver verifies each message with the published `standardwebhooks` library where it is installed (and
by its own HMAC in any case), checks the body against the schema, refuses at first, is restarted, and the
server is killed in the middle of traffic. In the end every notification that the log calls for has arrived,
each under one id, and no id with two bodies. The stream is read by a plain HTTP client that comes back with
Last-Event-ID across a kill: no event is missing and none comes twice.
"""

import base64
import collections
import hashlib
import hmac
import http.client
import http.server
import json
import socket
import subprocess
import tempfile
import threading
import time

import jsonschema

import faregate

try:
    import standardwebhooks
except ImportError:
    standardwebhooks = None

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((faregate.ROOT / "schemas/notification.schema.json").read_text()))


class Receiver:
    """An HTTP server that answers what it is told to, and remembers what came."""

    def __init__(self):
        self.port = 0
        self.secrets = []
        self.status = 200
        self.bodies = {}
        self.attempts = collections.Counter()
        self.faults = []
        self.delivered = []
        self.server = None

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    receiver.take(dict(self.headers.items()), body)
                except Exception as error:  # told at the end, by the test's own thread
                    receiver.faults.append(repr(error))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["content-type"] == "application/json", headers
        names = set()
        for secret in self.secrets:
            names.add(self.verify(secret, headers, body))
        assert True in names, f"no secret verifies {headers}"
        message = json.loads(body)
        SCHEMA.validate(message)
        assert message["id"] == headers["webhook-id"]
        assert self.bodies.setdefault(message["id"], body) == body, "one id, two bodies"
        self.attempts[message["id"]] += 1
        if self.status < 300:
            self.delivered.append(message["id"])

    @staticmethod
    def verify(secret, headers, body):
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        own = f"v1,{mac}" in headers["webhook-signature"].split(" ")
        if standardwebhooks:
            try:
                standardwebhooks.Webhook(secret).verify(body.decode(), headers)
                library = True
            except standardwebhooks.WebhookVerificationError:
                library = False
            assert library == own, "the library and the test disagree"
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
        return own


def dribbling():
    """A receiver whose answer never ends: its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=dribble, args=(connection,), daemon=True).start()

    def dribble(connection):
        try:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.5)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


class Stream:
    """Reads the event stream as a plain client does, on one connection."""

    def __init__(self, server, query="", last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"Authorization": f"Bearer {faregate.ADMIN_KEY}", "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/v1/events" + query, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def events(self, until=None):
        """Yields (id, type, data); ends with the stream, or with event `until`."""
        fields = {}
        while True:
            try:
                line = self.response.readline()
            except (OSError, http.client.HTTPException):
                return
            if not line:
                return
            line = line.decode().rstrip("\n")
            if not line:
                if "data" in fields:
                    yield int(fields["id"]), fields["event"], json.loads(fields["data"])
                    if until is not None and int(fields["id"]) >= until:
                        return
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value


def make(client, prefix, count):
    """Calls that are refused, run over, expire and reach thresholds."""
    for n in range(count):
        customer = f"c-{n % 5}"
        client.json("POST", "/v1/reservations",
                    {"id": f"{prefix}-{n}", "customer": customer, "model": "m", "amount": "0.10"},
                    expect=(201, 402, 429))
        client.json("POST", f"/v1/reservations/{prefix}-{n}/settle",
                    {"amount": "0.20" if n % 4 == 0 else "0.07"}, expect=(200, 404, 409))


def expected(log):
    """What the log calls for, counted by an independent reading: refusals and overruns."""
    wanted = collections.Counter()
    for event in log:
        if event["type"] == "usage.rejected":
            wanted["usage.rejected", event["seq"]] += 1
        if event["type"] == "usage.settled" and event["data"].get("overrun", "0") not in ("0", 0):
            wanted["usage.overrun", event["seq"]] += 1
        if event["type"] in ("usage.expired", "credit.expired"):
            wanted[event["type"], event["seq"]] += 1
    return wanted


def wait(what, condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not in time: {what}")


def cli(server, *arguments):
    done = subprocess.run(
        [faregate.BINARY, "webhook", *arguments, "--url", f"http://127.0.0.1:{server.port}", "--key",
         faregate.ADMIN_KEY, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return json.loads(done.stdout)


def check_stream_of_client(server, log):
    """The program's own reader, from the beginning."""
    process = subprocess.Popen(
        [faregate.BINARY, "events", "--follow", "--json", "--url", f"http://127.0.0.1:{server.port}",
         "--key", faregate.ADMIN_KEY], stdout=subprocess.PIPE, text=True)
    seen = [json.loads(process.stdout.readline()) for _ in range(len(log))]
    process.terminate()
    process.wait()
    assert seen == log, "events --follow is not the log"


def metric(client, name):
    status, text = client.call("GET", "/metrics")
    assert status == 200
    return float(next(line.split()[-1] for line in text.decode().splitlines() if line.startswith(name)))


def check_stalled_reader(server, client):
    """One that takes nothing is cut off; one that waits for what comes is not."""
    # More than sockets hold for a reader that does not read.
    tags = {f"tag-{n}": "x" * 250 for n in range(16)}
    for n in range(1_500):
        client.json("POST", "/v1/reservations",
                    {"id": f"fat-{n}", "customer": "fat", "model": "m", "amount": "0.0001", "tags": tags},
                    expect=(201,))
    before = metric(client, "faregate_event_streams ")
    head = list(faregate.events(client))[-1]["seq"]
    patient = Stream(server, f"?after={head}")
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect(("127.0.0.1", server.port))
    stalled.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                    f"Authorization: Bearer {faregate.ADMIN_KEY}\r\n\r\n".encode())
    wait("both streams", lambda: metric(client, "faregate_event_streams ") == before + 2)
    wait("the stalled reader's end", lambda: metric(
        client, 'faregate_http_connections_cut_total{waiting_for="write"}') == 1)
    wait("its place", lambda: metric(client, "faregate_event_streams ") == before + 1)
    client.json("POST", "/v1/reservations",
                {"id": "for-the-patient", "customer": "patient", "model": "m", "amount": "0.01"}, expect=(201,))
    assert "for-the-patient" in [data.get("reservation") for _, _, data in patient.events(head + 2)]
    patient.connection.close()
    stalled.close()


def deliveries(client, state):
    return client.json("GET", f"/v1/webhooks/deliveries?limit=1000&state={state}")["data"]


def main():
    receiver = Receiver().start()
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/faregate.json"
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"webhook_private_targets": True, "webhook_timeout_seconds": 5,
                       "event_heartbeat_seconds": 1, "write_timeout_seconds": 2}, file)
        server = faregate.Server(folder, arguments=["--config", config]).start()
        client = server.client()
        stream = Stream(server)
        streamed = []
        reader = threading.Thread(target=lambda: streamed.extend(stream.events()), daemon=True)
        reader.start()

        client.json("POST", "/v1/budgets", {
            "id": "daily", "per": ["customer"], "measure": "charge", "window": "day", "amount": "1.00"})
        webhook = cli(server, "create", f"http://127.0.0.1:{receiver.port}/hook", "--id", "all")
        receiver.secrets = [webhook["secret"]]
        assert "secret" not in cli(server, "show", "all")
        status, _ = client.call("POST", "/v1/webhooks", {"url": "ftp://example.com"})
        assert status == 422

        # Refused at first: everything waits, with a first attempt made.
        receiver.status = 503
        make(client, "a", 60)
        wait("first attempts", lambda: len(receiver.attempts) >= 5)
        receiver.stop()
        make(client, "b", 20)
        server.kill()
        reader.join(20)
        assert not reader.is_alive(), "the stream outlived its server"

        # Both come back. What waited for its turn is not waited for: it is sent again by hand.
        receiver.status = 200
        receiver.start()
        server.start()
        client = server.client()
        make(client, "c", 20)
        # Killed while it sends.
        wait("the first to arrive", lambda: receiver.delivered)
        server.kill()
        server.start()
        client = server.client()
        make(client, "d", 10)
        again = 0

        def settled():
            nonlocal again
            waiting = [d for d in deliveries(client, "waiting") if d["attempts"] > 0]
            for delivery in waiting:
                client.json("POST", f"/v1/webhooks/deliveries/{delivery['id']}/resend", expect=(202,))
                again += 1
            return not deliveries(client, "waiting")
        wait("everything to arrive", settled)
        assert not receiver.faults, receiver.faults[:3]

        log = list(faregate.events(client))
        wanted = expected(log)
        messages = [json.loads(receiver.bodies[name]) for name in set(receiver.delivered)]
        arrived = collections.Counter(
            (m["type"], m["event"]) for m in messages
            if m["type"] not in ("budget.threshold", "customer.debt", "run.spike"))
        assert wanted and arrived == wanted, (wanted - arrived, arrived - wanted)
        crossings = collections.Counter(
            (m["data"]["budget"], m["data"]["scope"], m["data"]["window_start"], m["data"]["percent"])
            for m in messages if m["type"] == "budget.threshold")
        assert len(crossings) >= 10 and set(crossings.values()) == {1}, crossings
        repeats = sum(receiver.attempts.values()) - len(receiver.attempts)

        # Rotation: both secrets verify, then a test arrives; 410 switches the endpoint off.
        old, new = receiver.secrets[0], cli(server, "rotate", "all", "--overlap", "3600")["secret"]
        assert old != new
        for secret in (old, new):
            receiver.secrets = [secret]
            test = cli(server, "test", "all")
            wait("the test", lambda: test["notification"] in receiver.delivered)
        receiver.status = 410
        cli(server, "test", "all")
        wait("the end", lambda: cli(server, "show", "all").get("disabled_reason") == "gone")
        assert not receiver.faults, receiver.faults[:3]

        # The status counts, not a body that never ends.
        cli(server, "create", f"http://127.0.0.1:{dribbling()}/", "--id", "slow")
        test = cli(server, "test", "slow")
        wait("the end of a slow answer", lambda: client.json(
            "GET", f"/v1/webhooks/deliveries/{test['id']}")["state"] == "delivered", 15)

        check_stalled_reader(server, client)
        log = list(faregate.events(client))

        # The stream: what came before the kill, and from there on, is the log.
        last = streamed[-1][0] if streamed else 0
        assert last > 0, "nothing was streamed"
        streamed += Stream(server, "?after=1", last=last).events(until=log[-1]["seq"])
        assert [event for _, _, event in streamed] == log, "the stream is not the log"
        assert all(name == e["type"] and n == e["seq"] for n, name, e in streamed)
        check_stream_of_client(server, log)
        rest = Stream(server, f"?after={log[-1]['seq']}")
        started = time.monotonic()
        assert server.stop() == 0
        assert not list(rest.events()), "nothing followed"
        assert time.monotonic() - started < 10, "a stream held the server up"
        faregate.verify(server.db)
    receiver.stop()
    print(f"webhooks: {len(messages)} notifications of {len(log)} events arrived once or more "
          f"({repeats} repeats, {again} by hand) across kills, {len(crossings)} crossings once each; verified "
          f"{'by standardwebhooks' if standardwebhooks else 'by HMAC (standardwebhooks is not installed)'}; "
          "the stream is the log")


if __name__ == "__main__":
    main()
