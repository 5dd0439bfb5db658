"""Every kernel of the matching on bars, compiled before anybody waits for it: on a bare machine that takes a while."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.engine.bars import prepare
from modules.engine.limits import RiskLimits
from modules.engine.settings import Costs, Liquidity
from modules.live.units import DAY_NS
from modules.live.venues.sim.bars import BarMatching
from modules.live.venues.sim.protocol import NewOrder
from modules.panel import Panel

_SYMBOLS = ("A.WARM", "B.WARM")


def warm() -> None:
    """Trade a market of five bars that has everything: shorts, longs, a split, a dividend, a delisting, a cap."""
    bars = _bars()
    matching = BarMatching(
        prepare(
            bars, _instruments(), capital_usd=1e6, costs=Costs(funding_bps_year=1.0), limits=RiskLimits(), start_ns=0,
            liquidity=Liquidity(participation=0.5),
        )
    )  # fmt: skip
    moment = 0
    for t in range(bars.ts.size):
        matching.proceed(moment)
        moment = int(bars.ts[t])
        matching.submit(NewOrder(f"a{t}", _SYMBOLS[0], -10))
        matching.submit(NewOrder(f"b{t}", _SYMBOLS[1], 10))


def _bars() -> Panel:
    shape = (5, len(_SYMBOLS))
    close = np.full(shape, 100.0)
    split, dividend, delisting = np.ones(shape), np.zeros(shape), np.full(shape, np.nan)
    split[2, 0], dividend[3, 0], delisting[4, 1] = 2.0, 1.0, -0.5
    fields = {"close": close, "open": close, "volume": 1000.0 * close, "raw_close": close, "raw_open": close}
    actions = {"split": split, "dividend": dividend, "delisting": delisting}
    return Panel(np.arange(1, 6, dtype=np.int64) * DAY_NS, _SYMBOLS, fields | actions)


def _instruments() -> pl.DataFrame:
    moment = pl.Datetime("ns", "UTC")
    same = {"venue": "WARM", "currency": "USD", "calendar": "WARM", "sector": "all", "tick_size": 0.01, "lot_size": 1.0}
    return pl.DataFrame({"symbol": list(_SYMBOLS)}).with_columns(
        **{name: pl.lit(value) for name, value in same.items()},
        valid_from=pl.lit(0).cast(moment),
        valid_to=pl.lit(None, dtype=moment),
    )
