"""200 agent loops of one customer at once, on a budget that they use up, while everything goes wrong.

    python3 Tests/EndToEnd/gateway_storm.py

Each loop asks, appends the answer to its conversation and asks again, streaming, until it is told that
the money is used up. Some leave in mid-stream. The provider cuts streams, breaks off with errors,
leaves out the usage, falls silent, closes connections, answers 429, 500 and 503. What then must hold:

- what was spent at the provider is at most the budget, which holds bounds;
- nothing is held any more;
- the ledger has charged what the provider served, call by call. Two cases are apart, and counted: where
  a connection broke in mid-stream, the provider may have written a few last tokens that nobody saw; and
  where it took a call and never answered, nobody can know what it did: the expected estimate is charged.
"""

import asyncio
import collections
import decimal
import json
import os
import pathlib
import random
import sys
import tempfile
import time

import faregate
import gateway
import priced
import wire

LOOPS = int(os.environ.get("FAREGATE_STORM_LOOPS", "200"))
SEED = int(os.environ.get("FAREGATE_STORM_SEED", "4"))
BUDGET = os.environ.get("FAREGATE_STORM_BUDGET", "0.6")
MODEL = "gpt-4o"
# Where no faults are ordered, a stream takes a tenth of a second or so.
PACE = "tokens_per_second=300,first_token_ms=20"
FAULTS = [
    "cut_after=5", "cut_after=0", "cut_mid_event=4", "error_event=3", "error_event=0", "no_usage",
    "usage_every_chunk", "no_done", "comments", "close_before_headers",
    "status=429,retry_after=0", "status=500", "status=503,retry_after=0",
    "served_tier=default"]
FAULTY, LEAVING = 0.3, 0.15
# Two that cost seconds each: a provider that falls silent, and one that sends byte by byte. Only the
# first call of a few loops meets them. Silence of fewer seconds a busy machine makes by itself.
SLOW = {number: "hang_after=6" for number in range(8)} | {
    number: "output=5,slow_loris=1" for number in range(8, 12)}
IDLE_SECONDS = 20
# One token of output, of those that were on their way when a connection broke.
UNSEEN = decimal.Decimal("0.00001")


class Storm:
    def __init__(self, world, caller):
        self.world, self.caller = world, caller
        self.outcomes = collections.Counter()
        # Error events within streams, by code: the provider's have none here.
        self.broken = collections.Counter()
        # Number of the simulator's request by reservation, where an event told it.
        self.calls = {}
        # Reservations of calls that the provider took and did not answer.
        self.unanswered = []

    async def loop(self, number):
        """Asks until the budget is used up."""
        choice = random.Random(SEED * 1_000_003 + number)
        connection = wire.Connection(self.world.server.port)
        messages = [{"role": "system", "content": f"You are agent {number}."}]
        for step in range(1_000):
            orders = [f"output={choice.randrange(5, 40)}", PACE]
            if step == 0 and number in SLOW:
                orders.append(SLOW[number])
            elif choice.random() < FAULTY:
                orders.append(choice.choice(FAULTS))
            leaves_after = choice.randrange(1, 12) if choice.random() < LEAVING else None
            messages.append({"role": "user", "content": f"Step {step}. [[{','.join(orders)}]]"})
            outcome, text = await self.ask(connection, messages, leaves_after)
            self.outcomes[outcome] += 1
            if outcome == "exhausted":
                break
            if outcome == "held by others":
                await asyncio.sleep(0.1 + choice.random() / 5)
            messages.append({"role": "assistant", "content": text or "Nothing."})
            # An agent forgets: what it sends stays of the same size.
            messages = messages[:1] + messages[-4:]
        connection.close()

    async def ask(self, connection, messages, leaves_after):
        body = {"model": MODEL, "stream": True, "max_tokens": 60, "messages": messages}
        try:
            answer = await connection.post(
                "/openai/v1/chat/completions", body,
                {"authorization": f"Bearer {self.caller.key}",
                 "x-faregate-customer": self.caller.customer})
        except ConnectionError:
            return "no answer", ""
        if answer.status != 200:
            error = json.loads(await answer.body())["error"]
            if answer.status == 502:
                self.unanswered.append(answer.headers["x-faregate-reservation"])
            return self.refused(answer.status, error), ""
        return await self.read(answer, leaves_after)

    @staticmethod
    def refused(status, error):
        if status == 402 and error.get("type") == "spend_limit":
            return "exhausted"
        if status == 429 and error.get("code") == "holds_full":
            return "held by others"
        return f"error {status}"

    async def read(self, answer, leaves_after):
        text, seen = "", 0
        reservation = answer.headers["x-faregate-reservation"]
        async for data in answer.events():
            if data == "[DONE]":
                continue
            try:
                event = json.loads(data)
            except ValueError:
                raise AssertionError(f"{reservation}: {data!r}")
            if "error" in event:
                self.broken[event["error"]["code"]] += 1
                continue
            if reservation not in self.calls:
                self.calls[reservation] = int(event["id"].removeprefix("chatcmpl-sim"))
            assert event["choices"], "a chunk of usage that nobody asked for"
            text += event["choices"][0]["delta"].get("content") or ""
            seen += 1
            if seen == leaves_after:
                answer.leave()
                return "left", text
        return "complete" if answer.is_complete else "cut", text

    async def run(self):
        await asyncio.gather(*(self.loop(number) for number in range(LOOPS)))


