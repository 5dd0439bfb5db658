"""A reading in plain words: what ranks the stocks, who is expected to do better, where, and what was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.drafters.port import Condition, Reading

MEASURES = {"return": "the past return", "relative_return": "the past return less the average of all symbols"}
"""Events that several skills measure, each over a window of its own; the others have the words of their skill."""


def reading_lines(reading: Reading) -> list[tuple[str, str]]:
    """Name and sentence of each part, in the order in which a researcher checks them."""
    lines = [("ranked by", _ranked_by(reading)), ("expected", _expected(reading))]
    if reading.skip_bars:
        lines.append(("left out", f"the latest {_bars(reading.skip_bars)}"))
    if reading.threshold is not None:
        side = "down" if reading.pole == "low" else "up"
        lines.append(("only where", f"it is {side} by more than {reading.threshold * 100:g} %"))
    lines += [("except where" if c.negated else "only where", _condition(c)) for c in reading.conditions]
    if reading.relative == "own history":
        lines.append(("compared", "each symbol with its own past"))
    if reading.holding_bars:
        lines.append(("pays over", _bars(reading.holding_bars)))
    lines += [("assumed", a) for a in reading.assumptions]
    if reading.phrases:
        lines.append(("words read", ", ".join(reading.phrases)))
    if reading.unread:
        lines.append(("not read", ", ".join(reading.unread)))
    return lines


def _ranked_by(reading: Reading) -> str:
    measure = _measure(reading.event)
    if reading.horizon_bars is None:
        return f"{measure}; no window was said, so each candidate names its own"
    return f"{measure}, window {_bars(reading.horizon_bars)}"


def _expected(reading: Reading) -> str:
    end, other = ("lowest", "highest") if reading.pole == "low" else ("highest", "lowest")
    better = (reading.sign > 0) == (end == "highest")
    return f"the {end} do {'better' if better else 'worse'} than the {other}{_why(reading)}"


def _why(reading: Reading) -> str:
    if not reading.moves:
        return ""
    return " (the move goes on)" if reading.sign > 0 else " (the move reverses)"


def _condition(condition: Condition) -> str:
    if condition.event == "calendar":
        return condition.phrase
    end = {"high": "high", "low": "low"}.get(condition.pole, "either way")
    window = f", window {_bars(condition.window_bars)}" if condition.window_bars else ""
    return f"{condition.event.replace('_', ' ')} is {end}{window} ('{condition.phrase}')"


def _measure(event: str) -> str:
    from skills.registry import drafting_skills, skills

    said = {drafting.event: drafting.about for _, drafting in drafting_skills(skills())}
    return MEASURES.get(event) or said.get(event, event.replace("_", " "))


def _bars(count: int) -> str:
    return f"{count} bar{'' if count == 1 else 's'}"
