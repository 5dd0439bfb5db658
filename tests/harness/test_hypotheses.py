"""Hypotheses in many voices (`hypotheses/*.yaml`), read as a careful reader reads them.

1. Of what can be read, most is read; what is read has the event, sign, windows and gates of a careful reader.
2. What cannot be tested as it stands is asked or refused, never turned into a signal.
3. Being confidently wrong is the worst outcome: no sentence of the sets is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Draft, Reading

FOLDER = Path(__file__).parent / "hypotheses"
DRAFTER = OfflineDrafter.of_checkout()
BARS = frozenset({"open", "high", "low", "close", "volume", "sector"})
Row = dict[str, Any]


def load(name: str) -> dict[str, list[Any]]:
    return dict(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


def draft(text: str) -> Draft:
    return DRAFTER.draft(text, fields=BARS, others=(), k=1, seed=0)


def is_read(made: Draft) -> bool:
    return made.reading is not None and made.question is None and made.refusal is None


def mistakes(row: Row, reading: Reading) -> list[str]:
    """Where a reading differs from that of the row; `x` in a row leaves open."""
    found = []
    if reading.event not in row["event"].split("|"):
        found.append(f"event {reading.event}")
    if row["sign"] not in ("x", reading.sign):
        found.append(f"sign {reading.sign}")
    yearly = reading.event in ("near_high", "season") and reading.horizon_bars in (None, 252)
    if row.get("bars") != "x" and not yearly and reading.horizon_bars != row.get("bars"):
        found.append(f"bars {reading.horizon_bars}")
    if reading.skip_bars != row.get("skip"):
        found.append(f"skip {reading.skip_bars}")
    gates = sorted(f"{'not ' if c.negated else ''}{c.event} {c.pole}" for c in reading.conditions)
    wanted = sorted(row.get("when", []))
    if gates != wanted and not any(w.endswith(" x") for w in wanted):
        found.append(f"gates {gates}")
    return found


READ = load("read.yaml")
ASKED = load("asked.yaml")


@pytest.mark.parametrize("kind", READ)
def test_read_as_a_careful_reader_does(kind: str) -> None:
    answers = [(row, draft(row["text"])) for row in READ[kind]]
    wrong = {
        row["text"]: found
        for row, made in answers
        if made.reading is not None and is_read(made) and (found := mistakes(row, made.reading))
    }
    assert not wrong
    share = sum(is_read(made) for _, made in answers) / len(answers)
    assert share >= 0.8, [row["text"] for row, made in answers if not is_read(made)]


@pytest.mark.parametrize("kind", ASKED)
def test_never_confidently_wrong(kind: str) -> None:
    read = {text: made.reading for text in ASKED[kind] if is_read(made := draft(text))}
    assert not read
