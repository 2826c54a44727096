"""What README.md, docs/api-by-example.md and docs/stripe.md say is what happens.

Every shell block after a line `<!-- run -->` is run, in order, in one shell for each document, against
a fresh server. `<!-- run exits 3 -->` says how the block's last command ends, if not with 0. Where a
block marked `<!-- answer -->` follows, it is compared with what was printed:

- ```json: with the last JSON document printed. Only the fields shown count. A string may hold … (or
  ...) for whatever is there; a list that ends with "…" may go on, other lists have just the items
  shown.
- ```text: its lines appear among the printed ones, in this order. … stands for anything within a
  line, a line of … for any lines, and runs of blanks count as one.

The commands find the server in FAREGATE_URL and FAREGATE_KEY, and the program as `faregate`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

import faregate
import stripe_account

# Each document with the arguments that it tells its reader to start the server with.
DOCUMENTS = [
    ("README.md", []), ("docs/api-by-example.md", ["--test-clock"]),
    ("docs/stripe.md", ["--test-clock"])]
MARK = re.compile(r"^<!-- (run|answer)(?: exits (\d+))? -->$")
# Where the reader sets these, the values are the test's own.
SETTING = re.compile(r"^\s*(export|alias) .*$")


@dataclass
class Block:
    """One shell block and the answer shown below it."""

    line: int
    script: str
    exits: int
    answer: str | None = None
    answer_line: int = 0
    answer_kind: str = ""
    output: str = field(default="", compare=False)


def blocks(text, kinds=("sh", "bash")):
    """The marked blocks of a document, in order."""
    found, pending, lines = [], None, text.splitlines()
    index = 0
    while index < len(lines):
        mark = MARK.match(lines[index])
        if mark:
            pending = mark
        elif lines[index].startswith("```"):
            end = lines.index("```", index + 1)
            body, kind = "\n".join(lines[index + 1:end]), lines[index][3:]
            if pending and pending[1] == "run":
                assert kind in kinds, f"line {index + 1}: a run block is one of {kinds}"
                found.append(Block(index + 1, body, int(pending[2] or 0)))
            elif pending:
                assert found and found[-1].answer is None, f"line {index + 1}: an answer to what?"
                assert kind in ("json", "text"), f"line {index + 1}: an answer is json or text"
                found[-1].answer, found[-1].answer_line, found[-1].answer_kind = body, index + 1, kind
            pending, index = None, end
        elif lines[index].strip():
            assert not pending, f"line {index}: a mark stands right above its block"
        index += 1
    return found


def run(name, found, arguments):
    """Runs a document's blocks against a server of its own; fills in what they print."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        stripe, for_stripe = None, {}
        if name == "docs/stripe.md":
            stripe = stripe_account.StripeAccount(folder, ["--clock", "2026-12-01T00:00:00Z"]).start()
            for_stripe = stripe.environment
        server = faregate.Server(folder, arguments=arguments, environment=for_stripe).start()
        if stripe:
            stripe.control(endpoint=stripe.endpoint(server.port))
        try:
            script = ['faregate() { "$FAREGATE_BINARY" "$@"; }']
            for index, block in enumerate(found):
                body = "\n".join(
                    ":" if SETTING.match(line) else line for line in block.script.splitlines())
                script.append(
                    f'{{\n{body}\n}} >"$OUT/{index}.out" 2>"$OUT/{index}.err" </dev/null\n'
                    f'echo $? >"$OUT/{index}.status"')
            (folder / "work").mkdir()
            environment = {
                **os.environ, **for_stripe, "FAREGATE_BINARY": str(pathlib.Path(faregate.BINARY).resolve()),
                "FAREGATE_URL": f"http://127.0.0.1:{server.port}",
                "FAREGATE_KEY": faregate.ADMIN_KEY, "OUT": str(folder), "COLUMNS": "200"}
            done = subprocess.run(
                ["bash"], input="\n".join(script), text=True, env=environment,
                cwd=folder / "work", capture_output=True, timeout=300)
            assert done.returncode == 0, f"{name}: the shell failed: {done.stderr}"
            for index, block in enumerate(found):
                errors = (folder / f"{index}.err").read_text()
                block.output = (folder / f"{index}.out").read_text()
                status = int((folder / f"{index}.status").read_text())
                assert status == block.exits, (
                    f"{name}:{block.line}: ended with {status}, not {block.exits}:\n"
                    f"{block.script}\n{block.output}{errors}")
        finally:
            server.stop()
            if stripe:
                stripe.stop()


def last_json(text):
    """The last of the JSON documents in `text`."""
    decoder, position, value = json.JSONDecoder(), 0, None
    while position < len(text):
        if text[position].isspace():
            position += 1
        else:
            value, position = decoder.raw_decode(text, position)
    return value


def pattern(shown):
    """Matches what `shown` stands for, with … for anything."""
    parts = re.split(r"…|\.\.\.", shown)
    return re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)


def differences(shown, actual, path="answer"):
    """Where `actual` is not what is `shown`, field by field."""
    if isinstance(shown, str) and ("…" in shown or "..." in shown):
        if shown in ("…", "..."):
            return
        if not isinstance(actual, str) or not pattern(shown).fullmatch(actual):
            yield f"{path} is {json.dumps(actual, ensure_ascii=False)}, shown as {shown!r}"
    elif isinstance(shown, dict) and isinstance(actual, dict):
        for key, value in shown.items():
            if key in actual:
                yield from differences(value, actual[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is shown but not there"
    elif isinstance(shown, list) and isinstance(actual, list):
        goes_on = bool(shown) and shown[-1] in ("…", "...")
        items = shown[:-1] if goes_on else shown
        if len(actual) < len(items) or (len(actual) > len(items) and not goes_on):
            yield f"{path} has {len(actual)} items, {len(items)} are shown"
        for index, (value, other) in enumerate(zip(items, actual)):
            yield from differences(value, other, f"{path}[{index}]")
    elif type(shown) is not type(actual) or shown != actual:
        yield f"{path} is {json.dumps(actual, ensure_ascii=False)}, shown as {json.dumps(shown)}"


def missing_lines(shown, actual):
    """Lines that are shown and not printed, or not in this order."""
    printed = iter([" ".join(line.split()) for line in actual.splitlines()])
    for line in shown.splitlines():
        line = " ".join(line.split())
        if line in ("", "…", "..."):
            continue
        if not any(pattern(line).fullmatch(candidate) for candidate in printed):
            yield f"{line!r} was not printed (here)"
            return


def check(name, arguments):
    """All that is wrong with a document, as text; and how many blocks it has."""
    found = blocks((faregate.ROOT / name).read_text())
    assert found, f"{name}: nothing to run"
    run(name, found, arguments)
    wrong = []
    for block in found:
        if block.answer is None:
            # What is not shown must at least not have failed.
            if '"error":{' in block.output:
                wrong.append(f"{name}:{block.line}: an error: {block.output.strip()}")
            continue
        if block.answer_kind == "json":
            found_here = list(differences(json.loads(block.answer), last_json(block.output)))
        else:
            found_here = list(missing_lines(block.answer, block.output))
        if found_here:
            wrong.append(
                f"{name}:{block.answer_line}: " + "; ".join(found_here)
                + f"\n    printed: {block.output.strip()[:3000]}")
    return wrong, len(found), sum(block.answer is not None for block in found)


def main():
    failed = False
    for name, arguments in DOCUMENTS:
        wrong, count, answers = check(name, arguments)
        for problem in wrong:
            print(problem, file=sys.stderr)
        failed = failed or bool(wrong)
        print(f"{name}: {count} blocks run, {answers} answers compared, {len(wrong)} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
