"""The simulated Stripe account as a process of its own, and what people do there."""

import json
import os
import subprocess

import faregate
import simulator

KEY = "sk_test_for_end_to_end_tests"
SECRET = "whsec_for_end_to_end_tests"


class StripeAccount(simulator.Process):
    """Starts and stops `faregate simulate stripe`."""

    kind = "stripe"

    @property
    def environment(self):
        """What a server or a command is told of it."""
        return {
            "FAREGATE_STRIPE_API_URL": self.url, "FAREGATE_STRIPE_KEY": KEY,
            "FAREGATE_STRIPE_WEBHOOK_SECRETS": SECRET}

    @staticmethod
    def endpoint(port, secret=SECRET):
        return {"url": f"http://127.0.0.1:{port}/webhooks/stripe", "secret": secret}

    def set_up(self):
        """`faregate stripe setup`; its steps."""
        done = subprocess.run(
            [faregate.BINARY, "stripe", "setup", "--json"], capture_output=True, text=True,
            env={**os.environ, **self.environment})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def books(self):
        return self._call("GET", "/_books")
