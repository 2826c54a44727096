"""The simulated Stripe account as a process of its own, and what people do there."""

import http.client
import json
import os
import subprocess
import time

import faregate

KEY = "sk_test_for_end_to_end_tests"
SECRET = "whsec_for_end_to_end_tests"


class StripeAccount:
    """Starts and stops `faregate simulate stripe`."""

    def __init__(self, folder, arguments=()):
        self.folder = folder
        self.arguments = list(arguments)
        self.process = None
        self.port = None

    def start(self, timeout=60):
        port_file = self.folder / "stripe.port"
        port_file.unlink(missing_ok=True)
        log = open(self.folder / "stripe.log", "ab")
        self.process = subprocess.Popen(
            [faregate.BINARY, "simulate", "stripe", "--port", "0", "--port-file", str(port_file)]
            + self.arguments, stdout=log, stderr=log)
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

    @property
    def environment(self):
        """What a server or a command is told of it."""
        return {
            "FAREGATE_STRIPE_API_URL": self.url, "FAREGATE_STRIPE_KEY": KEY,
            "FAREGATE_STRIPE_WEBHOOK_SECRETS": SECRET}

    @staticmethod
    def endpoint(port, secret=SECRET):
        return {"url": f"http://127.0.0.1:{port}/webhooks/stripe", "secret": secret}

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        response = connection.getresponse()
        data = response.read()
        connection.close()
        assert response.status == 200, f"{path}: {response.status} {data[:300]!r}"
        return json.loads(data)

    def set_up(self):
        """`faregate stripe setup`; its steps."""
        done = subprocess.run(
            [faregate.BINARY, "stripe", "setup", "--json"], capture_output=True, text=True,
            env={**os.environ, **self.environment})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def control(self, **change):
        return self._call("POST", "/_control", change)

    def books(self):
        return self._call("GET", "/_books")
