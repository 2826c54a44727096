"""What the gateway adds: calls through it beside the same calls to the provider, in turns, in one run.

    make bench-gateway

32 callers at once, each with a connection of its own, against the simulated provider directly and through
the gateway (which sizes, reserves, passes on, meters and settles, on a real disk). Load, gateway and
provider share the machine. Two figures: a whole small answer, and the first byte of a stream's first
event. FAREGATE_BENCH_CALLERS, FAREGATE_BENCH_CALLS (of each caller in a round), FAREGATE_BENCH_ROUNDS.
"""

import asyncio
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FAREGATE_BINARY", str(ROOT / ".build/release/faregate"))
# In place of this folder, whose http.py would hide Python's own.
sys.path[0] = str(ROOT / "Tests/EndToEnd")
import faregate  # noqa: E402
import gateway  # noqa: E402
import simulator  # noqa: E402
import wire  # noqa: E402

CALLERS = int(os.environ.get("FAREGATE_BENCH_CALLERS", "32"))
CALLS = int(os.environ.get("FAREGATE_BENCH_CALLS", "40"))
ROUNDS = int(os.environ.get("FAREGATE_BENCH_ROUNDS", "5"))
# Between a caller's calls, so that what is measured is latency and not how long the queue is.
THINK = float(os.environ.get("FAREGATE_BENCH_THINK_MS", "100")) / 1_000
WHOLE = {"model": "gpt-4o", "max_tokens": 50,
         "messages": [{"role": "user", "content": "Say something. [[output=20]]"}]}
STREAM = {"model": "gpt-4o", "max_tokens": 50, "stream": True, "messages": [
    {"role": "user", "content": "Say something. [[output=20,first_token_ms=20]]"}]}


async def caller(number, port, path, headers, body, times):
    connection = wire.Connection(port)
    # Not all at the same instant.
    await asyncio.sleep(THINK * number / CALLERS)
    for _ in range(CALLS):
        start = time.perf_counter()
        answer = await connection.post(path, body, headers)
        assert answer.status == 200, await answer.body()
        first = None
        async for _ in answer.chunks():
            first = first or time.perf_counter()
        assert answer.is_complete
        times.append(((first if body.get("stream") else time.perf_counter()) - start) * 1_000)
        await asyncio.sleep(THINK)
    connection.close()


async def round_of(port, path, headers, body):
    times = []
    await asyncio.gather(
        *(caller(number, port, path, headers, body, times) for number in range(CALLERS)))
    return times


def quantile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measure(world, body):
    """Medians over the rounds of p50 and p99, direct and through the gateway, and what is added."""
    direct_headers = {"authorization": f"Bearer {simulator.KEY}"}
    rows = {"direct": [], "gateway": []}
    for number in range(ROUNDS + 1):
        who = world.caller(name="bench")
        for name, port, path, headers in (
                ("direct", world.simulator.port, "/v1/chat/completions", direct_headers),
                ("gateway", world.server.port, "/openai/v1/chat/completions",
                 {"authorization": f"Bearer {who.key}", **who.headers})):
            times = asyncio.run(round_of(port, path, headers, body))
            # The first round warms up: tokenizer, price book, connections.
            if number:
                rows[name].append((quantile(times, 0.5), quantile(times, 0.99)))
    result = {name: [statistics.median(row[place] for row in found) for place in (0, 1)]
              for name, found in rows.items()}
    result["added"] = [
        statistics.median(through[place] - straight[place]
                          for through, straight in zip(rows["gateway"], rows["direct"]))
        for place in (0, 1)]
    return result


def main():
    place = ROOT / ".build/bench-gateway"
    place.mkdir(parents=True, exist_ok=True)
    print(f"{CALLERS} callers, {ROUNDS} rounds of {CALLS} calls each, {THINK * 1_000:.0f} ms apart; "
          "ms, p50 / p99\n")
    print("| what | direct | through the gateway | added |\n|---|---:|---:|---:|")
    # On a real disk: in memory durability costs nothing.
    with tempfile.TemporaryDirectory(dir=place) as folder:
        with gateway.Gateway(pathlib.Path(folder)) as world:
            for name, body in (("whole answer", WHOLE), ("first byte of a stream", STREAM)):
                found = measure(world, body)
                cells = [f"{found[which][0]:.2f} / {found[which][1]:.2f}"
                         for which in ("direct", "gateway", "added")]
                print(f"| {name} | {' | '.join(cells)} |", flush=True)
            events = world.client.json("GET", "/v1/checkpoints/latest")["sequence"]
    print(f"\n{events:,} events, verified with {faregate.BINARY}")


if __name__ == "__main__":
    main()
