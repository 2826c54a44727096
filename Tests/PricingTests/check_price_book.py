#!/usr/bin/env python3
"""Checks the built-in price book against its JSON Schema, and damaged copies of it too.

Usage: python3 Tests/PricingTests/check_price_book.py   (needs `jsonschema`)
"""

import copy
import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOK = ROOT / "Sources/CEmbedded/prices-2026-11.json"
SCHEMA = ROOT / "schemas/price-book.schema.json"

# What the schema must refuse: changes to one good entry.
DAMAGES = {
    "a price as a number": {"rates": {"input": 2.5, "output": "10"}},
    "an exponent": {"rates": {"input": "2e1", "output": "10"}},
    "a negative price": {"rates": {"input": "-1", "output": "10"}},
    "a seventh place": {"rates": {"input": "0.0000001", "output": "10"}},
    "an unknown unit": {"rates": {"inputs": "1"}},
    "an unknown tier": {"rates": {"input@fast": "1"}},
    "a threshold of zero": {"rates": {"input>0": "1"}},
    "a misspelt member": {"max_outptu": 5},
    "a maximum of zero": {"max_output": 0},
    "an alias with rates": {"alias_of": "other"},
    "the reserved card": {"card": "ceiling"},
    "a date in words": {"deprecation_date": "soon"},
}


def main() -> int:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    text = BOOK.read_text()
    book = json.loads(text)
    faults = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(book)]

    names = [entry["model"] for entry in book["models"]]
    if names != sorted(names) or len(names) != len(set(names)):
        faults.append("models are not sorted, or one is there twice")
    used = {entry["source"] for entry in book["models"] if "source" in entry}
    if used != set(book["sources"]):
        faults.append("sources without a model, or models with an unknown source")
    lines = [line for line in text.splitlines() if line.startswith('{"model":')]
    if len(lines) != len(names):
        faults.append("not one model a line")

    small = {**book, "models": [book["models"][names.index("gpt-4o")]]}
    if not validator.is_valid(small):
        faults.append("one good entry alone is refused")
    for damage, members in DAMAGES.items():
        damaged = copy.deepcopy(small)
        damaged["models"][0].update(members)
        if validator.is_valid(damaged):
            faults.append(f"the schema lets pass: {damage}")

    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    print(f"{len(names)} models, {len(used)} sources, {len(DAMAGES)} damages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
