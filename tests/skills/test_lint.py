"""What a shipped skill must say: each rule refuses what it names, and the shipped skills break none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drafters.offline.skilllint import lint
from harness.drafters.offline.why import why
from skills.registry import skills

GOOD = """---
name: demo
description: Drafts a demo. Use in tests.
metadata:
  kind: drafting
  event: demo
  version: "1"
  phrases: stocks with high wobble outperform
  provenance: written by hand
---

# Demo

```yaml drafting
event: demo
about: a demo
moves: false
claim: high
horizon_bars: {default: 5, low: 2, high: 10}
words:
  high: [high wobble]
recipes:
  - name: plain
    expr: ts_std(returns(close, 1), {h})
  - name: range
    expr: ts_range(returns(close, 1), {h})
gates:
  high: ts_std(returns(close, 1), {w}) > {x} * 0.01
```

## What is known

* Nothing.

## Traps

All.
"""

BROKEN = [
    ("kind", "kind: drafting", "kind: other", "metadata.kind"),
    ("version", 'version: "1"', 'version: "one"', "metadata.version"),
    ("version zero", 'version: "1"', 'version: "0"', "metadata.version"),
    ("phrases", "phrases: stocks with high wobble outperform", "phrases: ' ; '", "metadata.phrases"),
    ("provenance", "provenance: written by hand", "provenance: ' '", "metadata.provenance"),
    ("event", "  event: demo\n", "  event: other\n", "metadata.event"),
    ("module", "kind: drafting", "kind: module", "metadata.module"),
    ("section", "## Traps", "## Trap", "body"),
    ("recipe", "ts_range(returns(close, 1), {h})", "ts_range(returns(close, 1))", "recipe 'range'"),
    ("recipe at its longest window", "high: 10}", "high: 1260}", None),
    ("gate", "> {x} * 0.01", "> {x} * volume", "gates.high"),
    ("no way to it", "stocks with high wobble outperform", "stocks that fell rebound", "metadata.phrases"),
    ("a question", "stocks with high wobble outperform", "high wobble", "metadata.phrases"),
    ("unreadable file", "name: demo", "name: other", "file"),
    ("no block", "```yaml drafting", "```yaml", "drafting block"),
]


def written(folder: Path, text: str, name: str = "demo") -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(text)
    return folder


def test_a_good_skill_has_no_fault(tmp_path: Path) -> None:
    found, faults = lint(written(tmp_path, GOOD))
    assert [s.name for s in found] == ["demo"] and faults == ()
    assert found[0].phrases == ("stocks with high wobble outperform",)


@pytest.mark.parametrize(("old", "new", "field"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_each_fault_is_named(tmp_path: Path, old: str, new: str, field: str | None) -> None:
    assert old in GOOD
    _, faults = lint(written(tmp_path, GOOD.replace(old, new)))
    assert field in [None, *(f.field for f in faults)]
    assert bool(faults) is (field is not None), faults
    assert all(str(f).startswith("demo/SKILL.md") for f in faults)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, "no frontmatter", "broken")
    _, faults = lint(written(tmp_path, GOOD.replace('"1"', '"x"').replace("## Traps", "## Trap")))
    assert [f.field for f in faults] == ["file", "metadata.version", "body"]


def test_one_phrase_of_two_meanings_is_a_fault(tmp_path: Path) -> None:
    other = GOOD.replace("name: demo", "name: other").replace("event: demo", "event: else")
    written(tmp_path, other, "other")
    _, faults = lint(written(tmp_path, GOOD))
    assert [f.field for f in faults] == ["words"] and "high wobbl" in str(faults[0])


def test_the_shipped_skills_have_no_fault() -> None:
    found, faults = lint()
    assert len(found) >= 80 and faults == ()


LED = [
    ("Stocks that fell the most last week rebound", "short-term-reversal", "claim the same"),
    ("Stocks that fell the most last week keep falling", "short-continuation", "claim the same"),
    ("12-1 momentum", "momentum", "names its effect"),
    ("stocks with high kurtosis underperform", "kurtosis", "neither side"),
    ("Low beta stocks underperform over the next month", "beta", "the opposite"),
]


@pytest.mark.parametrize(("text", "skill", "because"), LED, ids=[row[1] for row in LED])
def test_why(text: str, skill: str, because: str) -> None:
    found = why(text, skills())
    assert found.open is None and found.near == ()
    assert found.fits[0].skill == skill and because in "; ".join(found.fits[0].reasons)
    assert any(p.role == "event" for p in found.phrases)


def test_why_says_what_is_open_and_what_is_near() -> None:
    found = why("the entropy", skills())
    assert found.fits == () and found.open is not None
    assert "return-entropy" in [f.skill for f in found.near]
    long = why("stocks that fell rebound " * 5_000, skills())
    assert long.phrases == () and long.open is not None and "characters" in long.open
    assert why("", ()).near == () and why("\x1b[31m \x00 \u202e", skills()).fits == ()