def settlements(client):
    """Charges by reservation; none for what was released."""
    charges = collections.defaultdict(decimal.Decimal)
    for event in faregate.events(client):
        if event["type"] == "usage.settled":
            charges[event["reservation"]] = decimal.Decimal(event["data"]["rated"]["charge"])
    return charges


def check(world, storm):
    requests = {request["number"]: request for request in world.simulator.served()}
    balance = world.settled(storm.caller.customer, timeout=150)
    spent = priced.total(requests.values())
    charged = decimal.Decimal(balance["totals"]["charge"])
    assert spent <= decimal.Decimal(BUDGET), f"spent {spent} of {BUDGET}"
    wrong, unseen = [], 0
    settled = settlements(world.client)
    for reservation, number in storm.calls.items():
        request = requests[number]
        difference = priced.cost(request) - settled[reservation]
        tokens = int(difference / UNSEEN)
        if request["end"] == "cut" and 0 < difference == tokens * UNSEEN \
                and tokens <= request["output_tokens"]:
            unseen += tokens
        elif difference:
            wrong.append(f"{difference} {json.dumps(request)}")
    assert not wrong, f"{len(wrong)} calls are charged wrongly:\n" + "\n".join(wrong[:10])
    guessed = sum(settled[reservation] for reservation in storm.unanswered)
    assert spent - charged == unseen * UNSEEN - guessed, (
        f"served {spent}, charged {charged}, {unseen} tokens unseen, {guessed} for calls unanswered")
    assert all(request["credential"] == "own" and not request["leaks"]
               for request in requests.values())
    return requests, spent, charged, unseen, guessed


def main():
    with tempfile.TemporaryDirectory() as folder:
        with gateway.Gateway(
                pathlib.Path(folder), upstream={"idle_timeout_seconds": IDLE_SECONDS}) as world:
            storm = Storm(world, world.caller(budget=BUDGET, name="storm"))
            start = time.monotonic()
            asyncio.run(storm.run())
            took = time.monotonic() - start
            requests, spent, charged, unseen, guessed = check(world, storm)
    ends = collections.Counter(request["end"] for request in requests.values())
    print(f"storm: {LOOPS} loops, {sum(storm.outcomes.values())} calls in {took:.1f} s: "
          + ", ".join(f"{count} {name}" for name, count in storm.outcomes.most_common()))
    print(f"storm: at the provider {len(requests)} requests: "
          + ", ".join(f"{count} {name}" for name, count in ends.most_common()))
    print(f"storm: {spent} spent of {BUDGET}, {charged} charged, of which {guessed} for "
          f"{len(storm.unanswered)} calls without an answer; {unseen} tokens unseen; no holds left")
    assert storm.outcomes["exhausted"] == LOOPS, storm.outcomes
    # Silence is the only thing that the gateway itself ends a stream for.
    assert set(storm.broken) <= {None, "upstream_timeout"}, storm.broken
    # It has been a storm.
    assert LOOPS < 50 or all(storm.outcomes[name] for name in ("left", "cut", "complete"))


if __name__ == "__main__":
    sys.exit(main())
