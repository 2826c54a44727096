"""Every event that a busy ledger stored validates against schemas/events with PyPI's jsonschema.

The ledger is the one that the sandbox leaves behind after playing its traffic: it has nearly every kind of
event. The stored bytes are read over the API, where they come as they were hashed.
"""

import collections
import json
import pathlib
import subprocess
import tempfile

import jsonschema

import faregate

SCHEMAS = faregate.ROOT / "schemas/events"


def main():
    validators = {}
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        name, version, _ = path.name.rsplit(".", 2)
        validators[name, int(version[1:])] = jsonschema.Draft202012Validator(schema)
    seen = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        db = pathlib.Path(folder) / "ledger.db"
        subprocess.run(
            [faregate.BINARY, "sandbox", "--db", str(db), "--port", "0", "--exit", "--speed", "200"],
            check=True, stdout=subprocess.DEVNULL)
        server = faregate.Server(folder, db=db).start()
        for event in faregate.events(server.client()):
            validator = validators[event["type"], event["v"]]
            error = jsonschema.exceptions.best_match(validator.iter_errors(event))
            assert error is None, f"event {event['seq']}: {error.json_path}: {error.message}"
            seen[event["type"]] += 1
        server.stop()
    for needed in ("usage.reserved", "usage.settled", "usage.rejected", "usage.expired",
                   "usage.released", "credit.granted", "customer.opened", "budget.set"):
        assert seen[needed], f"the sandbox made no {needed}"
    print(f"event schemas: {sum(seen.values())} events of {len(seen)} types valid")


if __name__ == "__main__":
    main()
