"""Backups of a served ledger: full, increments, over HTTP; restored elsewhere, verified, served on; kill -9 midway.

Callers reserve and settle all the time. What is restored is compared with the original row by row.
"""

import json
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import faregate

SEED = 20261124


class Load(threading.Thread):
    """Reserves and settles until it is told to stop."""

    def __init__(self, server, name):
        super().__init__()
        self.server, self.name, self.stopping, self.error = server, name, False, None
        self.choice = random.Random(f"{SEED}-{name}")
        self.calls = 0

    def run(self):
        try:
            client = self.server.client()
            while not self.stopping:
                self.calls += 1
                name = f"{self.name}-{self.calls}"
                client.json("POST", "/v1/reservations", {
                    "id": name, "customer": f"customer-{self.choice.randrange(8)}", "model": "gpt-4o",
                    "usage_estimate": {"input_tokens": 1000, "max_output_tokens": 500}})
                client.json("POST", f"/v1/reservations/{name}/settle", {
                    "usage": {"input_tokens": 900, "output_tokens": self.choice.randrange(500)}})
        except Exception as error:  # reported by the main thread
            self.error = error


def run(*arguments, expect=0, url=None):
    environment = {"PATH": "/usr/bin:/bin"}
    if url:
        environment |= {"FAREGATE_URL": url, "FAREGATE_KEY": faregate.ADMIN_KEY}
    done = subprocess.run(
        [faregate.BINARY, *map(str, arguments)], capture_output=True, text=True, env=environment)
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr


