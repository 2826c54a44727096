"""docs/operating against a live server: every expression is PromQL, every metric that the alerts, the dashboard and the README name is
there with the labels that they use, every metric that is there is explained in the README, every alert too.
"""

import json
import pathlib
import re
import tempfile
import time

import promql_parser
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

import faregate
import stripe_account

FOLDER = faregate.ROOT / "docs/operating"
WORDS = set("""
    by on without ignoring group_left group_right and or unless offset bool sum min max avg count rate increase
    histogram_quantile predict_linear label_values le up instance job
""".split())
# Present only once something has happened that takes long to bring about here.
RARE = {"faregate_snapshot_sequence", "faregate_snapshot_bytes", "faregate_snapshot_timestamp_seconds"}


def selectors(expression):
    """Metric names of a PromQL expression, each with the labels that it is selected or summed by."""
    found = []
    matched = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    for name, labels in re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?", matched):
        if not re.match(r"(faregate|process)_|up$", name):
            continue
        found.append((name, set(re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", labels or "")) - {"instance", "job"}))
    for clause in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", matched):
        grouped = {label.strip() for label in clause.split(",")} - {"", "instance", "job"}
        found = [(name, labels | grouped if name_takes(name, grouped) else labels) for name, labels in found]
    return found


def name_takes(name, labels):
    return labels != {"le"} or name.endswith("_bucket")


def expressions():
    with open(FOLDER / "alerts.yaml", encoding="utf-8") as stream:
        document = yaml.safe_load(stream)
    assert list(document) == ["groups"]
    for group in document["groups"]:
        assert set(group) == {"name", "rules"}, group
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
            assert rule["labels"]["severity"] in ("page", "ticket"), rule
            assert rule["annotations"]["summary"], rule
            assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s")), rule
            yield rule["alert"], rule["expr"]
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(identifiers)) == len(identifiers)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def live(server):
    """Names of samples with their labels, and of families, from a server on which something happened."""
    client = server.client()
    client.json("POST", "/v1/budgets", {"id": "b", "measure": "charge", "window": "month", "amount": "1"})
    for number in range(3):
        client.call("POST", "/v1/reservations", {
            "id": f"r{number}", "customer": "c", "model": "gpt-4o", "amount": "0.6"})
    client.json("POST", "/v1/reservations/r0/settle", {"amount": "0.5"})
    # The lag is unknown until the read models have caught up once, and so is what Stripe's sums are.
    end = time.monotonic() + 30
    while True:
        status, text = client.call("GET", "/metrics")
        assert status == 200, text
        known = [b"\nfaregate_projection_lag_seconds ", b"\nfaregate_stripe_reconciled_timestamp_seconds "]
        if all(name in text for name in known) or time.monotonic() > end:
            break
        time.sleep(0.2)
    samples, families = {}, {}
    for family in text_string_to_metric_families(text.decode()):
        families[family.name] = family.type
        for sample in family.samples:
            samples.setdefault(sample.name, set()).update(sample.labels)
    status, text = client.call("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})
    other = {family.name for family in open_metrics(text.decode())}
    assert other == set(families), other ^ set(families)
    return samples, families


def main():
    with tempfile.TemporaryDirectory() as folder:
        # The gateway's figures are there with the first upstream.
        upstreams = pathlib.Path(folder) / "upstreams.json"
        upstreams.write_text(json.dumps({"upstreams": {"nowhere": {
            "dialect": "openai", "base_url": "http://127.0.0.1:1"}}}))
        # Stripe's, where there is a key.
        stripe = stripe_account.StripeAccount(pathlib.Path(folder)).start()
        stripe.set_up()
        server = faregate.Server(
            folder, arguments=["--upstreams", str(upstreams)], environment=stripe.environment).start()
        try:
            samples, families = live(server)
            assert server.stop() == 0
        finally:
            stripe.stop()
            if server.process.poll() is None:
                server.kill()
    readme = (FOLDER / "README.md").read_text()
    stripe_page = (faregate.ROOT / "docs/stripe.md").read_text()
    used = set()
    count = 0
    for place, expression in expressions():
        # Grafana's own function is no PromQL.
        if not expression.startswith("label_values("):
            promql_parser.parse(expression.replace("$__rate_interval", "5m"))
        found = selectors(expression)
        assert found, f"{place}: no metric in {expression}"
        count += 1
        for name, labels in found:
            if name == "up" or name in RARE:
                continue
            assert name in samples, f"{place}: there is no metric {name}"
            assert labels <= samples[name] or "_sum" in name or "_count" in name, \
                f"{place}: {name} has {samples[name]}, not {labels}"
            used.add(name)
        if place.startswith("Faregate"):
            text, page = (f"(`{place}`)", stripe_page) if "Stripe" in place else (f"**{place}.**", readme)
            assert text in page, f"neither the README nor stripe.md explains {place}"
    explained = set(re.findall(r"`((?:faregate|process)_[a-z_]+)", readme))
    for name, kind in families.items():
        shown = name + "_total" if kind == "counter" else name
        assert shown in explained, f"the README does not explain {shown}"
    for name in explained - RARE:
        assert name in samples or name in families, f"the README explains {name}, which is not there"
    print(f"operating: {count} expressions use {len(used)} of {len(samples)} metrics, all there and explained")


if __name__ == "__main__":
    main()
