"""Makes the tables in Sources/CTokenRanks from what OpenAI publishes, or checks those that are there.

    python3 Tests/TokenizersTests/make_tables.py o200k_base.tiktoken cl100k_base.tiktoken
    python3 Tests/TokenizersTests/make_tables.py --check
    python3 Tests/TokenizersTests/make_tables.py --classes          (needs tiktoken)
    python3 Tests/TokenizersTests/make_tables.py --check-classes    (needs tiktoken)

The published files are https://openaipublic.blob.core.windows.net/encodings/NAME.tiktoken (also taken
with gzip); their SHA-256 are below. Each of their lines is a token in base64, a space, and its rank; the
ranks count up from nought. NAME.ranks holds the same without the text around it:

    count        4 bytes, little-endian
    lengths      one byte a token, in the order of ranks
    bytes        the tokens one after the other, in the order of ranks

`--check` writes the published text from that form and compares its SHA-256: nothing is lost or changed.

classes.bin says which class of the two published patterns each code point belongs to. It is asked of
tiktoken itself, because what counts is the version of Unicode inside its regular expressions (16.0 in
tiktoken 0.14.0), not that of Python or Swift: runs of equal class, 4 bytes each, little-endian, the first
code point times 256 plus the class, a sum of the bits in CLASSES.
"""

import base64
import gzip
import hashlib
import pathlib
import struct
import sys

TABLES = pathlib.Path(__file__).resolve().parents[2] / "Sources/CTokenRanks"
PUBLISHED = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
CLASSES = {
    r"[\p{Lu}\p{Lt}]": 1,
    r"\p{Ll}": 2,
    r"[\p{Lm}\p{Lo}]": 4,
    r"\p{M}": 8,
    r"\p{N}": 16,
    r"\s": 32,
    r"[\r\n]": 64,
}


def packed(text: bytes) -> bytes:
    tokens = []
    for rank, line in enumerate(text.splitlines()):
        token, number = line.split(b" ")
        if int(number) != rank:
            raise SystemExit(f"rank {number} where {rank} is due")
        tokens.append(base64.b64decode(token, validate=True))
    lengths = bytes(len(token) for token in tokens)
    return struct.pack("<I", len(tokens)) + lengths + b"".join(tokens)


def unpacked(data: bytes) -> list[bytes]:
    """The tokens of a .ranks file, in the order of ranks."""
    (count,) = struct.unpack_from("<I", data)
    lengths, place, tokens = data[4 : 4 + count], 4 + count, []
    for length in lengths:
        tokens.append(data[place : place + length])
        place += length
    if place != len(data) or len(lengths) != count:
        raise SystemExit("the table has another length than it says")
    return tokens


def published(tokens: list[bytes]) -> bytes:
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def check(name: str) -> None:
    tokens = unpacked((TABLES / f"{name}.ranks").read_bytes())
    text = published(tokens)
    if hashlib.sha256(text).hexdigest() != PUBLISHED[name]:
        raise SystemExit(f"{name}.ranks is not what OpenAI publishes")
    print(f"{name}.ranks: {len(tokens):,} tokens, as published")


def make(path: pathlib.Path) -> None:
    text = path.read_bytes()
    if path.suffix == ".gz":
        text = gzip.decompress(text)
    digest = hashlib.sha256(text).hexdigest()
    names = [name for name, known in PUBLISHED.items() if known == digest]
    if not names:
        raise SystemExit(f"{path} has SHA-256 {digest}, which is neither of the two published files")
    (TABLES / f"{names[0]}.ranks").write_bytes(packed(text))
    check(names[0])


def classes() -> bytes:
    """What tiktoken's own patterns say of every code point: text that does not match gives no token."""
    import tiktoken

    found = bytearray(0x110000)
    every = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for pattern, bit in CLASSES.items():
        encoding = tiktoken.Encoding(
            "class", pat_str=pattern, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={}
        )
        for start in range(0, len(every), 64):
            text = "".join(map(chr, every[start : start + 64]))
            for character in bytes(encoding.encode_ordinary(text)).decode():
                found[ord(character)] |= bit
    runs = [c for c in range(0x110000) if c == 0 or found[c] != found[c - 1]]
    return b"".join(struct.pack("<I", c << 8 | found[c]) for c in runs)


def main(arguments: list[str]) -> None:
    if arguments == ["--check"]:
        for name in PUBLISHED:
            check(name)
    elif arguments == ["--classes"]:
        (TABLES / "classes.bin").write_bytes(classes())
    elif arguments == ["--check-classes"]:
        if (TABLES / "classes.bin").read_bytes() != classes():
            raise SystemExit("classes.bin is not what tiktoken says")
        print("classes.bin: as tiktoken says")
    elif arguments and not arguments[0].startswith("-"):
        for path in arguments:
            make(pathlib.Path(path))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
