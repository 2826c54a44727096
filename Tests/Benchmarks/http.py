"""Single calls and batches over HTTP, beside a bare route in the same run. Needs `wrk` (Debian has it).

    make bench-http

Server and load share the machine. Every figure is the median of ROUNDS rounds, taken in turns.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FAREGATE_BINARY", str(ROOT / ".build/release/faregate"))
# In place of this folder, whose http.py would hide Python's own.
sys.path[0] = str(ROOT / "Tests/EndToEnd")
import faregate  # noqa: E402

BARE = ROOT / ".build/release/FaregateBenchmarks"
ROUNDS = int(os.environ.get("FAREGATE_BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("FAREGATE_BENCH_SECONDS", "5"))
CUSTOMERS = 10_000

PRELUDE = """
local threads = 0
function setup(thread) thread:set("tid", threads); threads = threads + 1 end
local n = 0
local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer %(key)s"}
local function call(path, body) return wrk.format("POST", path, headers, body) end
local function reserve(id)
  return string.format('"id":"%%s","customer":"customer-%%d","model":"gpt-4o",' ..
    '"usage_estimate":{"input_tokens":%%d,"max_output_tokens":500}', id, math.random(%(customers)d),
    math.random(4000))
end
local usage = '"usage":{"input_tokens":900,"output_tokens":120}'
function init(args) math.randomseed(tid + 1) end
"""
RESERVE = PRELUDE + """
function request()
  n = n + 1
  return call("/v1/reservations", "{" .. reserve("%(run)s-" .. tid .. "-" .. n) .. "}")
end
"""
PACED = RESERVE + "function delay() return %(delay)d end\n"
SETTLE = PRELUDE + """
function request()
  n = n + 1
  return call("/v1/reservations/open-" .. (%(first)d + 2 * n + tid) .. "/settle", "{" .. usage .. "}")
end
"""
BATCH = PRELUDE + """
function request()
  local commands = {}
  for i = 1, 500 do
    n = n + 1
    local id = "%(run)s-" .. tid .. "-" .. n
    commands[2 * i - 1] = '{"op":"reserve",' .. reserve(id) .. "}"
    commands[2 * i] = '{"op":"settle","id":"' .. id .. '",' .. usage .. "}"
  end
  return call("/v1/reservations/batch", '{"commands":[' .. table.concat(commands, ",") .. "]}")
end
"""


def wrk(port, script, connections, seconds=SECONDS, threads=2, **names):
    """Calls a second, median and 99th percentile in ms, answers that are no 2xx."""
    values = {"key": faregate.ADMIN_KEY, "customers": CUSTOMERS, **names}
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script % values)
        file.flush()
        done = subprocess.run(
            ["wrk", "--latency", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s",
             "--timeout", "30s", "-s", file.name, f"http://127.0.0.1:{port}"],
            capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    errors = re.search(r"Socket errors: (.*)", done)
    if errors:
        raise AssertionError(f"socket errors: {errors[1]}")
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]),
            milliseconds(re.search(r"50%\s+(\S+)", done)[1]),
            milliseconds(re.search(r"99%\s+(\S+)", done)[1]), int(failed[1]) if failed else 0)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def open_reservations(client, count):
    """Holds for the settlements, made in batches."""
    for start in range(0, count, 1000):
        commands = [
            {"op": "reserve", "id": f"open-{number}", "customer": f"customer-{number % CUSTOMERS}",
             "model": "gpt-4o", "ttl_seconds": 3600,
             "usage_estimate": {"input_tokens": 1000, "max_output_tokens": 500}}
            for number in range(start, start + 1000)]
        client.json("POST", "/v1/reservations/batch", {"commands": commands})


def set_up(client):
    for number, measure, window, per in (
            (1, "charge", "month", ["customer"]), (2, "requests", "day", ["customer"]),
            (3, "tokens", "hour", ["customer"]), (4, "cost", "month", [])):
        amount = "1000000" if measure in ("charge", "cost") else 1_000_000_000_000
        client.json("POST", "/v1/budgets", {
            "id": f"budget-{number}", "name": f"budget-{number}", "per": per, "measure": measure,
            "window": window, "amount": amount})


class Samples:
    def __init__(self):
        self.rows = {}

    def add(self, name, result):
        assert result[3] == 0, f"{name}: {result[3]} answers were no success"
        self.rows.setdefault(name, []).append(result)
        print(f"{name}: {result[0]:,.0f}/s", file=sys.stderr)

    def median(self, name, place=0):
        return statistics.median(row[place] for row in self.rows[name])

    def line(self, name, factor=1):
        rate, middle, late = (self.median(name, place) for place in range(3))
        ratio = statistics.median(
            row[0] / bare[0] for row, bare in zip(self.rows[name], self.rows["bare route"]))
        beside = f"{ratio:.2f}" if factor == 1 and "calls/s" not in name else ""
        return f"| {name} | {rate * factor:,.0f} | {middle:.2f} / {late:.2f} ms | {beside} |"


def main():
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    bare = subprocess.Popen([BARE, "--part", "bare"], stdout=subprocess.PIPE, text=True)
    samples = Samples()
    place = ROOT / ".build/bench-http"
    place.mkdir(parents=True, exist_ok=True)
    try:
        bare_port = int(bare.stdout.readline())
        # On a real disk: in memory durability costs nothing.
        with tempfile.TemporaryDirectory(dir=place) as folder:
            server = faregate.Server(folder).start()
            client = server.client()
            set_up(client)
            per_round = 20_000 * SECONDS
            open_reservations(client, per_round * ROUNDS)
            for number in range(ROUNDS):
                samples.add("bare route", wrk(bare_port, RESERVE, 64, run="bare"))
                samples.add("reserve", wrk(server.port, RESERVE, 64, run=f"r{number}"))
                samples.add("settle", wrk(server.port, SETTLE, 64, first=per_round * number))
                samples.add("reserve at 1,000 calls/s", wrk(
                    server.port, PACED, 20, threads=1, run=f"p{number}", delay=15))
                samples.add("batches of 500 lifecycles", wrk(server.port, BATCH, 8, run=f"b{number}"))
            # The first connection was idle for longer than the server keeps one.
            events = server.client().json("GET", "/v1/checkpoints/latest")["sequence"]
            assert server.stop() == 0
            faregate.verify(server.db)
    finally:
        bare.terminate()
    print(f"64 connections, {ROUNDS} rounds of {SECONDS} s, {events:,} events, verified\n")
    print("| what | calls/s | p50 / p99 | of the bare route |\n|---|---:|---:|---:|")
    for name in ("bare route", "reserve", "settle", "reserve at 1,000 calls/s"):
        print(samples.line(name))
    print(samples.line("batches of 500 lifecycles", 500) + " (lifecycles/s)")


if __name__ == "__main__":
    main()
