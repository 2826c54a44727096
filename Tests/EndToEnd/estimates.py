"""Sized requests beside another counter: how far apart they are, and that the bound holds.

    python3 Tests/EndToEnd/estimates.py          (needs litellm)

Requests are generated from a fixed seed and sized by one server, which is asked over HTTP. LiteLLM's
`token_counter` counts the same messages and tools with tiktoken's ranks. What is compared:

- expected is within ERROR of the other count, in sum and for each request, for models that are counted exactly
- the bound's prompt is at least the other count, for every model
- reservations and estimates have the same counts
"""

import json
import os
import pathlib
import random
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
import faregate  # noqa: E402

REQUESTS = int(os.environ.get("FAREGATE_SIZED_REQUESTS", "400"))
EXACT = ["gpt-4o", "gpt-4", "gpt-4.1-mini", "o3"]
OTHER = ["claude-sonnet-4-5", "claude-opus-4-5", "gemini-2.5-pro"]
# Of one request: names of called tools, ids of calls, and forms of schemas that LiteLLM leaves out.
ERROR_EACH = 0.12
ERROR_TOKENS = 12
ERROR_SUM = 0.02

WORDS = (
    "the a of and budget token model estimate hold settle ledger stream answer Zürich naïve café 東京 "
    "привет 🙂 {\"key\": 1} https://example.com/a?b=c def f(x): return x**2 SELECT * FROM t; 3.14159 "
    "\n\n - item -> => <tag attr='v'> ЖЖ שלום مرحبا हिन्दी 한국어"
).split(" ")


def text(rng, longest=60):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, longest)))


def schema(rng, depth=0):
    kind = rng.choice(["string", "integer", "boolean", "enum", "array", "object"])
    if kind == "array" and depth < 2:
        return {"type": "array", "items": schema(rng, depth + 1)}
    if kind == "object" and depth < 2:
        return parameters(rng, depth + 1)
    if kind == "enum":
        return {"type": "string", "enum": [f"v{n}" for n in range(rng.randint(1, 5))]}
    return {"type": kind if kind in ("string", "integer", "boolean") else "number"}


def parameters(rng, depth=0):
    properties = {}
    for place in range(rng.randint(1, 4)):
        value = schema(rng, depth)
        if rng.random() < 0.6:
            value["description"] = text(rng, 10)
        properties[f"field_{place}"] = value
    return {"type": "object", "properties": properties, "required": list(properties)[:1]}


def tool(rng, place):
    return {"type": "function", "function": {
        "name": f"tool_{place}", "description": text(rng, 15), "parameters": parameters(rng)}}


def request(rng, model):
    messages = []
    if rng.random() < 0.5:
        messages.append({"role": "system", "content": text(rng)})
    for place in range(rng.randint(1, 6)):
        message = {"role": "user", "content": text(rng)}
        if rng.random() < 0.2:
            message["content"] = [{"type": "text", "text": text(rng)} for _ in range(2)]
        if rng.random() < 0.1:
            message["name"] = "jo"
        messages.append(message)
        if rng.random() < 0.3:
            call = {"id": f"call_{place}", "type": "function", "function": {
                "name": "tool_0", "arguments": json.dumps({"field_0": text(rng, 8)})}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({
                "role": "tool", "tool_call_id": f"call_{place}", "content": text(rng, 20)})
        elif rng.random() < 0.7:
            messages.append({"role": "assistant", "content": text(rng)})
    body = {"model": model, "messages": messages, "max_tokens": 100}
    if rng.random() < 0.4:
        body["tools"] = [tool(rng, place) for place in range(rng.randint(1, 4))]
        if rng.random() < 0.3:
            body["tool_choice"] = "none"
    return body


def counter():
    """LiteLLM's, with the committed ranks: it would fetch them."""
    from tokens import tiktoken_encoding
    from litellm.litellm_core_utils import token_counter as module

    encodings = {name: tiktoken_encoding(name) for name in ("o200k_base", "cl100k_base")}

    def count(body, encoding):
        known = encodings[encoding]
        functions = lambda text: len(known.encode(text, disallowed_special=()))  # noqa: E731
        messages = module._MessageCountParams.__new__(module._MessageCountParams)
        messages.tokens_per_message, messages.tokens_per_name = 3, 1
        messages.count_function, messages.tool_section = functions, None
        messages._model = body["model"]
        total = module._count_messages(messages, body["messages"], True, None)
        has_system = any(message["role"] == "system" for message in body["messages"])
        return total + module._count_extra(
            functions, body.get("tools"), body.get("tool_choice"), has_system, None)

    return count


def main():
    count = counter()
    rng = random.Random(20261125)
    sums, worst, sized = {}, {}, 0
    with tempfile.TemporaryDirectory() as folder:
        server = faregate.Server(folder).start()
        client = server.client()
        for place in range(REQUESTS):
            model = rng.choice(EXACT + OTHER)
            body = request(rng, model)
            asked = {"customer": "acme", "request": body, "dialect": "openai.chat"}
            estimate = client.json("POST", "/v1/estimates", asked)["estimate"]
            ours, most = estimate["input_tokens"], estimate["max_input_tokens"]
            assert estimate["method"] == "request", estimate
            encoding = estimate["source"]["tokenizer"].split("*")[0]
            theirs = count(body, encoding)
            assert most >= theirs, f"request {place}: bound {most} below {theirs}: {body}"
            if place % 10 == 0:
                held = client.json("POST", "/v1/reservations", {"id": f"r{place}", **asked})
                for name in ("input_tokens", "max_input_tokens", "bound", "source"):
                    assert held["estimate"][name] == estimate[name], name
            sized += 1
            if model in OTHER:
                continue
            difference = abs(ours - theirs)
            assert difference <= max(ERROR_EACH * theirs, ERROR_TOKENS), (
                f"request {place}: {ours} here, {theirs} there: {json.dumps(body)}")
            total = sums.setdefault(model, [0, 0])
            total[0] += ours
            total[1] += theirs
            worst[model] = max(worst.get(model, 0), difference / theirs)
        code = server.stop()
        assert code == 0, code
    for model, (ours, theirs) in sorted(sums.items()):
        off = ours / theirs - 1
        print(f"  {model}: {ours} tokens here, {theirs} there ({off:+.2%}); worst {worst[model]:.1%}")
        assert abs(off) <= ERROR_SUM, f"{model}: {off:+.2%} in sum"
    print(f"estimates: {sized} requests sized, every bound above the other count")


if __name__ == "__main__":
    main()
