"""Many slow streams through the gateway at once: what they cost in memory, and whom they hold up.

    make bench-streams

Every client takes 16 kB of its stream each second, far less than the provider writes (a megabyte each); then
it goes away in the middle. While they are open, one more caller makes ordinary calls. Load, gateway and
provider share the machine. FAREGATE_BENCH_STREAMS (steps, as 100,1000), FAREGATE_BENCH_SECONDS.
"""

import asyncio
import os
import pathlib
import re
import resource
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FAREGATE_BINARY", str(ROOT / ".build/release/faregate"))
# Of the server and of the simulator, which is a server too.
os.environ["FAREGATE_CONNECTIONS_MAX"] = "40000"
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))
import gateway  # noqa: E402
import wire  # noqa: E402

STEPS = [int(step) for step in os.environ.get("FAREGATE_BENCH_STREAMS", "100,1000,5000").split(",")]
SECONDS = int(os.environ.get("FAREGATE_BENCH_SECONDS", "30"))
PIECE, TOKENS = 16_384, 4_000
PATH = "/openai/v1/chat/completions"
STREAM = {"model": "gpt-4o", "max_tokens": TOKENS, "stream": True, "messages": [
    {"role": "user", "content": f"Write. [[output={TOKENS},tokens_per_second=0]]"}]}
SMALL = {"model": "gpt-4o", "max_tokens": 20, "messages": [
    {"role": "user", "content": "Say something. [[output=10]]"}]}


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024


async def slow_client(port, headers, opened, end):
    connection = wire.Connection(port)
    answer = await connection.post(PATH, STREAM, headers, timeout=120)
    if answer.status != 200:
        return answer.status
    opened.append(1)
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
    for number in range(count):
        tasks.append(asyncio.create_task(slow_client(port, headers, opened, end)))
        # Not faster than they can be taken.
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    start = time.monotonic()
    while len(opened) < count and time.monotonic() - start < 120 and not any(
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
    print("| streams | open | before | third of the time | end | kB a stream | p50 | p99 |\n"
          "|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for count in STEPS:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            with gateway.Gateway(pathlib.Path(folder)) as world:
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
                print(f"| {count:,} | {good:,} | {before / 1e6:.0f} | {third / 1e6:.0f} | "
                      f"{last / 1e6:.0f} | {(last - before) / count / 1e3:.1f} | "
                      f"{times[len(times) // 2]:.1f} | {times[int(len(times) * 0.99)]:.1f} |"
                      + (f" {others}" if others else ""), flush=True)
                balance = world.settled(who.customer, timeout=300)
                assert balance["open_reservations"] == 0, balance


if __name__ == "__main__":
    main()
