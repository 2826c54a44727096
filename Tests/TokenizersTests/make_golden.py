"""Makes fixtures/tokens/golden.tsv: texts and the ids that OpenAI's tiktoken gives them.

    python3 Tests/TokenizersTests/make_golden.py        (needs tiktoken)

One text a line: its bytes in hexadecimal, a tab, its ids in o200k_base, a tab, its ids in cl100k_base, ids
separated by blanks. Bytes that are no UTF-8 are decoded with errors="replace" before, as whoever calls
tiktoken from Python has to do.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))
import token_texts  # noqa: E402
import tokens  # noqa: E402

TEXTS = 900
LONGEST = 200


def main() -> None:
    encodings = [tokens.tiktoken_encoding(name) for name in ("o200k_base", "cl100k_base")]
    texts = token_texts.Texts(seed=4)
    kept = [text.encode() for text in token_texts.LANGUAGES.values()] + [b""]
    while len(kept) < TEXTS:
        text = texts.next()
        if len(text) <= LONGEST:
            kept.append(text)
    # A few long ones, for what is merged in stretches.
    kept += [b"a" * 1000, b" " * 700 + b"x", b"=" * 600, b"ab" * 500, "中".encode() * 300, texts.word().encode() * 3]
    lines = []
    for text in kept:
        ids = [e.encode_ordinary(text.decode("utf-8", "replace")) for e in encodings]
        lines.append("\t".join([text.hex()] + [" ".join(map(str, row)) for row in ids]) + "\n")
    path = ROOT / "fixtures/tokens/golden.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines))
    print(f"{path.relative_to(ROOT)}: {len(lines):,} texts, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
