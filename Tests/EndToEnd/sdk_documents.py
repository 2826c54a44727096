"""What docs/sdk says is what happens.

Every Python block after a line `<!-- run -->` is run, in order, in one interpreter for each page, against a
gateway with the simulated provider behind it; a text block after `<!-- answer -->` is compared with what
was printed, as in documents.py. The address and the key that the pages show are replaced by the test's
own. `cus_broke` has a budget that nothing fits into; all others have none.
"""

import pathlib
import subprocess
import sys
import tempfile

import documents
import faregate
import gateway

PAGES = sorted(
    page for page in (faregate.ROOT / "docs/sdk").glob("*.md")
    if page.name not in ("README.md", "vercel-ai-sdk.md"))
BETWEEN = "----- the next block -----"


def run(world, found):
    """Runs a page's blocks; fills in what they print."""
    script = ""
    for block in found:
        body = block.script.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{world.server.port}")
        body = body.replace("fg_…", world.key)
        assert body != block.script or "base_url" not in body
        script += f"{body}\nprint({BETWEEN!r}, flush=True)\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True,
        timeout=120)
    outputs = done.stdout.split(BETWEEN + "\n")
    for block, output in zip(found, outputs):
        block.output = output
    if done.returncode:
        failed = found[min(len(outputs), len(found)) - 1]
        yield f"line {failed.line}: {done.stderr.strip()[-2000:]}"


def check(world, page):
    found = documents.blocks(page.read_text(), kinds=("python",))
    assert found, f"{page.name}: nothing to run"
    yield from run(world, found)
    for block in found:
        if block.answer is not None:
            for problem in documents.missing_lines(block.answer, block.output):
                yield f"line {block.answer_line}: {problem}; printed: {block.output.strip()!r}"


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        with gateway.Gateway(pathlib.Path(folder)) as world:
            world.client.json("POST", "/v1/budgets", {
                "id": "broke", "name": "broke", "match": {"customer": "cus_broke"},
                "per": ["customer"], "measure": "charge", "window": "lifetime",
                "amount": "0.000000001"})
            for page in PAGES:
                wrong = list(check(world, page))
                for problem in wrong:
                    print(f"docs/sdk/{page.name}: {problem}", file=sys.stderr)
                failed = failed or bool(wrong)
                print(f"docs/sdk/{page.name}: {'wrong' if wrong else 'as it says'}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
