"""Simulated markets whose truth is known: returns of which a signal explains a set part, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.validation.evidence import Evidence, Family
from harness.validation.regimes import market_returns
from modules.contract import TIME
from modules.engine.bars import simulate
from modules.engine.evidence import SIGNAL_LAG_BARS, fill_to_fill_returns
from modules.engine.instruments import align_instruments
from modules.engine.limits import RiskLimits
from modules.engine.market import fill_prices
from modules.engine.metrics import bars_per_year
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.engine.weights import rank_weights
from modules.jit import kernel
from modules.panel import FloatArray, Panel

DAY_NS = 86_400_000_000_000
SIGMA = 0.01
COMMON = 0.006
GROSS = 0.4
CAP = 0.05


@kernel
def remembering(shocks: FloatArray, memory: float) -> FloatArray:
    """AR(1) of unit variance, `[T, N]`."""
    out = shocks.copy()
    for t in range(1, out.shape[0]):
        for i in range(out.shape[1]):
            out[t, i] = memory * out[t - 1, i] + np.sqrt(1.0 - memory * memory) * shocks[t, i]
    return out


@kernel
def held_returns(weights: FloatArray, returns: FloatArray) -> FloatArray:
    """`[T]` what weights of the bar before earn."""
    out = np.zeros(returns.shape[0])
    for t in range(1, returns.shape[0]):
        for i in range(returns.shape[1]):
            out[t] += weights[t - 1, i] * returns[t, i]
    return out


@dataclass(frozen=True, eq=False)
class Market:
    """`returns[t]` = effect * SIGMA * signal[t - 1] + common + own noise; prices follow from them."""

    returns: FloatArray
    signal: FloatArray
    effect: float
    bars: Panel
    instruments: pl.DataFrame

    def weights(self, signal: FloatArray) -> FloatArray:
        """Dollar-neutral rank weights of the engine."""
        axes = align_instruments(self.instruments, self.bars.symbols, self.bars.ts)
        return rank_weights(signal, self.bars["close"], axes, gross=GROSS, cap=CAP, sector_cap=0.25)

    def account(self, weights: FloatArray, costs: Costs) -> Simulation:
        """The engine's account of these weights."""
        return simulate(
            self.bars,
            Panel(self.bars.ts, self.bars.symbols, {"weight": weights}),
            self.instruments,
            capital_usd=1e8,
            costs=costs,
            limits=RiskLimits(),
            start_ns=int(self.bars.ts[0]),
            fill_without_open="previous_close",
        )

    def true_sharpe(self, weights: FloatArray, cost: float) -> float:
        """Of holding `weights`, a bar, less `cost` a bar: what is planted in each bar is known, so is the noise."""
        planted = (weights[:-1] * self.signal[:-1]).sum(axis=1) * self.effect * SIGMA
        noise = (weights[:-1] ** 2).sum(axis=1) * SIGMA**2 + weights[:-1].sum(axis=1) ** 2 * COMMON**2
        return float((planted.mean() - cost) / np.sqrt(noise.mean() + planted.var()))


def market(seed: int, effect: float, bars: int = 1_000, symbols: int = 16) -> Market:
    """A year is 252 bars of weekdays; sectors of four symbols."""
    rng = np.random.Generator(np.random.PCG64(seed))
    signal = remembering(rng.standard_normal((bars, symbols)), 0.9)
    returns = SIGMA * rng.standard_normal((bars, symbols)) + COMMON * rng.standard_normal((bars, 1))
    returns[1:] += effect * SIGMA * signal[:-1]
    returns[0] = 0.0
    names = tuple(f"S{i:02d}.NYSE" for i in range(symbols))
    days = np.arange("2000-01-03", "2040-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:bars]
    ts = days.astype("datetime64[ns]").astype(np.int64)
    close = 100.0 * np.multiply.accumulate(1.0 + returns, axis=0)
    instruments = pl.DataFrame(
        {
            "symbol": names,
            "venue": "NYSE",
            "currency": "USD",
            "calendar": "XNYS",
            "sector": [f"sector {i // 4}" for i in range(symbols)],
            "tick_size": 0.01,
            "lot_size": 1.0,
            "valid_from": 0,
            "valid_to": None,
        }
    ).with_columns(pl.col("valid_from", "valid_to").cast(TIME))
    return Market(returns, signal, effect, Panel(ts, names, {"close": close}), instruments)


@dataclass(frozen=True, eq=False)
class Search:
    """`trials` signals tried on one market without costs, and the evidence of the best of them."""

    best_sharpe: float
    evidence: Evidence


def search(found: Market, trials: int, seed: int, *, with_the_real_one: bool) -> Search:
    """The best of signals that know nothing, with the planted one among them or not.

    The family's series are weights times returns; the best goes through the engine again: on time, a bar late, and
    dear. Without costs of their own, so that noise has every chance.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    series = []
    made = []
    for k in range(trials):
        memory = 0.5 + 0.49 * rng.random()
        signal = remembering(rng.standard_normal(found.returns.shape), memory)
        if with_the_real_one and k == 0:
            signal = found.signal
        made.append(signal)
        series.append(held_returns(found.weights(signal), found.returns))
    family = np.stack(series, axis=1)
    ratios = family.mean(axis=0) / family.std(axis=0, ddof=1)
    order = np.argsort(-ratios, kind="stable")
    signal = made[int(order[0])]
    weights = found.weights(signal)
    account = found.account(weights, Costs.none())
    delayed = np.vstack([np.full((1, signal.shape[1]), np.nan), signal[:-1]])
    late = found.account(found.weights(delayed), Costs.none()).net_returns()
    dear = found.account(weights, Costs(half_spread_bps=0.5, commission_bps=0.1, impact_k=0.0, borrow_bps_year=0.0))
    net = account.net_returns()
    family = np.ascontiguousarray(family[:, order])
    family[:, 0] = net
    per_year = bars_per_year(found.bars.ts)
    earned = fill_to_fill_returns(fill_prices(found.bars, "previous_close"))
    evidence = Evidence(
        ts=found.bars.ts,
        per_year=per_year,
        net=net,
        fills=int(account.fills.row.size),
        weights=np.ascontiguousarray(weights[:-SIGNAL_LAG_BARS]),
        ahead=np.ascontiguousarray(earned[SIGNAL_LAG_BARS:]),
        market=market_returns(found.bars),
        family=Family(("own", *("trial",) * (trials - 1)), tuple(f"trial {k}" for k in order), family),
        trials=trials,
        trial_sharpes=tuple(ratios),
        stressed=dear.net_returns(),
        late=late,
        capacity=(),
        capacity_words="not tried",
        purge_bars=SIGNAL_LAG_BARS,
        embargo_bars=10,
    )
    return Search(float(ratios.max() * np.sqrt(per_year)), evidence)
