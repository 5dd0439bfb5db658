"""Hypotheses in many voices: what a careful reader takes from each (`read.yaml`), texts to ask about (`asked.yaml`).

The first hand was written before the reader was widened; each further hand after that, and read once before anything
was changed for it (`FIRST_READING`; sentences that proved to be a matter of taste were struck).
`python -m tests.harness.hypotheses` prints docs/hypotheses.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Draft, Reading

FOLDER = Path(__file__).parent
BARS = frozenset({"open", "high", "low", "close", "volume", "sector"})
HANDS = (
    "second hand", "third hand", "fourth hand", "fifth hand", "sixth hand", "seventh hand", "eighth hand", "ninth hand",
    "found by probing", "states of the market",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Count:
    """How many of the readable were right, asked or wrong; how many of the others were read all the same."""

    right: int
    asked: int
    wrong: int
    others: int
    others_read: int


FIRST_READING = {
    "first hand": Count(63, 97, 9, 104, 9),
    "second hand": Count(48, 14, 6, 45, 2),
    "third hand": Count(50, 25, 7, 57, 16),
    "fourth hand": Count(48, 17, 5, 58, 7),
    "fifth hand": Count(42, 10, 1, 33, 2),
    "sixth hand": Count(32, 20, 1, 27, 4),
    "seventh hand": Count(34, 10, 1, 25, 2),
    "eighth hand": Count(33, 16, 3, 16, 2),
    "ninth hand": Count(15, 10, 1, 13, 2),
}
"""Each hand when it was new to the reader."""


def load(name: str) -> dict[str, list[Any]]:
    """The rows of `read.yaml` or `asked.yaml` by kind."""
    return dict(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


def draft(drafter: OfflineDrafter, text: str) -> Draft:
    """One candidate for `text` on bars with sectors."""
    return drafter.draft(text, fields=BARS, others=(), k=1, seed=0)


def is_read(made: Draft) -> bool:
    """Whether a signal was made of the text."""
    return made.reading is not None and made.question is None and made.refusal is None


def gates_of(reading: Reading) -> list[str]:
    """The conditions as a row gives them."""
    return sorted(f"{'not ' if c.negated else ''}{c.event} {c.pole}" for c in reading.conditions)


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
    wanted = sorted(row.get("when", []))
    if gates_of(reading) != wanted and not any(w.endswith(" x") for w in wanted):
        found.append(f"gates {gates_of(reading)}")
    return found


def count(drafter: OfflineDrafter, readable: list[Row], others: list[str]) -> Count:
    """The reading of these rows now."""
    made = [(row, draft(drafter, row["text"])) for row in readable]
    read = [(row, m.reading) for row, m in made if m.reading is not None and is_read(m)]
    right = sum(not mistakes(row, reading) for row, reading in read)
    others_read = sum(is_read(draft(drafter, text)) for text in others)
    return Count(right, len(made) - len(read), len(read) - right, len(others), others_read)
