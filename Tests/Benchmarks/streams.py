"""Many slow streams through the gateway at once: what they cost in memory, and whom they hold up.

    make bench-streams

Up to 1,000 the provider writes a megabyte for each as fast as it is taken, and the clients are what is slow: they
take 1 kB a second through a small socket buffer, so that all buffers on the way are full. Beyond that the provider
is slow, a token a second, because on two cores it cannot write so many megabytes at once. In the end the clients
go away in the middle, and every call is to be settled. While the streams are open, one more caller makes
ordinary calls. Load, gateway and provider share the machine. FAREGATE_BENCH_STREAMS (steps, as 100,1000),
FAREGATE_BENCH_SECONDS.
"""

import asyncio
import os
import pathlib
import random
import re
import resource
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FAREGATE_BINARY", str(ROOT / ".build/release/faregate"))
# Of the server and of the simulator, which is a server too.
os.environ["FAREGATE_CONNECTIONS_MAX"] = "40000"
# In place of this folder, whose http.py would hide Python's own.
sys.path[0] = str(ROOT / "Tests/EndToEnd")
import gateway  # noqa: E402
import wire  # noqa: E402

# Two sockets of the gateway's each: with 20,000 open files a process, 9,500 is the most.
STEPS = [int(step)
         for step in os.environ.get("FAREGATE_BENCH_STREAMS", "100,1000,5000,9500").split(",")]
SECONDS = int(os.environ.get("FAREGATE_BENCH_SECONDS", "30"))
PIECE, TOKENS = 1_024, 4_000
BUFFER = 4_096
PATH = "/openai/v1/chat/completions"
SLOW_CLIENTS_MAX = 1_000
SMALL = {"model": "gpt-4o", "max_tokens": 20, "messages": [
    {"role": "user", "content": "Say something. [[output=10]]"}]}


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024


def stream(tokens_per_second):
    instructions = f"output={TOKENS},tokens_per_second={tokens_per_second}"
    return {"model": "gpt-4o", "max_tokens": TOKENS, "stream": True, "messages": [
        {"role": "user", "content": f"Write. [[{instructions}]]"}]}


async def slow_client(port, headers, body, opening, opened, end):
    connection = wire.Connection(port, buffer=BUFFER)
    async with opening:
        answer = await connection.post(PATH, body, headers, timeout=300)
    if answer.status != 200:
        return answer.status
    opened.append(1)
    # Not all of them in the same instant of each second.
    await asyncio.sleep(random.random())
    while time.monotonic() < end():
        if not await answer.reader.read(PIECE):
            return "cut"
        await asyncio.sleep(1)
    answer.leave()
    return 200


async def ordinary(port, headers, times, end):
    connection = wire.Connection(port)
    while time.monotonic() < end():
        start = time.perf_counter()
        answer = await connection.post(PATH, SMALL, headers, timeout=120)
        assert answer.status == 200, await answer.body()
        await answer.body()
        times.append((time.perf_counter() - start) * 1_000)
        await asyncio.sleep(0.1)
    connection.close()


async def step_of(count, port, pid, headers):
    opened, times, samples, limit = [], [], [], [float("inf")]

    def end():
        return limit[0]

    tasks = []
    body = stream(0 if count <= SLOW_CLIENTS_MAX else 1)
    # No more at once than a listener's queue holds without dropping any.
    opening = asyncio.Semaphore(64)
    for _ in range(count):
        tasks.append(
            asyncio.create_task(slow_client(port, headers, body, opening, opened, end)))
    start = time.monotonic()
    while len(opened) < count and time.monotonic() - start < 600 and not any(
            task.done() for task in tasks):
        await asyncio.sleep(0.1)
    took = time.monotonic() - start
    limit[0] = time.monotonic() + SECONDS
    caller = asyncio.create_task(ordinary(port, headers, times, end))
    while time.monotonic() < limit[0]:
        samples.append(resident_bytes(pid))
        await asyncio.sleep(1)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await caller
    return took, times, samples, results


def main():
    # Each stream is a socket here, two at the gateway and one at the provider.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 60_000), hard))
    place = ROOT / ".build/bench-gateway"
    place.mkdir(parents=True, exist_ok=True)
    print(f"{SECONDS} s each; resident memory of the gateway, MB; an ordinary call meanwhile, ms\n")
    print("| streams | open | opened in s | before | third of the time | end | kB a stream | p50 | p99 |\n"
          "|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for count in STEPS:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            with gateway.Gateway(pathlib.Path(folder), upstream={"connections_max": 40_000}) as world:
                who = world.caller(name="slow")
                headers = {"authorization": f"Bearer {who.key}", **who.headers}
                pid = world.server.process.pid
                asyncio.run(step_of(5, world.server.port, pid, headers))
                before = resident_bytes(pid)
                took, times, samples, results = asyncio.run(
                    step_of(count, world.server.port, pid, headers))
                good = sum(result == 200 for result in results)
                others = {str(result)[:60] for result in results if result != 200}
                times.sort()
                third, last = samples[len(samples) // 3], samples[-1]
                print(f"| {count:,} | {good:,} | {took:.0f} | {before / 1e6:.0f} | {third / 1e6:.0f} | "
                      f"{last / 1e6:.0f} | {(last - before) / count / 1e3:.1f} | "
                      f"{times[len(times) // 2]:.1f} | {times[int(len(times) * 0.99)]:.1f} |"
                      + (f" {others}" if others else ""), flush=True)
                balance = world.settled(who.customer, timeout=300)
                assert balance["open_reservations"] == 0, balance


if __name__ == "__main__":
    main()
