"""Names of panel fields that are made of facts: a concept, and how it is looked at.

total_assets                   the newest balance
total_assets_year_ago          the balance four quarters before that one
revenue_ttm                    the newest trailing four quarters
revenue_ttm_year_ago           the four quarters before those
revenue_quarter                the newest single quarter
revenue_quarter_year_ago       the same quarter a year before
shares_outstanding             common shares at the bar: as filed, times the splits since
shares_outstanding_year_ago    those of four quarters before, in shares of today
close_as_traded                the close before any adjustment
market_cap                     close_as_traded * shares_outstanding
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from modules.facts.concepts import CONCEPTS

Window = Literal["instant", "ttm", "quarter", "average"]
Dimension = Literal["money", "shares", "price"]

SHARES = "shares_outstanding"
AVERAGE_SHARES = "weighted_shares"
CLOSE_AS_TRADED = "close_as_traded"
MARKET_CAP = "market_cap"
_AGO = "_year_ago"


@dataclass(frozen=True)
class View:
    """A concept looked at: its newest moment, quarter or four quarters, or those of a year before."""

    concept: str
    window: Window
    year_ago: bool


def view_of(name: str) -> View:
    """The view that a field's name says; any concept, also one that the table does not know."""
    ago = name.endswith(_AGO)
    rest = name.removesuffix(_AGO) if ago else name
    for window in ("ttm", "quarter"):
        if rest.endswith(f"_{window}"):
            return View(rest.removesuffix(f"_{window}"), window, ago)
    return View(rest, "instant", ago)


def _names() -> dict[str, Dimension]:
    found: dict[str, Dimension] = {}
    for concept in CONCEPTS:
        if concept.span == "average":
            continue
        stems = (concept.name,) if concept.span == "instant" else (f"{concept.name}_ttm", f"{concept.name}_quarter")
        for stem in stems:
            found[stem] = found[f"{stem}{_AGO}"] = concept.dimension
    return {**found, CLOSE_AS_TRADED: "price", MARKET_CAP: "money"}


FACT_FIELDS: Mapping[str, Dimension] = MappingProxyType(_names())
"""Every field that is made of the concepts of the table, and its dimension. Neither later splits nor later dividends
move any of them."""
