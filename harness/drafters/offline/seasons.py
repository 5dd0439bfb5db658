"""Claims that stocks repeat themselves by the calendar: "those that rise on Mondays rise on Mondays again"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.drafters.offline.lexicon import Mark
from harness.drafters.offline.scene import MOVES

_EVENTS = {"day_of_week ==": "weekday", "month ==": "season"}
_REACH = 3


def with_seasons(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """A day or a month named twice, the first time right behind a move, is no condition: it is what repeats."""
    out = list(marks)
    for name, event in _EVENTS.items():
        named = [m for m in out if m.kind == "calendar" and m.value.startswith(name) and " or " not in m.value]
        if len(named) < 2 or len({m.value for m in named}) != 1:
            continue
        move = next((m for m in reversed(out) if m.kind in MOVES and 0 <= named[0].start - m.end <= _REACH), None)
        if move is None:
            if any(m.kind == "effect" and m.event == event for m in out):
                out = [replace(m, kind="vague") if m in named else m for m in out]
            continue
        seen = replace(move, kind="event", end=named[0].end, event=event, value=MOVES[move.kind])
        said = [replace(m, kind="vague") for m in named[1:]]
        out = [seen if m is move else m for m in out if m not in named] + said
    return _of_the_same_day(sorted(out, key=lambda m: m.start))


def _of_the_same_day(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """ "did well in this month a year ago": the move is the measure; the day said again names nothing new."""
    out: list[Mark] = []
    seen: str | None = None
    for mark in marks:
        if mark.kind != "effect" or mark.event not in _EVENTS.values():
            out.append(mark)
            continue
        if seen == mark.event:
            out.append(replace(mark, kind="vague"))
            continue
        move = next((m for m in reversed(out) if m.kind in MOVES and 0 <= mark.start - m.end <= _REACH), None)
        if move is not None:
            mark = replace(mark, kind="event", start=move.start, value=MOVES[move.kind])
            out.remove(move)
        seen = mark.event
        out.append(mark)
    return tuple(out)
