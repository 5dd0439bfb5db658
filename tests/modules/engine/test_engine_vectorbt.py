"""An independent account: vectorbt's, on real prices, for several signals. Slow to import, so marked so.

Two halves prove the whole. vectorbt keeps the account of the orders; that the orders are the targets is checked
against vectorbt's own NAV, bar by bar, with plain numpy: lots wanted at the close of t, held after bar t+1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from modules.engine.bars import simulate
from modules.engine.instruments import align_instruments
from modules.engine.limits import RiskLimits
from modules.engine.settings import Costs
from modules.engine.weights import hold_within_band, rank_weights, trailing_average
from modules.panel import FloatArray, Panel
from tests.modules.engine.cases import US20_SECTORS, instruments, us20

LOT = 0.0001
START = 4000


def change(close: FloatArray, bars: int, skip: int = 0) -> FloatArray:
    out = np.full(close.shape, np.nan)
    out[bars:] = close[bars - skip : close.shape[0] - skip] / close[:-bars] - 1.0
    return out


SIGNALS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "five-day reversal": lambda c: -change(c, 5),
    "one-day reversal": lambda c: -change(c, 1),
    "twelve-month momentum": lambda c: change(c, 252, 21),
    "noise": lambda c: np.random.default_rng(1).normal(size=c.shape),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fees_bps", "smoothing"), [*((name, 0.0, 1) for name in SIGNALS), ("one-day reversal", 5.0, 5)]
)
def test_vectorbt_agrees_on_nav(name: str, fees_bps: float, smoothing: int) -> None:
    import vectorbt as vbt

    bars = us20()
    close = bars["close"]
    table = instruments(bars.symbols, LOT, US20_SECTORS)
    axes = align_instruments(table, bars.symbols, bars.ts)
    targets = rank_weights(SIGNALS[name](close), close, axes, gross=0.3, cap=0.03, sector_cap=0.2)
    targets = hold_within_band(trailing_average(targets, smoothing)[START:], close[START:], 0.0)
    ours = simulate(
        bars,
        Panel(bars.ts[START:], bars.symbols, {"weight": targets}),
        table,
        capital_usd=1e6,
        costs=Costs(half_spread_bps=0.0, commission_bps=fees_bps, impact_k=0.0, borrow_bps_year=0.0),
        limits=RiskLimits(),
        start_ns=int(bars.ts[START]),
    )
    size = np.zeros((ours.ts.size, len(bars.symbols)))
    size[ours.fills.row - START, ours.fills.symbol] = ours.fills.lots * LOT
    portfolio = vbt.Portfolio.from_orders(
        close[START:],
        size,
        size_type="amount",
        direction="both",
        fees=fees_bps * 1e-4,
        init_cash=1e6,
        cash_sharing=True,
        group_by=True,
        freq="1D",
    )
    theirs = portfolio.value().to_numpy()
    np.testing.assert_allclose(ours.bars.nav / 1e6, theirs, rtol=1e-9)

    wanted = np.trunc(targets * theirs[:, None] / (LOT * close[START:]))
    held = np.cumsum(np.rint(size / LOT), axis=0)
    approved = {(int(r), int(c)) for r, c in zip(ours.orders.row, ours.orders.symbol, strict=True)} - {
        (int(ours.orders.row[k]), int(ours.orders.symbol[k])) for k in np.flatnonzero(ours.orders.decision)
    }
    rows, columns = (np.array(x) for x in zip(*sorted(approved), strict=True))
    inner = rows < bars.ts.size - 1
    rows, columns = rows[inner] - START, columns[inner]
    assert rows.size > 10_000
    assert np.abs(held[rows + 1, columns] - wanted[rows, columns]).max() <= 1, "a float quotient may round over a lot"
