"""docs/hypotheses.md: every readable hypothesis of the first hand, what was read, the signal, and what the data say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.drafters.offline.drafter import OfflineDrafter
from tests.harness.hypotheses import FIRST_READING, HANDS, Count, Row, count, draft, gates_of, is_read, load

if TYPE_CHECKING:
    from modules.panel import Panel

CLEAR_T = 2.0
_HEAD = """# What the offline drafter reads

Made by `python -m tests.harness.hypotheses`; do not edit. The sentences, and many more, stand in
`tests/harness/hypotheses/`, each with what a careful reader takes from it; the tests hold the drafter to that.

A sentence is read, or it is asked about, or it is refused. To make a signal of what was not understood is the worst
outcome and is counted apart. Every hand of sentences was read once before anything was changed for it (some that proved
to be a matter of taste were struck); later hands were written to be harder:

| hand | can be read | right | asked | wrong | cannot be read | read all the same |
|---|---|---|---|---|---|---|
"""
_TABLE = """
*Sign*: +, more of the measure goes with a higher return to come; -, with a lower one. *Bars*: the window said, less
what is skipped. *Signal*: the first candidate on bars with sectors; higher means expected to go up. *Verdict*: its rank
correlation with the next return on the first half of `us5`, five shares, which no gate and no claim rests on:
*for* or *against* where |t| is 2 or more.

| said | measure | sign | bars | where | signal | verdict |
|---|---|---|---|---|---|---|
"""


def page(drafter: OfflineDrafter, verdicts: Mapping[str, str]) -> str:
    """The page, with the verdict of each signal by its text."""
    rows = "".join(f"| {row} |\n" for row in _rows(drafter, verdicts))
    return _HEAD + "".join(f"| {row} |\n" for row in _measured(drafter)) + _TABLE + rows


def first_hand(name: str) -> list[object]:
    """The rows of the first hand, all kinds."""
    return [row for kind, rows in load(name).items() if kind not in HANDS for row in rows]


def signals(drafter: OfflineDrafter) -> tuple[str, ...]:
    """Every signal of the table, once."""
    made = (draft(drafter, row["text"]) for row in _readable())
    return tuple(dict.fromkeys(m.candidates[0].expr for m in made if is_read(m)))


def verdicts_on(panel: Panel, expressions: tuple[str, ...]) -> dict[str, str]:
    """What discovery data say of each signal."""
    from harness.screen import screen

    return {expr: _verdict(screen(expr, panel).t) for expr in expressions}


def _verdict(t: float | None) -> str:
    if t is None:
        return "too few bars"
    side = "neither" if abs(t) < CLEAR_T else "for" if t > 0 else "against"
    return f"{side}, t {t:.1f}"


def _readable() -> list[Row]:
    return [row for row in first_hand("read.yaml") if isinstance(row, dict)]


def _rows(drafter: OfflineDrafter, verdicts: Mapping[str, str]) -> Iterator[str]:
    for row in _readable():
        made = draft(drafter, row["text"])
        reading = made.reading
        if reading is None or not is_read(made):
            yield f"{row['text']} | | | | | | asked"
            continue
        expr = made.candidates[0].expr
        window = "" if reading.horizon_bars is None else str(reading.horizon_bars)
        skipped = f" less {reading.skip_bars}" if reading.skip_bars else ""
        sign = "+" if reading.sign > 0 else "-"
        where = ", ".join(_gates(row, gates_of(reading), [c.phrase for c in reading.conditions]))
        yield " | ".join(
            (row["text"], reading.event, sign, window + skipped, where, f"`{expr}`", verdicts.get(expr, "not measured"))
        )


def _gates(row: Row, gates: list[str], phrases: list[str]) -> list[str]:
    calendar = [p for p in phrases if "==" in p or "<=" in p or ">=" in p]
    return [
        calendar[0] if g == "calendar high" else f"not {calendar[0]}" if g == "not calendar high" else g for g in gates
    ]


def _measured(drafter: OfflineDrafter) -> Iterator[str]:
    for hand, then in FIRST_READING.items():
        yield _count(f"{hand}, when it was new", then)
    read, asked = load("read.yaml"), load("asked.yaml")
    everything = [r for rows in read.values() for r in rows], [t for texts in asked.values() for t in texts]
    yield _count("all of them, now", count(drafter, *everything))


def _count(name: str, c: Count) -> str:
    readable = c.right + c.asked + c.wrong
    return f"{name} | {readable} | {c.right} | {c.asked} | {c.wrong} | {c.others} | {c.others_read}"
