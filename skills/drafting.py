"""What a drafting skill knows in machine-readable form: the fenced `drafting` block of its SKILL.md.

The block is YAML, so a person reads it, git shows its changes line by line, and a supervisor patch
can change a phrase or a recipe without touching code.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from skills.plainyaml import plain_yaml

Claim = Literal["continues", "reverts", "high", "low", "any"]
"""What the skill's sources found: the move continues or reverts; or stocks with a high (low) measure do better."""

_BLOCK = re.compile(r"^```yaml drafting\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PLACES = re.compile(r"\{([a-z]*)\}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Horizon(_Frozen):
    """Look-back windows in bars: the default, the range in which the skill applies, and the skipped latest bars."""

    default: int = Field(ge=1, le=1_260)
    low: int = Field(ge=1, le=1_260)
    high: int = Field(ge=1, le=1_260)
    skip: int = Field(default=0, ge=0, le=252)

    @model_validator(mode="after")
    def _ordered(self) -> Horizon:
        if not self.low <= self.default <= self.high:
            raise ValueError(
                f"horizon_bars default {self.default} must lie between low {self.low} and high {self.high}"
            )
        return self


class Words(_Frozen):
    """Phrases that name the event: its high end, its low end, or the measure with no end named."""

    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()


class Recipe(_Frozen):
    """A measure in the signal language, rising with the event's high end. Places: {h} window, {s} skip, {g} h - s."""

    name: str = Field(min_length=1, max_length=60)
    expr: str = Field(min_length=1, max_length=400)

    @model_validator(mode="after")
    def _known_places(self) -> Recipe:
        wrong = sorted(set(_PLACES.findall(self.expr)) - {"h", "s", "g"})
        if wrong:
            raise ValueError(f"recipe {self.name} has place {{{wrong[0]}}}; only {{h}}, {{s}} and {{g}} are filled")
        return self

    @property
    def skips(self) -> bool:
        """Whether the recipe leaves out the latest bars."""
        return "{s}" in self.expr or "{g}" in self.expr


class Gates(_Frozen):
    """Conditions in the signal language for the high and the low end; {x} is the factor said, {w} its window."""

    high: str | None = None
    low: str | None = None
    factor: float = Field(default=2.0, gt=0.0, le=100.0)
    window: int = Field(default=20, ge=2, le=504)


class Serves(_Frozen):
    """Another reading that this skill answers too: an event together with a condition on a second one."""

    event: str
    condition: str


class Drafting(_Frozen):
    """The drafting block: which event, in which words, over which windows, and the recipes that measure it."""

    event: str = Field(pattern=r"^[a-z_]+$")
    about: str = Field(min_length=1, max_length=120)
    moves: bool
    fraction: bool = False
    """The recipes' first measure is a fraction of the price, so a size said in percent applies to it."""
    claim: Claim
    prefer: int = Field(default=0, ge=0, le=9)
    """Where several skills fit a text equally, the one with the larger number goes first."""
    horizon_bars: Horizon
    words: Words = Words()
    effects: dict[str, Literal["continues", "reverts", "high", "low"]] = Field(default_factory=dict)
    recipes: tuple[Recipe, ...] = Field(min_length=1)
    gates: Gates = Gates()
    serves: Serves | None = None

    @model_validator(mode="after")
    def _claims_fit(self) -> Drafting:
        if not self.moves and (
            self.claim in ("continues", "reverts") or {"continues", "reverts"} & set(self.effects.values())
        ):
            raise ValueError(f"event {self.event} is no price move, so it cannot continue or revert; claim high or low")
        return self

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase of the skill, for search."""
        return (*self.words.high, *self.words.low, *self.words.bare, *self.effects)


def read_drafting(body: str) -> Drafting | None:
    """The drafting block of a skill's body, or None where the skill drafts nothing.

    Raises ValueError (pydantic's for a bad field) where the block is there but broken or given twice.
    """
    blocks = _BLOCK.findall(body)
    if not blocks:
        return None
    if len(blocks) > 1:
        raise ValueError(f"{len(blocks)} drafting blocks; a skill has one")
    try:
        parsed = plain_yaml(blocks[0])
    except ValueError as error:
        raise ValueError(f"the drafting block {error}") from None
    return Drafting.model_validate(parsed)
