#!/usr/bin/env python3
"""Checks an exported log or an increment without Faregate: python3 check_log_file.py FILE (or - for stdin).

Everything is recomputed with SHA-256 alone (RFC 6962, section 2.1). Prints size and root; ends with 1 and a
reason if anything is wrong. Compare the root with a checkpoint that you kept elsewhere.
"""
import hashlib
import json
import sys


def sha(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha(b"\x01" + left + right)


def append(peaks, size, leaf):
    """Adds a leaf to the row of perfect subtrees, the largest first."""
    while size & 1:
        leaf, size = node(peaks.pop(), leaf), size >> 1
    peaks.append(leaf)


def root_of(peaks):
    if not peaks:
        return sha(b"")
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node(peak, root)
    return root


def root_of_proof(leaf, index, size, proof):
    """RFC 9162, section 2.1.3.2."""
    last = size - 1
    for sibling in proof:
        if index & 1 or index == last:
            leaf = node(sibling, leaf)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            leaf = node(leaf, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0, "a proof has the wrong length"
    return leaf


def check(lines):
    digest, first = hashlib.sha256(), next(lines)
    header = json.loads(first)
    assert (header["format"], header["version"]) == ("faregate-log", 1), "not a log file of this version"
    base = header.get("base", {"size": 0, "peaks": []})
    size, peaks, events = base["size"], [bytes.fromhex(peak) for peak in base["peaks"]], 0
    if "base" in header:
        assert root_of(peaks).hex() == base["root"], "the base does not have its root"
    digest.update(first)
    for line in lines:
        content = json.loads(line)
        if "end" in content:
            end = content["end"]
            assert next(lines, None) is None, "something follows the last line"
            assert digest.hexdigest() == end["sha256"], "the digest is another"
            assert (events, header["size"], header["root"]) == (end["events"], end["size"], end["root"])
            if header["kind"] != "excerpt":
                assert (size, root_of(peaks).hex()) == (end["size"], end["root"]), "the root is another"
            return header, events
        digest.update(line)
        if "checkpoint" in content:
            point = content["checkpoint"]
            assert (size, root_of(peaks).hex()) == (point["size"], point["root"]), f"checkpoint {point['size']}"
            continue
        # The hash is over the bytes as they stand in the line.
        event = line[len(b'{"event":'):line.rindex(b',"leaf":"')]
        leaf, events = sha(b"\x00" + event), events + 1
        assert leaf.hex() == content["leaf"], f"event {content['event']['seq']} does not have its leaf hash"
        if header["kind"] == "excerpt":
            proof = [bytes.fromhex(step) for step in content["proof"]]
            root = root_of_proof(leaf, content["event"]["seq"] - 1, header["size"], proof)
            assert root.hex() == header["root"], f"event {content['event']['seq']} is not proven"
        else:
            append(peaks, size, leaf)
            size += 1
            assert content["event"]["seq"] == size, f"event {size} is missing"
    raise AssertionError("the file is cut short")


if __name__ == "__main__":
    source = sys.stdin.buffer if sys.argv[1] == "-" else open(sys.argv[1], "rb")
    try:
        head, count = check(iter(source))
    except (AssertionError, ValueError, KeyError, StopIteration) as error:
        sys.exit(f"{sys.argv[1]}: WRONG: {error!r}")
    print(f"{sys.argv[1]}: {count} events of {head['ledger_id']} prove to size {head['size']} root {head['root']}")
