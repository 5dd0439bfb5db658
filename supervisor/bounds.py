"""A module's search space, read as data: the JSON schema of its settings.

A setting may be searched if it is a number with both bounds. Settings that carry `assumption: true` describe
the world (costs, fills, capital): a better result from a kinder world is no improvement, so they stay. Limits of risk
say what a human is ready to lose: no backtest knows, so they stay too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

from pydantic import JsonValue

from modules.engine.limits import RiskLimits

STEPS = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
"""How far a candidate goes from the value in force towards the bound, small steps first. The bound itself is among
them: a signal that is averaged over many bars is often best not averaged at all."""

SIGNIFICANT_DIGITS = 2

INSET = 1e-6
"""Of the range, how far an exclusive bound is brought in."""

DECADE = 10.0
"""High over low from which on a range is searched by its logarithm."""

_LIMITS = frozenset(RiskLimits.model_fields)

Option = str | bool
"""A value of a setting that is one of a few."""


@dataclass(frozen=True)
class Bound:
    """A searchable setting and its closed range."""

    setting: str
    low: float
    high: float
    whole: bool

    def towards(self, value: float, direction: Literal["raise", "lower"]) -> tuple[float | int, ...]:
        """A few candidates between `value` and the bound, nearest first, inside the range, none equal to `value`."""
        end = self.high if direction == "raise" else self.low
        if value == end:
            return ()
        found: list[float | int] = []
        for step in STEPS:
            candidate = self._rounded(value + (end - value) * step, value, end)
            if self.low <= candidate <= self.high and candidate != value and candidate not in found:
                found.append(candidate)
        return tuple(found)

    def tidy(self, value: float) -> float | int:
        """`value` inside the range, whole or with few digits: what a person would have written."""
        if self.whole:
            return round(min(self.high, max(self.low, value)))
        few = 0.0 if value == 0.0 else round(value, SIGNIFICANT_DIGITS - 1 - floor(log10(abs(value))))
        return min(self.high, max(self.low, few))

    @property
    def logarithmic(self) -> bool:
        """Whether a step should be a ratio: a range over a decade, as of a window or of basis points."""
        return self.low > 0.0 and DECADE <= self.high / self.low < 1 / INSET

    def _rounded(self, candidate: float, value: float, end: float) -> float | int:
        if self.whole:
            nearest = round(candidate)
            return nearest if nearest != value else int(value) + (1 if end > value else -1)
        if candidate == 0.0:
            return 0.0
        return round(candidate, SIGNIFICANT_DIGITS - 1 - floor(log10(abs(candidate))))


def search_space(schema: Mapping[str, JsonValue]) -> dict[str, Bound]:
    """Searchable settings of a JSON schema, by name. An exclusive bound is brought in by a millionth of the range."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    bounds = (_bound(name, rule) for name, rule in properties.items() if isinstance(rule, dict))
    return {bound.setting: bound for bound in bounds if bound is not None}


def choices(schema: Mapping[str, JsonValue]) -> dict[str, tuple[Option, ...]]:
    """Settings of a JSON schema that are one of a few texts, or yes or no, with what they may be."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    found = {name: _options(rule) for name, rule in properties.items() if isinstance(rule, dict)}
    return {name: options for name, options in found.items() if len(options) > 1}


def _options(rule: Mapping[str, JsonValue]) -> tuple[Option, ...]:
    if rule.get("assumption") is True:
        return ()
    if rule.get("type") == "boolean":
        return (False, True)
    listed = rule.get("enum")
    return tuple(v for v in listed if isinstance(v, str)) if isinstance(listed, list) else ()


def _bound(name: str, rule: Mapping[str, JsonValue]) -> Bound | None:
    kind = rule.get("type")
    if kind not in ("integer", "number") or rule.get("assumption") is True or name in _LIMITS:
        return None
    low, high = _end(rule, "minimum", "exclusiveMinimum"), _end(rule, "maximum", "exclusiveMaximum")
    if low is None or high is None or not low < high:
        return None
    inset = 1.0 if kind == "integer" else (high - low) * INSET
    return Bound(
        setting=name,
        low=low + (inset if "exclusiveMinimum" in rule else 0.0),
        high=high - (inset if "exclusiveMaximum" in rule else 0.0),
        whole=kind == "integer",
    )


def _end(rule: Mapping[str, JsonValue], *names: str) -> float | None:
    found = (rule[name] for name in names if name in rule)
    value = next(found, None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
