"""The documents say what the code does: `docs/watching.md` has every metric and alert, and each expression of the
dashboard names metrics and labels that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from modules.live.watch.metrics import METRICS, text
from modules.live.watch.rules import RULES
from modules.live.watch.seen import BOUNDS_S, Seen, Tally
from tests.modules.live.watch.test_rules import QUIET

DOCS = Path(__file__).resolve().parents[4] / "docs"
SUFFIXES = {"gauge": ("",), "counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
SAMPLES = {row.name + suffix: row for row in METRICS for suffix in SUFFIXES[row.kind]}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_the_page_has_every_metric_and_every_alert() -> None:
    lines = (DOCS / "watching.md").read_text().splitlines()
    rows = {cells(line)[0]: cells(line) for line in lines if line.startswith("|")}
    shown = {name: (row[1], tuple(row[3].split()), row[4]) for name, row in rows.items() if name.startswith("cws_")}
    assert shown == {row.name: (row.kind, row.labels, row.help) for row in METRICS}
    told = {name: row[1:] for name, row in rows.items() if name.isupper()}
    assert told == {rule.name: [rule.severity, f"{rule.hold_s:g} s", rule.remedy] for rule in RULES}


def test_each_expression_of_the_dashboard_names_what_there_is() -> None:
    board = json.loads((DOCS / "grafana.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    used = set()
    for expression in expressions:
        named = re.findall(r"\bcws_\w+", expression)
        assert named, expression
        for name in named:
            assert name in SAMPLES, f"{expression}: no metric {name}"
            used.add(SAMPLES[name].name)
            labels = {"account", *SAMPLES[name].labels, *(("le",) if name.endswith("_bucket") else ())}
            for braces in re.findall(name + r"\{([^}]*)\}", expression):
                assert {label for label, _ in re.findall(r'(\w+)(=~|!~|!=|=)"', braces)} <= labels, expression
        assert 'account="$account"' in expression
        for group in re.findall(r"by \(([^)]*)\)", expression):
            have = {label for name in named for label in (*SAMPLES[name].labels, "le")}
            assert set(re.split(r",\s*", group)) <= have, expression
    assert used == {row.name for row in METRICS}, "a metric that nobody looks at"
    for panel in board["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            have = {label for name in re.findall(r"\bcws_\w+", target["expr"]) for label in SAMPLES[name].labels}
            assert set(names) <= have, panel["title"]
    places = [tuple(panel["gridPos"][k] for k in "xy") for panel in board["panels"]]
    assert len(set(places)) == len(places)


def test_what_is_served_is_the_table() -> None:
    tally = Tally()
    tally.asks["s"] = 3
    tally.amended["busted"] = 1
    tally.rulings["REJECT", "COLLAR"] = 2
    tally.fills["s"] = 1
    tally.ruling.add(150_000)
    tally.ruling.add(-5)
    tally.ruling.add(10**15)
    tally.ruling.add(100 * 10**9)
    found = {f.name: f for f in text_string_to_metric_families(text(Seen("t", 1, tally=tally)).decode())}
    assert set(found) == {row.name for row in METRICS}
    whole = {f.name: f for f in text_string_to_metric_families(text(QUIET).decode())}
    for row in METRICS:
        assert (found[row.name].type, found[row.name].documentation) == (row.kind, row.help)
        for sample in (*found[row.name].samples, *whole[row.name].samples):
            assert sample.name in SAMPLES and set(sample.labels) - {"le"} == {"account", *row.labels}, sample
    (rejected,) = found["cws_rulings"].samples
    assert (rejected.value, rejected.labels["rule"]) == (2.0, "COLLAR")
    waits = {s.labels.get("le", s.name): s.value for s in found["cws_ask_to_ruling_seconds"].samples}
    assert (waits["0.0001"], waits["0.0002"], waits["60.0"], waits["+Inf"]) == (0.0, 1.0, 1.0, 2.0)
    assert waits["cws_ask_to_ruling_seconds_count"] == 2.0 and len(waits) == len(BOUNDS_S) + 3
    assert [s.value for s in found["cws_up"].samples] == [0.0, 0.0] and not found["cws_nav_usd"].samples
