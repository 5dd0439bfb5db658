"""Frictions switched on one at a time, from an account without any to the account that a run recorded.

The order is fixed (`LADDER`), since what a friction costs depends on which are on already: how an order fills comes
first, then what a fill costs, then what may be ordered at all. The last step has every setting of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from harness.vector.frictionless import FRICTIONLESS, Traded, closes_only, free, simulate_fine, traded
from modules.engine.settings import TradingSettings
from modules.panel import Panel


@dataclass(frozen=True)
class Step:
    """A friction: its name, what it is, and the settings that hold it."""

    cause: str
    about: str
    settings: tuple[str, ...] = ()


TIMING: Final = Step("timing", "fills at the run's price, not at the decision's close", ("fill_without_open",))
UNFILLED: Final = Step("unfilled", "orders that expire on bars without volume or of stale prices", ("max_stale_bars",))
ACTIONS: Final = Step(
    "corporate actions", "prices as traded, splits, dividends in cash, delistings, members of the day"
)
LOTS: Final = Step("lots and cash", "whole lots and micro-units of the run's capital", ("capital_usd",))
OTHER: Final = Step("other settings", "settings of the account that this ladder has no name for")

LADDER: Final = (
    TIMING,
    UNFILLED,
    ACTIONS,
    LOTS,
    Step(
        "partial fills", "orders larger than max_participation", ("max_participation", "participation_of", "remainder")
    ),
    Step("spread", "half the quoted spread on each fill", ("half_spread_bps",)),
    Step(
        "commission",
        "commission on each fill",
        ("commission_bps", "commission_share_usd", "commission_trade_usd", "commission_minimum_usd"),
    ),
    Step("impact", "square-root and permanent impact of each fill", ("impact_k", "permanent_impact_gamma")),
    Step("borrow", "borrow on shorts", ("borrow_bps_year",)),
    Step("funding", "funding of longs", ("funding_bps_year",)),
    Step("small orders", "orders too small to send", ("min_order_usd",)),
    Step("instrument limit", "orders cut or refused by max_instrument_nav", ("max_instrument_nav",)),
    Step("sector limit", "orders cut or refused by max_sector_nav", ("max_sector_nav",)),
    Step("trade risk limit", "orders cut or refused by max_trade_risk, or of unknown volatility", ("max_trade_risk",)),
    Step("daily loss limit", "positions closed for the day by max_daily_loss", ("max_daily_loss",)),
    OTHER,
)


ACTION_FIELDS: Final = {"raw_close", "split", "dividend", "delisting", "member"}


@dataclass(frozen=True, eq=False)
class Material:
    """What a run traded: bars, the target weights of its sizing, instruments, the settings of its account."""

    bars: Panel
    weights: Panel
    instruments: pl.DataFrame
    settings: TradingSettings
    start_ns: int


@dataclass(frozen=True, eq=False)
class Rung:
    """The account after a step."""

    step: Step
    traded: Traded


def climb(material: Material) -> Iterator[Rung]:
    """The account after each step of `LADDER`, in its order; a step that changes nothing it reads is left out.

    The account before the first step is `frictionless`; the last has all settings of the run. Raises EngineError.
    """
    recorded = {name: getattr(material.settings, name) for name in TradingSettings.model_fields}
    on: dict[str, object] = dict(FRICTIONLESS)
    bars, fine = closes_only(material.bars), True
    for step in LADDER:
        wanted = recorded if step is OTHER else {name: recorded[name] for name in step.settings}
        seen = _seen(step, material.bars, bars)
        if step is not LOTS and seen is bars and all(on[name] == value for name, value in wanted.items()):
            continue
        on |= wanted
        bars, fine = seen, fine and step is not LOTS
        settings = free(material.settings, **on)
        asked = (bars, material.weights, material.instruments, settings, material.start_ns)
        yield Rung(step, simulate_fine(*asked) if fine else traded(*asked))


def _seen(step: Step, whole: Panel, so_far: Panel) -> Panel:
    """The fields of the bars that the account sees from `step` on: opens, then volume, then actions and the rest."""
    if step is TIMING and "open" in whole:
        return opens_and_closes(whole)
    if step is UNFILLED and "volume" in whole:
        return _only(whole, "open", "close", "volume")
    return whole if step is ACTIONS and ACTION_FIELDS & set(whole) else so_far


def opens_and_closes(bars: Panel) -> Panel:
    """The same bars with their adjusted prices alone, so that every order fills at the run's own price."""
    return _only(bars, "open", "close")


def _only(bars: Panel, *names: str) -> Panel:
    return Panel(bars.ts, bars.symbols, {name: bars[name] for name in names if name in bars})
