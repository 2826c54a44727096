"""Real clients, unchanged, through the gateway with the simulated provider behind it.

    python3 Tests/EndToEnd/gateway_clients.py              all
    python3 Tests/EndToEnd/gateway_clients.py openai       one SDK, or one case
    python3 Tests/EndToEnd/gateway_clients.py --direct     at the simulator, without a gateway

Each case has a customer of its own, so that what the ledger charges it can be compared with what the
simulator served meanwhile, priced here apart from the program. Three kinds:

- allowed: goes through; the charge is the price of what was served.
- refused: the SDK raises its own error at once. It asks once, nothing reaches the provider, and the
  ledger has one refusal.
- cut: the client leaves in mid-stream; what the provider served is charged all the same.
"""

import http.client
import importlib
import json
import pathlib
import sys
import tempfile
import time
import traceback

import gateway

MODULES = {
    "openai": "with_openai", "anthropic": "with_anthropic", "litellm": "with_litellm",
    "langchain": "with_langchain", "openai-agents": "with_agents"}
# A second attempt of an SDK comes after half a second at the earliest.
AT_ONCE = 2.0


def cases(wanted):
    for module in MODULES.values():
        loaded = importlib.import_module(f"clients.{module}")
        for name in ("CASES", "GRAPH"):
            for case in getattr(loaded, name, []):
                if not wanted or any(case.name.startswith(text) for text in wanted):
                    yield case


def allowed(world, case, caller, mark):
    case.run(caller)
    requests, charge = world.check(caller.customer, mark)
    billed = [request for request in requests if request["output_tokens"]
              or request["dialect"] == "openai.embeddings"]
    assert len(billed) == case.calls, f"{len(billed)} calls, expected {case.calls}: {requests}"
    return f"{len(billed)} calls, {charge:f}" if charge is not None else f"{len(billed)} calls"


def refused(world, case, caller, mark):
    start = time.monotonic()
    case.run(caller)
    took = time.monotonic() - start
    requests, charge = world.check(caller.customer, mark)
    assert not requests, f"reached the provider: {requests}"
    count = world.balance(caller.customer)["totals"]["rejected"]
    assert count == 1, f"the SDK asked {count} times"
    assert charge == 0
    assert took < AT_ONCE, f"took {took:.2f} s"
    return f"refused once in {took:.2f} s"


def cut(world, case, caller, mark):
    case.run(caller)
    requests, charge = world.check(caller.customer, mark)
    assert len(requests) == 1, requests
    served = requests[0]["output_tokens"]
    assert served > 0, requests
    return f"{served} tokens served" + ("" if charge is None else f", {charge:f}")


def run_case(world, case):
    # A refusal needs a budget that not even a word fits into.
    caller = world.caller(
        budget="0.000000001" if case.kind == "refused" else "1000", name=case.kind)
    mark = world.simulator.mark()
    return {"allowed": allowed, "refused": refused, "cut": cut}[case.kind](
        world, case, caller, mark)


def run_all(world, chosen):
    failed = 0
    for case in chosen:
        start = time.monotonic()
        try:
            outcome = "ok  " + run_case(world, case)
        except Exception:
            failed += 1
            outcome = "FAILED\n" + traceback.format_exc()
        print(f"{case.name:44} {time.monotonic() - start:5.2f} s  {outcome}", flush=True)
    return failed


def check_headers(world):
    """No customer is made of bytes that are no text, or of two values; text of any language is one."""
    def ask(*customers):
        connection = http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=30)
        connection.putrequest("POST", f"/{gateway.OPENAI}/v1/chat/completions")
        body = json.dumps({"model": "gpt-4o", "max_tokens": 5,
                           "messages": [{"role": "user", "content": "Hello"}]}).encode()
        connection.putheader("Authorization", f"Bearer {world.key}")
        connection.putheader("Content-Length", str(len(body)))
        for customer in customers:
            connection.putheader("X-Faregate-Customer", customer)
        connection.endheaders(body)
        answer = connection.getresponse()
        text, names = json.loads(answer.read()), [name.lower() for name, _ in answer.getheaders()]
        assert names.count("x-request-id") == names.count("x-faregate-request-id") == 1, names
        connection.close()
        return answer.status, text.get("error", {}).get("code")

    for customers in [(b"caf\xe9",), (b"\xff",), (b"a", b"b"), (b"a", b"a")]:
        assert ask(*customers) == (400, "invalid_header"), customers
    assert ask("Zürich 東京".encode()) == (200, None)


def main():
    arguments = sys.argv[1:]
    is_direct = "--direct" in arguments
    chosen = list(cases([text for text in arguments if not text.startswith("--")]))
    if is_direct:
        chosen = [case for case in chosen if case.kind != "refused"]
    assert chosen, "no such case"
    with tempfile.TemporaryDirectory() as folder:
        kind = gateway.Direct if is_direct else gateway.Gateway
        with kind(pathlib.Path(folder)) as world:
            failed = run_all(world, chosen)
            if not is_direct:
                check_headers(world)
    print(f"clients: {len(chosen)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
