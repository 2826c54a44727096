"""Compares schemas/openapi.yaml with the route table and with live answers.

    check_openapi.py [OPENAPI [TRANSCRIPT]]

Without a transcript only the file itself is checked. The transcript is JSON lines, written by
OpenAPITests.swift: the first line holds the routes, each other line one request with its answer.
Checked, both ways where there are two:

- the file is a valid OpenAPI 3.1 document, and every $ref leads somewhere
- paths, methods, operation ids, roles, and the names of query and path parameters
- every answer has a documented status and content type, and the headers promised for it
- every JSON answer is of its schema, with no member that the schema does not name
- every body that was accepted is of the schema for requests
- every operation was called, and succeeded at least once

Prints what is wrong and exits with 1, or with 0 and a summary.
"""

import copy
import json
import pathlib
import sys

import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

METHODS = ("get", "post", "put", "patch", "delete")
problems = []


def problem(text):
    if text not in problems:
        problems.append(text)


def resolved(document, node):
    while isinstance(node, dict) and "$ref" in node:
        place = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        node = place
    return node


def closed(node):
    """Objects of answers with nothing beside the members that they name."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        node.setdefault("additionalProperties", False)
    return node


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def check_routes(document, routes):
    found = {(route["method"], route["template"]): route for route in routes}
    described = {(method, path): operation for method, path, operation in operations(document)}
    for key in found.keys() - described.keys():
        problem(f"not in the file: {key}")
    for key in described.keys() - found.keys():
        problem(f"not in the route table: {key}")
    for key in found.keys() & described.keys():
        route, operation = found[key], described[key]
        if route["operation"] != operation["operationId"]:
            problem(f"{key}: operationId {operation['operationId']} is {route['operation']}")
        if route["role"] != operation.get("x-faregate-role"):
            problem(f"{key}: role {operation.get('x-faregate-role')} is {route['role']}")
        if (route["role"] is None) != (operation.get("security") == []):
            problem(f"{key}: security does not fit the role")
        parameters = [resolved(document, p) for p in operation.get("parameters", [])]
        query = {p["name"] for p in parameters if p["in"] == "query"}
        if query != set(route["query"]):
            problem(f"{key}: query {sorted(query)} is {sorted(route['query'])}")
        named = {p["name"] for p in parameters if p["in"] == "path"}
        if named != {s[1:-1] for s in key[1].split("/") if s.startswith("{")}:
            problem(f"{key}: path parameters {sorted(named)}")


class Schemas:
    def __init__(self, document):
        self.document = document
        self.open = document["components"]
        self.closed = closed(copy.deepcopy(document["components"]))
        self.validators = {}

    def errors(self, schema, instance, is_answer):
        key = (json.dumps(schema, sort_keys=True), is_answer)
        if key not in self.validators:
            root = closed(copy.deepcopy(schema)) if is_answer else copy.deepcopy(schema)
            components = self.closed if is_answer else self.open
            self.validators[key] = Draft202012Validator({**root, "components": components})
        return list(self.validators[key].iter_errors(instance))


def check_answer(document, schemas, exchange, operation):
    where = f"{exchange['method']} {exchange['target']} → {exchange['status']}"
    responses = operation["responses"]
    responses = {**document.get("x-faregate-responses", {}), **responses}
    response = resolved(document, responses.get(str(exchange["status"])))
    if response is None:
        problem(f"{where}: undocumented status {exchange['response'][:200]}")
        return
    headers = {name.lower() for name in exchange["headers"]}
    if "x-request-id" not in headers:
        problem(f"{where}: no X-Request-Id")
    documented = {name.lower() for name in response.get("headers", {})}
    documented |= {name.lower() for name in document.get("x-faregate-headers", {})}
    for name in headers - documented:
        problem(f"{where}: undocumented header {name}")
    content = response["content"].get(exchange["content_type"])
    if content is None:
        problem(f"{where}: undocumented content type {exchange['content_type']}")
        return
    if exchange["content_type"] == "application/json":
        body = json.loads(exchange["response"])
        for error in schemas.errors(content["schema"], body, True):
            problem(f"{where}: {error.json_path}: {error.message[:300]}")


def check_request(schemas, exchange, operation):
    if not 200 <= exchange["status"] < 300 or not exchange["request"]:
        return
    where = f"{exchange['method']} {exchange['target']}"
    content = operation.get("requestBody", {}).get("content", {})
    media = content.get(exchange["request_type"])
    if media is None:
        problem(f"{where}: accepted {exchange['request_type']}, which is not documented")
        return
    body = json.loads(exchange["request"])
    for error in schemas.errors(media["schema"], body, False):
        problem(f"{where}: accepted {exchange['request'][:200]}: {error.message[:200]}")


def check_references(document, node, path=""):
    if isinstance(node, list):
        for place, item in enumerate(node):
            check_references(document, item, f"{path}/{place}")
    elif isinstance(node, dict):
        if "$ref" in node:
            try:
                resolved(document, node)
            except KeyError:
                problem(f"{path}: {node['$ref']} leads nowhere")
        for key, value in node.items():
            check_references(document, value, f"{path}/{key}")


def check_file(document):
    validate(document)
    check_references(document, document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    used = json.dumps(document)
    for kind, parts in document["components"].items():
        for name in parts:
            if kind != "securitySchemes" and f'"#/components/{kind}/{name}"' not in used:
                problem(f"nothing uses {kind}/{name}")
    names = [operation["operationId"] for _, _, operation in operations(document)]
    if len(set(names)) != len(names):
        problem("two operations have one operationId")


def main(file=None, transcript=None):
    root = pathlib.Path(__file__).resolve().parents[2]
    with open(file or root / "schemas" / "openapi.yaml", encoding="utf-8") as stream:
        document = yaml.safe_load(stream)
    check_file(document)
    if transcript is None:
        finish(f"{len(list(operations(document)))} operations: a sound file")
    with open(transcript, encoding="utf-8") as stream:
        lines = [json.loads(line) for line in stream]
    check_routes(document, lines[0]["routes"])
    schemas = Schemas(document)
    described = {(method, path): operation for method, path, operation in operations(document)}
    succeeded = set()
    for exchange in lines[1:]:
        key = (exchange["method"], exchange["route"])
        operation = described.get(key)
        if operation is None:
            continue
        if 200 <= exchange["status"] < 300:
            succeeded.add(key)
        check_answer(document, schemas, exchange, operation)
        check_request(schemas, exchange, operation)
    for key in described.keys() - succeeded:
        problem(f"never succeeded in the transcript: {key}")
    finish(f"{len(described)} operations, {len(lines) - 1} answers: all as described")


def finish(summary):
    for text in problems:
        print(text)
    if problems:
        sys.exit(1)
    print(summary)
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
