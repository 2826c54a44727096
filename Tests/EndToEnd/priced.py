"""What served tokens cost by the built-in price book, worked out apart from the program.

Exact decimal arithmetic; one rounding a request, half to even, to nine places.
"""

import decimal
import functools
import json

import faregate

CONTEXT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=[
    decimal.InvalidOperation, decimal.Inexact])
NANO = decimal.Decimal("0.000000001")


@functools.cache
def _models():
    path = faregate.ROOT / "Sources/CEmbedded/prices-2026-11.json"
    return {entry["model"]: entry for entry in json.loads(path.read_text())["models"]}


def _rate(rates, unit, tier):
    """Of a unit at a tier; a tier without one has the standard price, a unit that of all input."""
    suffix = "" if tier in (None, "default", "standard", "auto") else f"@{tier}"
    fallback = {"cache_read": "input", "cache_write_5m": "input",
                "cache_write_1h": "cache_write_5m"}
    while True:
        for name in (unit + suffix, unit):
            if name in rates:
                return decimal.Decimal(rates[name])
        unit = fallback[unit]


def cost(request):
    """Of a request as the simulator's books have it."""
    entry = _models()[request["model"]]
    counts = {
        "input": request["input_tokens"], "cache_read": request["cache_read_tokens"],
        "cache_write_5m": request["cache_write_5m_tokens"],
        "cache_write_1h": request["cache_write_1h_tokens"], "output": request["output_tokens"]}
    with decimal.localcontext(CONTEXT):
        total = sum(
            (_rate(entry["rates"], unit, request["served_tier"]) * count / 1_000_000
             for unit, count in counts.items() if count), decimal.Decimal(0))
    return total.quantize(NANO, rounding=decimal.ROUND_HALF_EVEN)


def total(requests):
    """Of all that were billed."""
    return sum((cost(request) for request in requests if billed(request)), decimal.Decimal(0))


def billed(request):
    return request["input_tokens"] + request["output_tokens"] + request["cache_read_tokens"] > 0
