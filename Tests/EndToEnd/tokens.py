"""The tokenizers give the ids that OpenAI's tiktoken gives.

    python3 Tests/EndToEnd/tokens.py          (needs tiktoken)

tiktoken would fetch its rank files. Here its `Encoding` is made from the committed tables, turned back into
what OpenAI publishes and compared by SHA-256, and from the patterns that come with it.

Compared: 10,000 varied texts (FAREGATE_TOKEN_TEXTS sets another number), this repository's own files, and long
rows that are hard to merge; ids, counts, and the way back.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/TokenizersTests"))
import make_tables  # noqa: E402
import token_texts  # noqa: E402

BINARY = os.environ.get("FAREGATE_BINARY", str(ROOT / ".build/debug/faregate"))
TEXTS = int(os.environ.get("FAREGATE_TOKEN_TEXTS", "10000"))
# tiktoken's regular expressions take stack, or give up, where a run is very long: the pieces of longer runs
# are compared in the long words, which are one piece.
LONGEST_RUN = 20_000


def tiktoken_encoding(name):
    """tiktoken with the committed ranks and its own pattern."""
    import tiktoken
    from tiktoken_ext import openai_public

    tokens = make_tables.unpacked((make_tables.TABLES / f"{name}.ranks").read_bytes())
    ranks = {token: rank for rank, token in enumerate(tokens)}
    openai_public.load_tiktoken_bpe = lambda *_, **__: ranks
    return tiktoken.Encoding(**getattr(openai_public, name)())


def ask(command, encoding, documents):
    """One answer a line from `faregate tokens COMMAND --lines`."""
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    result = subprocess.run(
        [BINARY, "tokens", command, "--lines", "--encoding", encoding], input=lines.encode(),
        stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def compare(encoding, texts):
    name = encoding.name
    documents = [{"hex": text.hex()} for text in texts]
    encoded = ask("encode", name, documents)
    assert len(encoded) == len(texts), f"{name}: an answer is missing"
    for text, ids in zip(texts, encoded):
        seen = text.decode("utf-8", "replace")
        expected = encoding.encode_ordinary(seen)
        if ids["ids"] != expected:
            place = next((i for i, (a, b) in enumerate(zip(ids["ids"], expected)) if a != b), -1)
            raise AssertionError(
                f"{name}: {text[:200].hex()}… ({len(text)} bytes): from token {place} on "
                f"{ids['ids'][place:place + 5]} instead of {expected[place:place + 5]}")
    return documents, encoded


def compare_more(encoding, texts):
    """The counts, too, and the way back."""
    name = encoding.name
    documents, encoded = compare(encoding, texts)
    counted = ask("count", name, documents)
    for ids, count in zip(encoded, counted, strict=True):
        assert count["tokens"] == count["bound"] == len(ids["ids"]), f"{name}: {count}"
    decoded = ask("decode", name, encoded)
    for text, answer in zip(texts, decoded, strict=True):
        seen = text.decode("utf-8", "replace")
        assert answer.get("text") == seen, f"{name}: decoded to {str(answer)[:200]} instead of {seen[:200]!r}"


def hard():
    """Rows in which merging has most to do. (Blanks and symbols shorter: see LONGEST_RUN.)"""
    texts = [b"a" * 100_000, b"ab" * 40_000, "é".encode() * 40_000, "中".encode() * 30_000, "😀".encode() * 2_000]
    texts += [character * LONGEST_RUN for character in (b" ", b"=", b"\n", b"-", b"/", b"0")]
    generator = token_texts.Texts(seed=5)
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    texts.append("".join(generator.random.choice(alphabet) for _ in range(60_000)).encode())
    texts.append("".join(generator.random.choice("ab") for _ in range(60_000)).encode())
    return texts


def main():
    for name in make_tables.PUBLISHED:
        make_tables.check(name)
    make_tables.main(["--check-classes"])
    generator = token_texts.Texts(seed=int(os.environ.get("FAREGATE_TOKEN_SEED", "1")))
    texts = [generator.next() for _ in range(TEXTS)]
    files = [text.encode() for text in token_texts.sources()]
    rows = hard()
    for name in make_tables.PUBLISHED:
        encoding = tiktoken_encoding(name)
        compare_more(encoding, texts)
        compare(encoding, files)
        compare_more(encoding, rows)
        print(
            f"{name}: {len(texts):,} texts, {len(files):,} files of {sum(map(len, files)):,} bytes, "
            f"{len(rows)} hard rows: as tiktoken")


if __name__ == "__main__":
    main()
