"""Known figures of 20 US stocks: dollar-neutral ranks, 5 bps a side, 50-80 % of history, research convention
(weight[t] * return[t + 1], which is `previous_close`).

Computed independently as w[t] * r[t + 1] - 5 bps * |w[t] - w[t - 1]|: five-day reversal -0.69 net Sharpe, -0.39 with
a no-trade band; one-day reversal -1.92, -0.20 with weights averaged over five days; the gains are certain (t of the
daily difference 4.5 and 6.1 in blocks of 20), while twelve-month momentum gains nothing certain.
The account differs a little: it rebalances what prices moved, trades whole lots and obeys the risk limits.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.contract import Context
from modules.panel import FloatArray, Panel
from modules.registry import load_module
from tests.modules.engine.cases import US20_SECTORS, instruments, us20


def change(bars: int, skip: int = 0) -> FloatArray:
    close = us20()["close"]
    out = np.full(close.shape, np.nan)
    out[bars:] = close[bars - skip : close.shape[0] - skip] / close[:-bars] - 1.0
    return out


def judged(signal: FloatArray, **changes: object) -> tuple[float, FloatArray]:
    """Net Sharpe and net returns of the judging part."""
    bars = us20()
    table = instruments(bars.symbols, 0.0001, US20_SECTORS)
    context = Context(seed=0, start_ns=int(bars.ts[int(0.5 * bars.ts.size / 0.8)]))
    size = load_module("size", "rank_neutral").with_settings({"no_trade_band": 0.0, "smoothing_bars": 1} | changes)
    weights = size.run(
        size.inputs(bars=bars, signal=Panel(bars.ts, bars.symbols, {"signal": signal}), instruments=table),
        size.settings,
        context,
    )
    trade = load_module("execute", "next_bar").with_settings(
        {"half_spread_bps": 4.0, "commission_bps": 1.0, "borrow_bps_year": 0.0, "fill_without_open": "previous_close"}
    )
    inputs = trade.inputs(bars=bars, weights=weights.weights, instruments=table)  # type: ignore[attr-defined]
    out = trade.run(inputs, trade.settings, context)
    return out.metrics["net_sharpe"], out.nav["net_return"].to_numpy()  # type: ignore[attr-defined]


def block_t(difference: FloatArray, bars: int = 20) -> float:
    """t of the mean of block means."""
    means = difference[: difference.size // bars * bars].reshape(-1, bars).mean(axis=1)
    return float(means.mean() / means.std(ddof=1) * np.sqrt(means.size))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal", "changes", "before", "after", "least_t", "most_t"),
    [
        (-change(5), {"no_trade_band": 0.02}, -0.69, -0.39, 3.5, 6.0),
        (-change(1), {"smoothing_bars": 5}, -1.92, -0.20, 5.0, 9.0),
        (change(252, 21), {"no_trade_band": 0.02}, 0.1, 0.15, -2.0, 2.0),
        (change(252, 21), {"smoothing_bars": 5}, 0.1, 0.15, -2.0, 2.0),
    ],
    ids=["five-day reversal, band", "one-day reversal, average", "momentum, band", "momentum, average"],
)
def test_known_figures(
    signal: FloatArray, changes: dict[str, object], before: float, after: float, least_t: float, most_t: float
) -> None:
    plain, base = judged(signal)
    better, patched = judged(signal, **changes)
    assert plain == pytest.approx(before, abs=0.12)
    assert better == pytest.approx(after, abs=0.12)
    assert least_t < block_t(patched - base) < most_t
