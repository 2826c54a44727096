#!/usr/bin/env python3
"""Validates stored events against schemas/events/.

    validate_events.py FILE...

Each line of each file is one event. An event's schema is the one of its type and version. Prints every
violation with its place, then how many events of each type were seen. Exit status: 0 when all events
are valid, 1 when one is not, 2 when there is nothing to validate. Needs PyPI's jsonschema.
"""

import collections
import json
import pathlib
import sys

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "events"


def validators():
    """One validator for each schema, by file name; the schemas themselves are checked first."""
    found = {}
    for path in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        found[path.name] = jsonschema.Draft202012Validator(schema)
    return found


def violations(line, by_name):
    """Yields what is wrong with one event, and last, if it has one, its type."""
    try:
        event = json.loads(line)
    except ValueError as error:
        yield f"not JSON: {error}", None
        return
    name = f"{event.get('type')}.v{event.get('v')}.json"
    validator = by_name.get(name)
    if validator is None:
        yield f"no schema {name}", None
        return
    for error in sorted(validator.iter_errors(event), key=str):
        yield f"{event['type']} at {error.json_path}: {error.message}", None
    yield None, event["type"]


def main(paths):
    by_name = validators()
    seen = collections.Counter()
    bad = 0
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                for violation, event_type in violations(line, by_name):
                    if violation:
                        bad += 1
                        print(f"{path}:{number}: {violation}", file=sys.stderr)
                    elif event_type:
                        seen[event_type] += 1
    for event_type, count in sorted(seen.items()):
        print(f"{count:8d} {event_type}")
    print(f"{sum(seen.values()):8d} events of {len(seen)} types, {bad} violations")
    if bad:
        return 1
    return 0 if seen else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
