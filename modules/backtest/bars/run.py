"""Judge a signal: what it knew (IC, quantiles) and what it earned at the reference sizing."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from modules.backtest.bars.contract import Inputs, Outputs
from modules.backtest.bars.settings import Settings
from modules.contract import Context
from modules.engine import metrics as m
from modules.engine.bars import first_row, signal_on, trade
from modules.engine.evidence import SIGNAL_LAG_BARS, fill_to_fill_returns, quantile_returns, rank_ic
from modules.engine.instruments import align_instruments
from modules.engine.market import fill_prices
from modules.engine.weights import rank_weights
from modules.panel import FloatArray, Panel

REFERENCE_GROSS = 1.0
DECAY_BARS = (1, 5, 20)


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Evidence from `context.start_ns` on. Raises EngineError where signal and bars do not fit."""
    bars = inputs.bars
    signal = signal_on(bars, inputs.signal)
    start = first_row(bars.ts, context.start_ns)
    axes = align_instruments(inputs.instruments, bars.symbols, bars.ts)
    targets = rank_weights(
        signal,
        bars["close"],
        axes,
        gross=REFERENCE_GROSS,
        cap=settings.max_instrument_nav,
        sector_cap=settings.max_sector_nav,
    )
    weights = Panel(bars.ts[start:], bars.symbols, {"weight": targets[start:]})
    account = trade(bars, weights, inputs.instruments, settings, context.start_ns)

    returns = fill_to_fill_returns(fill_prices(bars, settings.fill_without_open))
    ic = rank_ic(signal, returns, SIGNAL_LAG_BARS, start)
    means, counts, spread = quantile_returns(signal, returns, SIGNAL_LAG_BARS, start, settings.quantiles)
    metrics = account.metrics() | _knowledge(signal, returns, bars["close"], ic, spread, start)
    judgement = _judge(metrics, settings)
    metrics["passed"] = float(judgement["passed"].all())
    evidence = account.nav().select("event_time", "gross_return", "net_return", "turnover")
    return Outputs(
        evidence=evidence.with_columns(_nullable("ic", ic[start:]), _nullable("spread_return", spread[start:])),
        quantiles=_quantile_table(means, counts),
        judgement=judgement,
        metrics=metrics,
        notes=account.notes() + _failures(judgement),
    )


def _knowledge(
    signal: FloatArray, returns: FloatArray, close: FloatArray, ic: FloatArray, spread: FloatArray, start: int
) -> dict[str, float]:
    """IC and its decay, spread of the quantiles, coverage. `ic_delay_k` trades k bars later than `ic_mean`."""
    known = ic[~np.isnan(ic)]
    priced = ~np.isnan(close[start:])
    cells = int(np.count_nonzero(priced))
    figures = {
        "ic_mean": m.mean(known),
        "ic_t_stat": m.t_statistic(known),
        "quantile_spread": m.mean(spread[~np.isnan(spread)]),
        "coverage": float(np.count_nonzero(priced & ~np.isnan(signal[start:])) / cells) if cells else 0.0,
    }
    for delay in DECAY_BARS:
        later = rank_ic(signal, returns, SIGNAL_LAG_BARS + delay, start)
        figures[f"ic_delay_{delay}"] = m.mean(later[~np.isnan(later)])
    return m.present(figures)


def _judge(metrics: dict[str, float], settings: Settings) -> pl.DataFrame:
    """One row a criterion; a figure that does not exist fails."""
    criteria = {
        "net_sharpe": settings.min_net_sharpe,
        "ic_t_stat": settings.min_ic_t_stat,
        "coverage": settings.min_coverage,
        "fills": float(settings.min_fills),
    }
    return pl.DataFrame(
        {
            "criterion": list(criteria),
            "value": [metrics.get(name) for name in criteria],
            "threshold": list(criteria.values()),
            "passed": [metrics.get(name, -math.inf) >= floor for name, floor in criteria.items()],
        },
        schema={"criterion": pl.String, "value": pl.Float64, "threshold": pl.Float64, "passed": pl.Boolean},
    )


def _failures(judgement: pl.DataFrame) -> tuple[str, ...]:
    failed = judgement.filter(~pl.col("passed"))
    return tuple(
        f"not passed: {name} is {'absent' if value is None else f'{value:.4g}'}, asked {floor:.4g}"
        for name, value, floor, _ in failed.iter_rows()
    )


def _quantile_table(means: FloatArray, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    """Quantiles that hold anything, 1 = lowest signal."""
    filled = counts > 0
    number = np.arange(1, means.size + 1, dtype=np.int64)
    return pl.DataFrame({"quantile": number[filled], "mean_return": means[filled], "count": counts[filled]})


def _nullable(name: str, values: FloatArray) -> pl.Series:
    return pl.Series(name, values).fill_nan(None)
