"""The tokenizers beside OpenAI's tiktoken and GitHub's bpe-openai, on the same texts in one run, on one core.

    make bench-tokens

Each figure is megabytes of text a second of processor time, the median of ROUNDS. tiktoken has no counting of its
own: whoever counts with it encodes. Its own regular expressions fail on a megabyte of blanks with o200k_base.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In place of this folder, whose http.py would be taken for the library's.
sys.path[0] = str(ROOT / "Tests/EndToEnd")
import tokens  # noqa: E402

OURS = ROOT / ".build/release/FaregateBenchmarks"
ROUNDS = 5


def speed(text, size, encode):
    """Megabytes a second and the number of tokens; None where it gives up."""
    speeds, count = [], 0
    for _ in range(ROUNDS):
        start, rounds = time.process_time(), 0
        while rounds == 0 or time.process_time() - start < 0.1:
            try:
                result = encode(text)
            except BaseException as error:  # A panic of Rust is no Exception.
                if isinstance(error, KeyboardInterrupt):
                    raise
                return None
            rounds += 1
        speeds.append(size * rounds / 1e6 / (time.process_time() - start))
        count = result if isinstance(result, int) else len(result)
    return statistics.median(speeds), count


def main():
    from bpe_openai import _bindings

    rows = [["text", "", "ours count", "encode", "tiktoken encode", "bpe-openai count", "encode", "tokens"]]
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run(
            [str(OURS), "--part", "tokens", "--dir", folder], cwd=ROOT, check=True, capture_output=True, text=True)
        print(output.stderr, end="", file=sys.stderr)
        ours = {(row[0], row[1]): row[3:] for row in map(str.split, output.stdout.splitlines()[1:])}
        for (encoding, name), (count, counting, encoding_speed) in sorted(ours.items()):
            text = (pathlib.Path(folder) / f"{name}.txt").read_text()
            size = len(text.encode())
            theirs = [
                speed(text, size, tokens.tiktoken_encoding(encoding)._core_bpe.encode_ordinary),
                speed(text, size, _bindings.tokenizer_for_encoding(encoding).count),
                speed(text, size, _bindings.tokenizer_for_encoding(encoding).encode),
            ]
            for other in theirs:
                if other and other[1] != int(count):
                    raise SystemExit(f"{encoding} {name}: {count} tokens here, {other[1]} there")
            shown = [f"{other[0]:.1f}" if other else "fails" for other in theirs]
            rows.append([name, encoding, counting, encoding_speed, *shown, count])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))


if __name__ == "__main__":
    main()
