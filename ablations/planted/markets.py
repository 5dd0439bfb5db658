"""The planted markets as data: which alphas each holds, how strong, and in which part of it.

Every market has the same symbols: eight groups that mine, eight that judge and one that no suite may name. A group is
a small market of its own (two sectors of four symbols); groups share nothing but the market's return, so that a
suite has tasks that are independent but for time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AlphaKind = Literal["reversal", "place", "volume", "weekday", "trend", "drift", "calm"]
FaultKind = Literal["print", "stale", "missing"]

BARS = 2_000
FIRST_DAY = "2001-01-01"
VENUE = "SIM"
GROUPS = 8
LETTERS = "ABCDEFGH"
SECTORS = ("North", "South")

MINING = tuple(tuple(f"M{g}{a}" for a in LETTERS) for g in range(GROUPS))
JUDGING = tuple(tuple(f"J{g}{a}" for a in LETTERS) for g in range(GROUPS))
LOCKBOX = (tuple(f"L0{a}" for a in LETTERS),)
ALL_GROUPS = (*MINING, *JUDGING, *LOCKBOX)


@dataclass(frozen=True)
class Alpha:
    """What moves the expected return of a bar's day, known at the close before: `bps` for a symbol one standard
    deviation above its group.

    `reversal`  the return of five bars, less the group's, turns;
    `place`     a close low in its range, a week's mean, is followed by a rise;
    `volume`    volume above its mean of fifty bars is followed by a rise;
    `weekday`   each symbol has good and bad weekdays, which change over months;
    `trend`     a latent drift that halves in about a month; `drift` the same in about a quarter;
    `calm`      symbols of low volatility rise more.
    `until`     the share of history after which it is gone: 1 = never.
    """

    kind: AlphaKind
    bps: float
    until: float = 1.0


@dataclass(frozen=True)
class Faults:
    """How often a cell is at fault: a print far off that the next bar takes back, a close that stands still for some
    bars, a bar that is not delivered."""

    prints: float = 0.0
    stale: float = 0.0
    missing: float = 0.0


@dataclass(frozen=True)
class Market:
    """One simulated market. Equal fields give equal prices."""

    name: str
    seed: int
    summary: str
    alphas: tuple[Alpha, ...] = ()
    faults: Faults = Faults()
    scale: float = 1.0
    """Of everything that moves prices, alphas too."""
    bars: int = BARS


_FAST = (Alpha("reversal", 120.0), Alpha("place", 90.0), Alpha("volume", 130.0), Alpha("weekday", 350.0))

_KNOWN = (
    Market("planted_fast", 60_601, "alphas that last days: reversal, place in the range, volume, weekday", _FAST),
    Market(
        "planted_slow",
        60_602,
        "alphas that last weeks to years: trend, drift, low volatility",
        (Alpha("trend", 160.0), Alpha("drift", 80.0), Alpha("calm", 40.0)),
        scale=0.4,
    ),
    Market(
        "planted_faults",
        60_603,
        "the fast alphas, delivered with bad prints, closes that stand still and missing bars",
        _FAST,
        Faults(prints=0.002, stale=0.0005, missing=0.003),
    ),
    Market("planted_null", 60_604, "no alpha: every gross difference between two signals is luck"),
    Market(
        "planted_fading",
        60_605,
        "a leak: the fast alphas hold while a patch is chosen and are gone when it is judged",
        tuple(Alpha(a.kind, a.bps, until=0.5) for a in _FAST),
    ),
)
MARKETS: Mapping[str, Market] = {market.name: market for market in _KNOWN}


def canonical(symbol: str) -> str:
    """As records name it: `M0A.SIM`."""
    return f"{symbol}.{VENUE}"
