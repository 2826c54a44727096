"""Simulators as processes of their own; the simulated provider, and its books."""

import http.client
import json
import subprocess
import time

import faregate

KEY = "sim_key_that_only_the_gateway_has"


class Process:
    """Starts and stops `faregate simulate KIND`."""

    kind = ""
    options = ()

    def __init__(self, folder, arguments=()):
        self.folder = folder
        self.arguments = list(arguments)
        self.process = None
        self.port = None

    def start(self, timeout=60):
        port_file = self.folder / f"{self.kind}.port"
        port_file.unlink(missing_ok=True)
        log = open(self.folder / f"{self.kind}.log", "ab")
        self.process = subprocess.Popen(
            [faregate.BINARY, "simulate", self.kind, "--port", "0", "--port-file", str(port_file),
             *self.options, *self.arguments], stdout=log, stderr=log)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            assert self.process.poll() is None, "the simulator ended"
            if port_file.exists() and port_file.read_text().strip():
                self.port = int(port_file.read_text())
                return self
            time.sleep(0.01)
        raise AssertionError("the simulator did not come up")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        response = connection.getresponse()
        data = response.read()
        connection.close()
        assert response.status == 200, f"{path}: {response.status} {data[:300]!r}"
        return json.loads(data)

    def control(self, **change):
        return self._call("POST", "/_control", change)


class Simulator(Process):
    """The simulated provider."""

    kind = "provider"
    options = ("--key", KEY)

    def books(self, after=0):
        return self._call("GET", f"/_served?after={after}")

    def mark(self):
        """The number of the newest request."""
        return max((request["number"] for request in self.books()["requests"]), default=0)

    def served(self, after=0, timeout=60):
        """The requests after that number, once none is under way any more."""
        end = time.monotonic() + timeout
        while True:
            books = self.books(after)
            if books["totals"]["in_flight"] == 0:
                return books["requests"]
            assert time.monotonic() < end, f"still under way: {books['totals']}"
            time.sleep(0.02)
