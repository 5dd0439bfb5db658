"""What is searched: bounded settings of the pipeline's modules, and `{placeholders}` in a signal."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modules.contract import Module, Stage
from modules.signal import parse
from modules.signal.placeholders import fill, is_name, unmatched

Point = tuple[float, ...]
"""A value for each axis, whole numbers as such."""

SEARCHED: tuple[Stage, ...] = ("clean", "feature", "backtest", "size", "execute")


class SearchError(ValueError):
    """A search that cannot be made as asked; names the axis, the value, the rule and the remedy."""


@dataclass(frozen=True)
class Axis:
    """One dimension, both ends included. `stage` None = a placeholder of the signal."""

    name: str
    low: float
    high: float
    whole: bool
    stage: Stage | None = None

    def grid(self, steps: int) -> tuple[float, ...]:
        """At most `steps` values from end to end, evenly spaced; each whole number once."""
        if steps < 2:
            raise SearchError(f"a grid of {steps} steps on {self.name}; give at least 2")
        raw = [self.low + (self.high - self.low) * i / (steps - 1) for i in range(steps)]
        return tuple(dict.fromkeys(float(round(v)) for v in raw)) if self.whole else tuple(raw)

    def place(self, value: float) -> float:
        """Where `value` lies, 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def plain(self, value: float) -> float | int:
        """A whole number as an int."""
        return round(value) if self.whole else value


@dataclass(frozen=True)
class Space:
    """The axes in the order in which they were asked for, and the signal that the placeholders stand in."""

    axes: tuple[Axis, ...]
    signal: str | None

    def values(self, point: Point) -> dict[str, float | int]:
        """Axis to value."""
        return {axis.name: axis.plain(v) for axis, v in zip(self.axes, point, strict=True)}

    def filled(self, point: Point) -> str | None:
        """The signal with every placeholder replaced."""
        return None if self.signal is None else fill(self.signal, self.values(point))

    def changed(self, modules: Mapping[Stage, Module], point: Point) -> dict[Stage, Module]:
        """The modules with the settings of `point`. Raises ValidationError where two settings exclude each other."""
        out = dict(modules)
        for axis, value in zip(self.axes, point, strict=True):
            if axis.stage is not None:
                out[axis.stage] = out[axis.stage].with_settings({axis.name.split(".", 1)[1]: axis.plain(value)})
        return out

    def grid(self, steps: int, most: int) -> list[Point]:
        """Every combination. Raises SearchError where there are more than `most`."""
        sides = [axis.grid(steps) for axis in self.axes]
        count = 1
        for side in sides:
            count *= len(side)
        if count > most:
            shape = " x ".join(str(len(s)) for s in sides)
            raise SearchError(
                f"a grid of {shape} = {count} points, asked for are {most} trials; give fewer --steps or more --trials"
            )
        return list(itertools.product(*sides))


def space_of(
    signal: str | None, ranges: Sequence[str], settings: Sequence[str], modules: Mapping[Stage, Module]
) -> Space:
    """The space that a command line asks for: `window=5:60` a placeholder, `size.smoothing_bars[=1:10]` a setting.

    Whole where both ends are written without a point, for settings where they are whole. Raises SearchError, and
    SignalError for a signal that does not parse at the ends.
    """
    axes = [_placeholder(text) for text in ranges] + [_setting(text, modules) for text in settings]
    names = [a.name for a in axes]
    if not axes:
        raise SearchError("nothing to search: give --range NAME=LOW:HIGH for a {name} in the signal, or --setting")
    if len(set(names)) < len(names):
        raise SearchError(f"{', '.join(sorted({n for n in names if names.count(n) > 1}))} is given twice; give it once")
    apart = unmatched(signal or "", [a.name for a in axes if a.stage is None])
    if apart:
        raise SearchError(
            f"placeholders without a range: {apart.missing}; ranges without a placeholder: {apart.idle}; write each as "
            "{name} in the signal and --range name=LOW:HIGH"
        )
    space = Space(tuple(axes), signal)
    for corner in (tuple(a.low for a in axes), tuple(a.high for a in axes)):
        filled = space.filled(corner)
        if filled is not None:
            parse(filled)
    return space


def _placeholder(text: str) -> Axis:
    name, _, ends = text.partition("=")
    if not is_name(name):
        raise SearchError(f"--range {text!r}: {name!r} is no name; use small letters, like window=5:60")
    low, high, whole = _ends(text, ends)
    return Axis(name, low, high, whole)


def _setting(text: str, modules: Mapping[Stage, Module]) -> Axis:
    name, _, ends = text.partition("=")
    stage_name, _, field = name.partition(".")
    stage = next((s for s in SEARCHED if s == stage_name), None)
    if stage is None or stage not in modules:
        raise SearchError(f"--setting {text!r}: write STAGE.SETTING with a stage of {', '.join(SEARCHED)}")
    module = modules[stage]
    rule = type(module.settings).model_json_schema().get("properties", {}).get(field)
    if rule is None:
        raise SearchError(f"--setting {text!r}: {stage}/{module.name} has no setting {field}; see `cws module list`")
    if rule.get("assumption"):
        raise SearchError(f"--setting {text!r}: {field} is an assumption about the world, not for tuning")
    bounds = [rule.get(k) for k in ("minimum", "maximum")]
    if rule.get("type") not in ("integer", "number") or not all(isinstance(b, int | float) for b in bounds):
        raise SearchError(f"--setting {text!r}: {field} is no number with closed bounds, so it cannot be searched")
    whole = rule["type"] == "integer"
    low, high = (float(b) for b in bounds if b is not None)
    if ends:
        inner_low, inner_high, written_whole = _ends(text, ends)
        if inner_low < low or inner_high > high or (whole and not written_whole):
            raise SearchError(f"--setting {text!r}: {field} lies between {rule['minimum']} and {rule['maximum']}")
        low, high = inner_low, inner_high
    return Axis(name, low, high, whole, stage)


def _ends(text: str, ends: str) -> tuple[float, float, bool]:
    try:
        low, high = (float(part) for part in ends.split(":"))
    except ValueError as error:
        raise SearchError(f"{text!r}: write LOW:HIGH, like window=5:60") from error
    if not (-1e12 < low < high < 1e12):
        raise SearchError(f"{text!r}: {low:g} must be below {high:g}, both finite")
    return low, high, not any(c in ends for c in ".eE")
