"""A server that is killed in the middle of a stream: the hold outlives it and is charged what was expected when it
expires, and the log says why. Told to stop instead, it settles what has passed and ends in order."""

import decimal
import http.client
import http.server
import json
import pathlib
import tempfile
import threading
import time

import faregate

UPSTREAM_KEY = "sk-canary-of-the-upstream"
CHUNK = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06",
         "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}


class Endless(http.server.BaseHTTPRequestHandler):
    """A provider whose answers do not end by themselves."""

    protocol_version = "HTTP/1.1"
    gone = threading.Event()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Authorization"] == f"Bearer {UPSTREAM_KEY}"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = f"data: {json.dumps(CHUNK)}\n\n".encode()
        try:
            while True:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            Endless.gone.set()
            self.close_connection = True

    def log_message(self, *_):
        pass


def begin(port, key, customer):
    """Opens a stream and reads some of it; the connection and the id of its reservation."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = {"model": "gpt-4o", "max_tokens": 500, "stream": True,
            "messages": [{"role": "user", "content": "Say something long."}]}
    connection.request("POST", "/openai/v1/chat/completions", json.dumps(body), {
        "Authorization": f"Bearer {key}", "Content-Type": "application/json",
        "X-Faregate-Customer": customer})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    read = b""
    while read.count(b"word") < 5:
        read += response.read1(4096)
    return connection, response, response.headers["x-faregate-reservation"]


def types(client, reservation):
    return [event for event in faregate.events(client) if event.get("reservation") == reservation]


def main():
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "upstreams.json"
        path.write_text(json.dumps({"upstreams": {"openai": {
            "dialect": "openai", "base_url": f"http://127.0.0.1:{upstream.server_port}",
            "key": UPSTREAM_KEY, "hold_seconds": 60}}}))
        arguments = ["--test-clock", "--upstreams", str(path)]
        server = faregate.Server(folder, arguments=arguments).start()
        client = server.client()
        key = client.json("POST", "/v1/keys", {"role": "meter", "name": "app"})["secret"]

        _, _, killed = begin(server.port, key, "acme")
        server.kill()
        assert Endless.gone.wait(30), "the provider was not let go"
        Endless.gone.clear()

        server = faregate.Server(folder, arguments=arguments).start()
        client = server.client()
        before = client.json("GET", "/v1/customers/acme/balance")
        assert before["open_reservations"] == 1 and decimal.Decimal(before["held"]) > 0, before
        client.json("POST", "/v1/test_clock", {"advance_seconds": 61})
        after = client.json("GET", "/v1/customers/acme/balance")
        assert after["open_reservations"] == 0 and decimal.Decimal(after["held"]) == 0, after
        charge = decimal.Decimal(after["totals"]["charge"])
        assert charge > 0, after
        told = types(client, killed)
        assert [event["type"] for event in told] == ["usage.reserved", "usage.expired"], told
        assert told[1]["data"]["policy"] == "charge", told[1]
        assert decimal.Decimal(told[1]["data"]["provisional"]["charge"]) == charge, told[1]

        connection, response, stopped = begin(server.port, key, "globex")
        started = time.monotonic()
        ending = threading.Thread(target=server.stop)
        ending.start()
        tail = response.read()
        ending.join(60)
        assert server.process.poll() == 0, server.process.poll()
        assert b"shutting_down" in tail, tail[-500:]
        assert time.monotonic() - started < 40
        connection.close()
        faregate.verify(server.db)

        server = faregate.Server(folder, arguments=arguments).start()
        told = types(server.client(), stopped)
        assert told[-1]["type"] == "usage.settled", told
        assert told[-1]["data"]["rated"]["marks"] == ["usage_estimated"], told[-1]
        assert server.stop() == 0
        for file in (folder / "server.log", server.db):
            assert UPSTREAM_KEY.encode() not in file.read_bytes(), file
        assert b"word word" not in (folder / "server.log").read_bytes()
    print(f"gateway killed: {charge} charged by expiry; stopped: settled by what had passed")


if __name__ == "__main__":
    main()
