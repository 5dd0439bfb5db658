"""Exhaustive grids: a signal with `{places}`, the values of each, and every combination filled in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modules.signal import SignalError, parse
from modules.signal.placeholders import fill, is_name, unmatched

MOST_COMBINATIONS: Final = 10_000
_ROUNDING: Final = 1e-9

Combination = dict[str, float | int]


class GridError(ValueError):
    """A grid that cannot be swept as asked; names the place, the value and the remedy."""


@dataclass(frozen=True)
class Grid:
    """A template and its combinations, the last place fastest."""

    template: str
    combinations: tuple[Combination, ...]

    def filled(self, combination: Combination) -> str:
        """The signal with every place filled in."""
        return fill(self.template, combination)


def grid_of(template: str, axes: Sequence[str]) -> Grid:
    """The grid of `days=5:60:5` (both ends included) or `days=5,10,21`, one text a place.

    Values are whole where all are written without a point. Raises GridError.
    """
    given = dict(_axis(text) for text in axes)
    if len(given) < len(axes):
        raise GridError("a place is given twice; give each once")
    try:
        apart = unmatched(template, given)
    except SignalError as error:
        raise GridError(str(error)) from error
    if apart or not given:
        missing, idle = (apart.missing, apart.idle) if apart else ("none", "none")
        raise GridError(
            f"places without values: {missing}; values without a place: {idle}; write each as {{name}} in the signal "
            "and --grid name=LOW:HIGH:STEP"
        )
    count = math.prod(len(values) for values in given.values())
    if count > MOST_COMBINATIONS:
        raise GridError(f"{count} combinations; allowed are {MOST_COMBINATIONS}: take larger steps")
    rows = itertools.product(*given.values())
    return Grid(template, tuple(dict(zip(given, row, strict=True)) for row in rows))


def check_signals(grid: Grid) -> tuple[str, ...]:
    """Every combination's signal. Raises GridError naming the first that is none."""
    found = []
    for combination in grid.combinations:
        text = grid.filled(combination)
        try:
            parse(text)
        except SignalError as error:
            raise GridError(f"{text} is no signal: {error}") from error
        found.append(text)
    return tuple(found)


def _axis(text: str) -> tuple[str, tuple[float | int, ...]]:
    name, _, said = text.partition("=")
    if not is_name(name):
        raise GridError(f"--grid {text!r}: {name!r} is no name; use small letters, like days=5:60:5")
    separator = ":" if ":" in said else ","
    try:
        numbers = [float(part) for part in said.split(separator)]
    except ValueError as error:
        raise GridError(f"--grid {text!r}: write LOW:HIGH:STEP or values with commas, like days=5:60:5") from error
    if not all(abs(x) < 1e12 for x in numbers):
        raise GridError(f"--grid {text!r}: values must be finite")
    values = _steps(text, numbers) if separator == ":" else numbers
    if len(set(values)) < len(values):
        raise GridError(f"--grid {text!r}: a value is given twice; give each once")
    whole = not any(c in said for c in ".eE")
    return name, tuple(round(v) if whole else v for v in values)


def _steps(text: str, numbers: Sequence[float]) -> list[float]:
    if len(numbers) != 3 or not (numbers[2] > 0.0 and numbers[0] <= numbers[1]):
        raise GridError(f"--grid {text!r}: write LOW:HIGH:STEP with LOW <= HIGH and STEP above 0")
    low, high, step = numbers
    count = math.floor((high - low) / step * (1.0 + _ROUNDING) + _ROUNDING) + 1
    if count > MOST_COMBINATIONS:
        raise GridError(f"--grid {text!r}: {count} values; allowed are {MOST_COMBINATIONS}: take larger steps")
    return [low + k * step for k in range(count)]
