"""A server under test: the real binary, its own folder, a port of the system's choosing."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FAREGATE_BINARY", str(ROOT / ".build/debug/faregate"))
ADMIN_KEY = "fg_for_end_to_end_tests_only"


class Server:
    """Starts, kills and restarts `faregate serve` on one ledger."""

    def __init__(self, folder, db=None, arguments=(), preexec=None, environment=None):
        self.folder = pathlib.Path(folder)
        self.db = pathlib.Path(db) if db else self.folder / "ledger.db"
        self.arguments = list(arguments)
        self.preexec = preexec
        self.environment = environment or {}
        self.process = None
        self.port = None

    def start(self, timeout=60, port=0):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--db", str(self.db), "--port", str(port), "--port-file", str(port_file)]
            + self.arguments,
            env={**os.environ, "FAREGATE_ADMIN_KEY": ADMIN_KEY, **self.environment}, stdout=log, stderr=log,
            preexec_fn=self.preexec)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the server ended with {self.process.returncode}:\n"
                    + (self.folder / "server.log").read_text()[-2000:])
            if port_file.exists() and port_file.read_text().strip():
                self.port = int(port_file.read_text())
                return self
            time.sleep(0.01)
        raise AssertionError("the server did not come up")

    def kill(self):
        """As a crash would: no chance to say goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=60):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def client(self):
        return Client(self.port)


class Client:
    """One keep-alive connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        self.connection.request(
            method, path, data,
            {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json",
             **(headers or {})})
        response = self.connection.getresponse()
        return response.status, response.read()

    def json(self, method, path, body=None, expect=(200, 201)):
        status, data = self.call(method, path, body)
        assert status in expect, f"{method} {path}: {status} {data[:500]!r}"
        return json.loads(data)


def verify(db):
    """`faregate verify` on a closed file; its report."""
    done = subprocess.run(
        [BINARY, "verify", "--db", str(db), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, f"verify failed:\n{done.stdout[-3000:]}\n{done.stderr[-1000:]}"
    return json.loads(done.stdout)


def events(client):
    """Every stored event, in order."""
    after = 0
    while True:
        page = client.json("GET", f"/v1/events?after={after}&limit=1000")
        yield from page["data"]
        if not page["has_more"]:
            return
        after = page["data"][-1]["seq"] if page["data"] else page["next"]
