"""What a case is.

A case is a function of a caller (addresses, key, customer). It uses one SDK as its documentation
shows, and asserts what the SDK gives back. What the ledger charges is compared by whoever runs it.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Callable

# A stream that lasts about a second, of which a client reads the beginning.
LONG = "Write me a long story. [[output=300,tokens_per_second=400]]"
SHORT = "Say something. [[output=12]]"


# One loop for all: LangChain keeps connections from one call to the next, and a connection does not
# outlive its loop.
LOOP = asyncio.new_event_loop()


def run_async(coroutine):
    return LOOP.run_until_complete(coroutine)


@dataclass
class Case:
    name: str
    run: Callable[[Any], Any]
    # allowed: goes through · refused: raises what the SDK raises · cut: leaves in mid-stream
    kind: str = "allowed"
    # Calls that reach the provider and are billed.
    calls: int = 1


class Cases(list):
    """Collects the cases of one SDK: `@cases.allowed(calls=2)`."""

    def __init__(self, sdk):
        super().__init__()
        self.sdk = sdk

    def _add(self, kind, calls):
        def add(function):
            name = f"{self.sdk} {function.__name__.replace('_', ' ')}"
            self.append(Case(name, function, kind, calls))
            return function
        return add

    def allowed(self, calls=1):
        return self._add("allowed", calls)

    def refused(self):
        return self._add("refused", 0)

    def cut(self):
        return self._add("cut", 1)


def refuses(error, call, status=402):
    """That `call` raises this error of the SDK's own, with the gateway's answer in it."""
    try:
        result = call()
    except error as raised:
        found = getattr(raised, "status_code", None)
        assert found == status, f"{found}: {raised!r}"
        return raised
    raise AssertionError(f"was not refused: {result!r}")


async def refuses_async(error, call, status=402):
    try:
        result = await call()
    except error as raised:
        found = getattr(raised, "status_code", None)
        assert found == status, f"{found}: {raised!r}"
        return raised
    raise AssertionError(f"was not refused: {result!r}")
