"""Overload from outside: what a server does when there is too much of everything.

- readiness tells the truth: starting, healthy, draining, gone
- while a commit hangs, a full queue answers 503 with Retry-After at once, and status can be read; what was
  accepted is answered when the disk comes back, what was refused is not on the log
- clients that are slow with a head, a body or an answer hold nothing up and are cut off
- keys over their rate get 429
- a server told to stop under load finishes what it accepted; told twice, it ends at once
- /metrics is read by Prometheus' own parser, and its sums add up

A hanging disk is made by a library in front of fsync (slow_sync.c), built with cc.
"""

import asyncio
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

from prometheus_client.parser import text_string_to_metric_families

import faregate

HANG_LIBRARY = pathlib.Path(__file__).with_name("slow_sync.c")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server(faregate.Server):
    """A server on a known port, with settings, and a disk that can be made to hang."""

    def __init__(self, folder, library=None, **settings):
        self.known_port = free_port()
        self.metrics_port = free_port()
        self.hang_file = pathlib.Path(folder) / "hang"
        environment = {f"FAREGATE_{name.upper()}": str(value) for name, value in settings.items()}
        environment["FAREGATE_METRICS_PORT"] = str(self.metrics_port)
        if library:
            environment["LD_PRELOAD"] = str(library)
            environment["FAREGATE_TEST_HANG"] = str(self.hang_file)
        super().__init__(
            folder, arguments=["--port", str(self.known_port)], environment=environment)

    def hang(self):
        self.hang_file.touch()

    def go_on(self):
        self.hang_file.unlink()