def rows(path, size):
    """What a ledger says up to a checkpoint, as bytes."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [connection.execute(sql, (size,)).fetchall() for sql in (
            "SELECT seq, body FROM events WHERE seq <= ? ORDER BY seq",
            "SELECT size, root, time_us FROM checkpoints WHERE size <= ? ORDER BY size",
            "SELECT level, idx, hash FROM merkle_nodes WHERE (idx + 1) << level <= ? ORDER BY level, idx",
            "SELECT ledger_id, currency, test_clock, created_us FROM ledger WHERE id <= ?")]
    finally:
        connection.close()


def check_python(path):
    script = faregate.ROOT / "docs/operating/check_log_file.py"
    done = subprocess.run([sys.executable, script, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kill_midway(arguments, target, kills):
    """Kills the command at random instants of its run; the target is there whole or not at all.

    Returns how often it was there, and how often a partial file was left."""
    start = time.monotonic()
    run(*arguments)
    takes = time.monotonic() - start
    target.unlink()
    choice, finished, partial = random.Random(SEED), 0, 0
    for number in range(kills):
        process = subprocess.Popen(
            [faregate.BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if number > 0:  # the first is let finish
            time.sleep(takes * choice.uniform(0.3, 1.1))
            process.send_signal(signal.SIGKILL)
        process.wait()
        partial += target.with_name(target.name + ".partial").exists()
        if target.exists():
            run("restore", target, "--preview", "--json")
            finished += 1
            target.unlink()
    assert finished > 0, "not even the first attempt, which was not killed"
    return finished, partial


def refusals(folder, base, first, second):
    """Everything that must not be restored, and the word that its message must have."""
    torn = folder / "torn.jsonl"
    torn.write_bytes(first.read_bytes()[:-200])
    changed = folder / "changed.db"
    data = bytearray(base.read_bytes())
    place = data.rindex(b'"customer-')
    data[place + 2] ^= 1
    changed.write_bytes(data)
    short = folder / "short.db"
    short.write_bytes(base.read_bytes()[:20_000])
    other = faregate.Server(folder, db=folder / "other.db").start()
    other.stop()
    for files, word in (
            ((torn,), "needed"), ((base, torn), "torn.jsonl"), ((changed,), "changed.db"),
            ((short,), "short.db"), ((base, second), "missing"), ((folder / "other.db", first), "ledger"),
            ((pathlib.Path(__file__),), "neither")):
        said = run("restore", *files, "--to", folder / "never.db", expect=1)
        assert word in said, f"{word} is not in: {said}"
        assert not (folder / "never.db").exists()
        assert not (folder / "never.db.partial").exists()


def main():
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = faregate.Server(folder).start()
        url = f"http://127.0.0.1:{server.port}"
        callers = [Load(server, f"c{n}") for n in range(4)]
        for caller in callers:
            caller.start()
        time.sleep(1.5)

        base, first, second = folder / "base.db", folder / "one.jsonl", folder / "two.jsonl"
        full = run("backup", "--db", server.db, "--to", base, "--json")
        assert full["verified"] and full["checkpoint"]["size"] > 100
        time.sleep(0.5)
        run("backup", "--db", server.db, "--since", base, "--to", first, "--json")
        time.sleep(0.5)
        run("backup", "--since", first, "--to", second, "--json", url=url)
        over_http = run("backup", "--to", folder / "http.db", "--json", url=url)
        run("backup", "--db", server.db, "--to", base, expect=1)
        killed = kill_midway(
            ["backup", "--db", server.db, "--to", folder / "killed.db", "--force"], folder / "killed.db", 12)
        for caller in callers:
            caller.stopping = True
        for caller in callers:
            caller.join()
            assert caller.error is None, caller.error
        exported = folder / "log.jsonl"
        run("export", "--db", server.db, "--output", exported)
        run("export", "--db", server.db, "--customer", "customer-1", "--output", folder / "part.jsonl")
        run("export", "--db", server.db, "--from", 300, "--to", 400, "--output", folder / "range.jsonl")
        assert server.stop() == 0

        checked = [check_python(folder / file) for file in (
            "log.jsonl", "part.jsonl", "range.jsonl", "one.jsonl", "two.jsonl")]
        refusals(folder, base, first, second)

        # Restored elsewhere: the same rows as the original up to the backup's checkpoint.
        preview = run("restore", second, base, first, "--preview", "--json")
        restored = folder / "restored.db"
        done = run("restore", second, base, first, "--to", restored, "--json")
        size = done["checkpoint"]["size"]
        assert preview["checkpoint"] == done["checkpoint"] and done["customers"] == 8, done
        assert rows(restored, size) == rows(server.db, size)
        assert rows(folder / "http.db", over_http["checkpoint"]["size"]) == rows(
            server.db, over_http["checkpoint"]["size"])
        imported = run("import", exported, "--db", folder / "imported.db", "--json")
        everything = faregate.verify(server.db)
        assert imported["checkpoint"]["root"] == everything["root"]
        report = faregate.verify(restored)
        assert report["root"] == done["checkpoint"]["root"]

        # It goes on: the ids of before are known, new calls are taken, and it verifies.
        again = faregate.Server(folder, db=restored).start()
        client = again.client()
        client.json("POST", "/v1/usage", {
            "id": "after-restore", "customer": "customer-1", "model": "gpt-4o",
            "usage": {"input_tokens": 10, "output_tokens": 10}})
        assert again.stop() == 0
        assert faregate.verify(restored)["sequence"] > size

        # A restore over a ledger needs --force, and is refused while that is served.
        run("restore", base, "--to", restored, expect=1)
        restore_killed = kill_midway(
            ["restore", base, first, "--to", folder / "killed2.db", "--force"], folder / "killed2.db", 8)
        again.start()
        said = run("restore", base, "--to", restored, "--force", expect=5)
        assert "in use" in said, said
        assert again.stop() == 0
        run("restore", base, "--to", restored, "--force", "--json")
        assert faregate.verify(restored)["root"] == full["checkpoint"]["root"]
        fork(folder, restored, server.db, base)
    calls = sum(caller.calls for caller in callers)
    print(f"backup: {calls} calls under load; full, 2 increments and HTTP restored row for row at {size} events; "
          f"{len(checked)} files proven by Python; 18 kills ({killed[0] + restore_killed[0] - 2} came too late, "
          f"{killed[1] + restore_killed[1]} left a .partial), nothing half "
          f"({time.monotonic() - started:.0f} s)")


def fork(folder, restored, original, base):
    """Two ledgers that went apart after the same base do not fit together."""
    apart = faregate.Server(folder, db=restored).start()
    apart.client().json("POST", "/v1/customers", {"id": "only-here"})
    assert apart.stop() == 0
    increment = folder / "apart.jsonl"
    run("backup", "--db", restored, "--since", base, "--to", increment)
    run("restore", base, increment, "--preview")
    later = folder / "later.db"
    run("backup", "--db", original, "--to", later)
    size = run("restore", base, increment, "--preview", "--json")["checkpoint"]["size"]
    client = apart.start().client()
    client.json("POST", "/v1/customers", {"id": "and-here"})
    assert apart.stop() == 0
    run("backup", "--db", restored, "--since", size, "--to", folder / "apart2.jsonl")
    said = run("restore", later, folder / "apart2.jsonl", "--to", folder / "never.db", expect=1)
    assert "another history" in said and "apart2.jsonl" in said, said


if __name__ == "__main__":
    main()
