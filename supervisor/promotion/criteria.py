"""A gate against figures: each criterion with what was asked, what was found, and whether it holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from modules.promotion import Gate

Source = Literal["research", "lockbox", "live"]

SOURCES: Final[dict[str, Source]] = {
    "min_windows": "research",
    "min_window_sharpe": "research",
    "max_permutation_p": "research",
    "min_sharpe_at_three_times_cost": "research",
    "min_deflated_sharpe": "research",
    "max_overfitting": "research",
    "max_lockbox_exposed_share": "research",
    "min_lockbox_sharpe": "lockbox",
    "min_lockbox_probability": "lockbox",
    "max_lockbox_drawdown": "lockbox",
    "min_days": "live",
    "min_sharpe_share_of_research": "live",
    "min_sharpe_share_of_paper": "live",
    "max_shortfall_bps": "live",
}
"""Where a criterion's figure comes from. `max_drawdown` is of research before paper, of live trading after."""

LIVE: Final = tuple(name for name, source in SOURCES.items() if source == "live")

PARAMETERS: Final = frozenset({"min_window_sharpe"})
"""Fields of a gate that shape another criterion and are none themselves."""

STRICT: Final = frozenset({"max_drawdown", "max_lockbox_drawdown", "max_shortfall_bps"})
"""Must lie below the limit; other limits may be met exactly."""


class Answer(StrEnum):
    """NO_EVIDENCE is never a pass; NOT_ASKED: the lockbox stays shut while anything before it fails."""

    HOLDS = "HOLDS"
    FAILS = "FAILS"
    NO_EVIDENCE = "NO_EVIDENCE"
    NOT_ASKED = "NOT_ASKED"


class Finding(BaseModel):
    """What is known of one criterion. `figure` None = nothing was measured; `words` say why, or how."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    figure: float | None
    words: str = ""


class Criterion(BaseModel):
    """One criterion, asked and answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    source: Source
    side: Literal["at least", "at most", "below"]
    limit: float
    figure: float | None
    answer: Answer
    words: str = ""


def evaluate(gate: Gate, found: Mapping[str, Finding], asked: frozenset[Source]) -> tuple[Criterion, ...]:
    """Every criterion of `gate`, in its order; those whose source is not `asked` are NOT_ASKED."""
    limits = {name: float(value) for name, value in gate.model_dump().items() if name not in PARAMETERS}
    return tuple(_judged(name, limit, found.get(name), asked) for name, limit in limits.items())


def _judged(name: str, limit: float, found: Finding | None, asked: frozenset[Source]) -> Criterion:
    source = source_of(name, asked)
    side: Literal["at least", "at most", "below"] = "at least"
    if name.startswith("max_"):
        side = "below" if name in STRICT else "at most"
    if source not in asked:
        return Criterion(name=name, source=source, side=side, limit=limit, figure=None, answer=Answer.NOT_ASKED)
    figure = None if found is None else found.figure
    if figure is None:
        answer = Answer.NO_EVIDENCE
    else:
        holds = figure >= limit if side == "at least" else figure <= limit if side == "at most" else figure < limit
        answer = Answer.HOLDS if holds else Answer.FAILS
    words = "nothing was measured" if found is None else found.words
    return Criterion(name=name, source=source, side=side, limit=limit, figure=figure, answer=answer, words=words)


def source_of(name: str, asked: frozenset[Source]) -> Source:
    """Where the figure of a criterion comes from."""
    return SOURCES.get(name, "live" if "live" in asked else "research")


def all_hold(criteria: tuple[Criterion, ...], source: Source | None = None) -> bool:
    """Whether every criterion (of `source`) holds. None at all is no pass."""
    mine = [c for c in criteria if source in (None, c.source)]
    return bool(mine) and all(c.answer is Answer.HOLDS for c in mine)