def ask(port, method, path, body=None, headers=None, timeout=10):
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {
            "Authorization": f"Bearer {faregate.ADMIN_KEY}", "Content-Type": "application/json",
            **(headers or {})})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def metrics(port):
    """All samples by name and labels, through Prometheus' parser."""
    status, headers, data = ask(port, "GET", "/metrics")
    assert status == 200, (status, data)
    assert headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    samples = {}
    for family in text_string_to_metric_families(data.decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"twice: {key}"
            samples[key] = sample.value
    return samples


def value(samples, name, **labels):
    return sum(number for (found, pairs), number in samples.items()
               if found == name and labels.items() <= dict(pairs).items())


class Probe(threading.Thread):
    """Asks /readyz again and again; the states that it saw, in order, without repeats."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.states = []
        self.bodies = {}
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            try:
                status, headers, data = ask(self.port, "GET", "/readyz", timeout=2)
                body = json.loads(data)
                state = body["state"]
                assert (status == 200) == (state == "healthy"), (status, body)
                assert status == 200 or headers["retry-after"], headers
                self.bodies[state] = body
            except OSError:
                state = "gone"
                time.sleep(0.002)
            if not self.states or self.states[-1] != state:
                self.states.append(state)
            time.sleep(0.001)

    def finish(self):
        self.done.set()
        self.join()
        return self.states


async def exchange(port, body):
    """A reservation on a connection of its own: status, headers, seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        data = json.dumps(body).encode()
        head = (f"POST /v1/reservations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {faregate.ADMIN_KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
        begin = time.monotonic()
        writer.write(head.encode() + data)
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
        took = time.monotonic() - begin
        headers = dict(line.lower().split(": ", 1) for line in text.split("\r\n")[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        return int(text.split(" ")[1]), headers, took
    finally:
        writer.close()


def body(number, prefix="r"):
    return {"id": f"{prefix}{number}", "customer": f"c{number % 7}", "model": "gpt-4o", "amount": "0.001"}


def exists(client, identifier):
    return client.call("GET", f"/v1/reservations/{identifier}")[0] == 200


def full_queue(folder, library):
    server = Server(folder, library, queue_max=64).start()
    try:
        client = server.client()
        client.json("POST", "/v1/reservations", body(0, "first"))

        async def load():
            server.hang()
            tasks = [asyncio.create_task(exchange(server.port, body(n))) for n in range(400)]
            refused = 0
            while True:
                await asyncio.sleep(0.02)
                refused = sum(1 for task in tasks if task.done() and task.result()[0] == 503)
                if refused >= 150 and sum(task.done() for task in tasks) == refused:
                    break
            # The status of a server whose disk hangs, on both ports.
            for port in (server.port, server.metrics_port):
                status = await asyncio.to_thread(ask, port, "GET", "/healthz")
                assert status[0] == 200
                samples = await asyncio.to_thread(metrics, port)
                assert value(samples, "faregate_write_running_seconds") > 0
                assert value(samples, "faregate_queue_depth") > 0
                assert value(samples, "faregate_queue_overloads_total") >= 150
            # And again from the start, now that nothing else is going on.
            late = [await exchange(server.port, body(n, "late")) for n in range(100)]
            server.go_on()
            return await asyncio.gather(*tasks), late

        answers, late = asyncio.run(load())
        for status, headers, _ in answers + late:
            assert status in (201, 503), status
            assert status == 201 or headers["retry-after"] == "1", headers
        for number, answer in enumerate(answers):
            assert exists(client, f"r{number}") == (answer[0] == 201), number
        times = sorted(took for status, _, took in late if status == 503)
        assert len(times) == 100
        p50, p99 = times[50] * 1000, times[98] * 1000
        assert p99 < 1000, f"a refusal took {p99:.0f} ms"
        samples = metrics(server.port)
        phases = value(samples, "faregate_batch_phase_seconds_sum")
        whole = value(samples, "faregate_batch_seconds_sum")
        assert abs(phases - whole) < 1e-6 * whole, (phases, whole)
        assert server.stop() == 0
        faregate.verify(server.db)
        accepted = sum(answer[0] == 201 for answer in answers)
        print(f"overload: commit hangs, {accepted} accepted and answered later, {400 - accepted} refused and "
              f"absent; a refusal takes p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    finally:
        if server.process.poll() is None:
            server.kill()


def stop_twice(folder, library):
    server = Server(folder, library, shutdown_timeout_seconds=60).start()
    try:
        server.client().json("POST", "/v1/reservations", body(0))
        server.hang()
        waiting = threading.Thread(
            target=lambda: ignoring(lambda: ask(server.port, "POST", "/v1/reservations", body(1))))
        waiting.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.process.poll() is None, "it ended although a request was under way"
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(5)
        assert code == 128 + signal.SIGTERM, code
        took = time.monotonic() - begin
        waiting.join()
        server.go_on()
        server.start()
        assert exists(server.client(), "r0"), "an answered write is gone"
        assert server.stop() == 0
        print(f"overload: told to stop twice, ended after {took * 1000:.0f} ms, the answered write is there")
    finally:
        if server.process.poll() is None:
            server.kill()


def stop_while_starting(folder, library):
    server = Server(folder, library).start()
    server.client().json("POST", "/v1/reservations", body(0))
    server.kill()
    # What the crash left in the write-ahead log is moved at the start; that hangs.
    server.hang()
    starting = threading.Thread(target=lambda: ignoring(server.start))
    starting.start()
    try:
        end = time.monotonic() + 10
        while True:
            answer = ignoring(lambda: ask(server.known_port, "GET", "/readyz"))
            if answer and json.loads(answer[2])["state"] == "starting":
                break
            assert time.monotonic() < end, answer
            time.sleep(0.01)
        status, headers, data = ask(server.known_port, "POST", "/v1/reservations", body(1))
        assert status == 503 and headers["retry-after"] == "1", (status, headers)
        assert json.loads(data)["error"]["code"] == "starting", data
        assert ask(server.known_port, "GET", "/healthz")[0] == 200
        assert ask(server.metrics_port, "GET", "/readyz")[0] == 503
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(5)
        assert code == 0, code
        starting.join()
        server.go_on()
        server.start()
        assert exists(server.client(), "r0") and not exists(server.client(), "r1")
        assert server.stop() == 0
        print("overload: told to stop while starting, ended at once; 503 starting until then")
    finally:
        if server.process.poll() is None:
            server.kill()


def ignoring(body):
    try:
        return body()
    except Exception:
        return None


class SlowClient:
    """Sends a byte now and then until it is cut off, or reads nothing."""

    def __init__(self, port, first, receive=None):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(first)
        self.begin = time.monotonic()
        self.cut_after = None

    def trickle(self):
        if self.cut_after is not None:
            return
        try:
            self.socket.send(b"x")
            self.socket.setblocking(False)
            try:
                if self.socket.recv(4096) == b"":
                    self.cut_after = time.monotonic() - self.begin
            except BlockingIOError:
                pass
            self.socket.setblocking(True)
        except OSError:
            self.cut_after = time.monotonic() - self.begin


def slow_clients(folder):
    server = Server(folder, head_timeout_seconds=2, request_timeout_seconds=2, write_timeout_seconds=2,
                    idle_timeout_seconds=30, connections_max=400).start()
    try:
        authorization = f"Authorization: Bearer {faregate.ADMIN_KEY}\r\n".encode()
        heads = [SlowClient(server.port, b"GET /v1/plans HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(100)]
        bodies = [SlowClient(server.port, b"POST /v1/reservations HTTP/1.1\r\nHost: x\r\n" + authorization
                             + b"Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n")
                  for _ in range(50)]
        # Without a key, so that the answer comes before the body; that may not hold anything either.
        strangers = [SlowClient(server.port, b"POST /v1/reservations HTTP/1.1\r\nHost: x\r\n"
                                b"Content-Length: 9000\r\n\r\n") for _ in range(50)]
        page = b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"
        readers = [SlowClient(server.port, page * 100, receive=4096) for _ in range(5)]
        client = server.client()
        slowest = 0.0
        count = 0
        end = time.monotonic() + 8
        while time.monotonic() < end:
            for one in heads + bodies + strangers:
                one.trickle()
            begin = time.monotonic()
            assert client.call("POST", "/v1/reservations", body(count, "quick"))[0] == 201
            slowest = max(slowest, time.monotonic() - begin)
            count += 1
            samples = metrics(server.metrics_port) if count % 10 == 0 else {}
            if all(one.cut_after is not None for one in heads + bodies + strangers) and value(
                    samples, "faregate_http_connections_cut_total", waiting_for="write") >= len(readers):
                break
            time.sleep(0.05)
        for name, clients in (("head", heads), ("body", bodies), ("stranger's body", strangers)):
            times = [one.cut_after for one in clients]
            assert None not in times, f"{times.count(None)} slow with a {name} were not cut off"
            assert 1.5 < min(times) and max(times) < 7, (name, min(times), max(times))
        samples = metrics(server.metrics_port)
        for name, least in (("head", 100), ("body", 100), ("write", 5)):
            cut = value(samples, "faregate_http_connections_cut_total", waiting_for=name)
            assert cut >= least, f"{name}: {cut}"
        assert slowest < 2, f"a call beside them took {slowest:.2f} s"
        assert server.stop() == 0
        print(f"overload: 205 slow clients cut off, {count} calls beside them took at most "
              f"{slowest * 1000:.0f} ms")
    finally:
        if server.process.poll() is None:
            server.kill()


def rates(folder):
    server = Server(folder, rate_limits="bootstrap=5/10,key_free=none").start()
    try:
        answers = [ask(server.port, "GET", "/v1/plans") for _ in range(30)]
        refused = [answer for answer in answers if answer[0] == 429]
        assert 15 <= len(refused) <= 20, [answer[0] for answer in answers]
        for status, headers, data in refused:
            assert headers["retry-after"] == "1" and headers["x-should-retry"] == "true", headers
            assert headers["ratelimit"].startswith('"key";r=0;t='), headers
            assert json.loads(data)["error"]["code"] == "rate_limited"
        time.sleep(float(refused[-1][1]["retry-after"]))
        assert ask(server.port, "GET", "/v1/plans")[0] == 200
        assert value(metrics(server.metrics_port), "faregate_http_rate_limited_total") == len(refused)
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        _, headers, _ = ask(server.port, "GET", "/healthz",
                            headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        assert headers["traceparent"].startswith(f"00-{trace}-"), headers
        assert headers["traceparent"].endswith("-01") and "00f067aa0ba902b7" not in headers["traceparent"]
        for path, expected in (("/v1/plans", 404), ("/metrics", 200), ("/readyz", 200)):
            status, _, _ = ask(server.metrics_port, "GET", path, headers={"Authorization": ""})
            assert status == expected, (path, status)
        status, _, _ = ask(server.port, "GET", "/metrics", headers={"Authorization": ""})
        assert status == 401, status
        assert server.stop() == 0
        print(f"overload: of 30 requests at 5 a second {len(refused)} got 429, and after Retry-After none")
    finally:
        if server.process.poll() is None:
            server.kill()


class Loader(threading.Thread):
    """Reserves without a pause until the server is gone: what was answered, and how."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.client = server.client()
        self.prefix = f"{name}-"
        self.answers = {}

    def run(self):
        number = 0
        try:
            while True:
                status, _ = self.client.call("POST", "/v1/reservations", body(number, self.prefix))
                self.answers[f"{self.prefix}{number}"] = status
                number += 1
        except Exception:
            return


def drain(folder):
    server = Server(folder, drain_delay_seconds=1)
    server.start()
    # A log that takes a moment to read at the next start.
    filler = server.client()
    for batch in range(20):
        commands = [{"op": "reserve", **body(n, f"b{batch}-")} for n in range(50)]
        filler.json("POST", "/v1/reservations/batch", {"commands": commands})
    assert server.stop() == 0
    probe = Probe(server.known_port)
    probe.start()
    try:
        server.start()
        loaders = [Loader(server, f"l{n}") for n in range(8)]
        for loader in loaders:
            loader.start()
        time.sleep(1)
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(20)
        took = time.monotonic() - begin
        for loader in loaders:
            loader.join()
        time.sleep(0.1)
        states = probe.finish()
        assert code == 0, code
        assert took >= 0.9, f"readiness had {took:.2f} s to be noticed"
        wanted = ["starting", "healthy", "draining", "gone"]
        seen = [state for state in states if state in wanted]
        seen = seen[1:] if seen and seen[0] == "gone" else seen
        assert seen == wanted, f"readiness went {states}"
        assert "events_total" in probe.bodies["starting"], probe.bodies
        server.start()
        client = server.client()
        answers = {key: status for loader in loaders for key, status in loader.answers.items()}
        for identifier, status in answers.items():
            assert status in (201, 503), (identifier, status)
            assert exists(client, identifier) == (status == 201), (identifier, status)
        assert server.stop() == 0
        faregate.verify(server.db)
        print(f"overload: readiness went {' → '.join(seen)}; stopped under load after {took:.2f} s, "
              f"all {len(answers)} answered writes are there")
    finally:
        if server.process.poll() is None:
            server.kill()


def build_library(folder):
    library = pathlib.Path(folder) / "slow_sync.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HANG_LIBRARY), "-ldl"], check=True)
    return library


def main():
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as tools:
        library = build_library(tools)
        for step, needs in ((drain, ()), (full_queue, (library,)), (stop_twice, (library,)),
                            (stop_while_starting, (library,)), (slow_clients, ()), (rates, ())):
            with tempfile.TemporaryDirectory() as folder:
                step(folder, *needs)
    print(f"overload: {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
