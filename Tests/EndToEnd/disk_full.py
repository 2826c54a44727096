"""A full disk: a clear 503, nothing acknowledged lost, recovery without hand work.

The ledger lies on a small file system of its own (tmpfs). Where mounting is not allowed, a limit on the size
of the server's files does the same.
"""

import json
import pathlib
import resource
import subprocess
import tempfile
import time

import faregate


def fill(server, client, told, limit=200_000):
    """Reserves until the disk is full; the refusal."""
    for number in range(limit):
        body = {"id": f"r{number}", "customer": "c", "model": "gpt-4o", "amount": "0.001"}
        status, data = client.call("POST", "/v1/reservations", body)
        if status == 201:
            told.append((body, data))
        else:
            return status, json.loads(data)
    raise AssertionError("the disk never filled")


def check(server, client, told, make_room):
    status, refusal = fill(server, client, told)
    assert status == 503, f"{status} {refusal}"
    assert refusal["error"]["code"] == "store_unavailable", refusal
    assert client.call("GET", "/v1/customers/c/balance")[0] == 200, "reads must go on"
    assert client.call("GET", "/readyz")[0] == 503, "a server that cannot write is not ready"
    make_room()
    end = time.monotonic() + 20
    while True:
        body = {"id": "after", "customer": "c", "model": "gpt-4o", "amount": "0.001"}
        status, data = client.call("POST", "/v1/reservations", body)
        if status == 201:
            break
        assert status == 503 and time.monotonic() < end, f"no recovery: {status} {data!r}"
        time.sleep(0.1)
    for body, data in told:
        again = client.call("POST", "/v1/reservations", body)
        assert again == (201, data), f"{body['id']} was told {data!r}, is told {again!r}"


def on_small_file_system(folder):
    mount = pathlib.Path(folder) / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], capture_output=True)
    if done.returncode != 0:
        return False
    ballast = mount / "ballast"
    server = faregate.Server(folder, db=mount / "ledger.db")
    try:
        server.start()
        ballast.write_bytes(b"\0" * (8 << 20))
        told = []
        check(server, server.client(), told, ballast.unlink)
        assert server.stop() == 0
        report = faregate.verify(server.db)
        print(f"disk full: {len(told)} acknowledged, 503 store_unavailable, recovered by itself, "
              f"verify clean over {report['sequence']} events (small file system)")
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        subprocess.run(["umount", str(mount)], check=True)
    return True


def on_file_size_limit(folder):
    limit = 12 << 20
    server = faregate.Server(folder, preexec=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))
    server.start()
    told = []
    check(server, server.client(), told, lambda: resource.prlimit(
        server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    assert server.stop() == 0
    report = faregate.verify(server.db)
    print(f"disk full: {len(told)} acknowledged, 503 store_unavailable, recovered by itself, "
          f"verify clean over {report['sequence']} events (file-size limit)")


def main():
    with tempfile.TemporaryDirectory() as folder:
        if on_small_file_system(folder):
            return
    with tempfile.TemporaryDirectory() as folder:
        on_file_size_limit(folder)


if __name__ == "__main__":
    main()
