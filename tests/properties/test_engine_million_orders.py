"""The account over a million random orders: gaps, zero volume, jumps, daily losses, costs, sectors, part fills.

After every bar of every account:

1. cash + positions = NAV, and long - short = positions, to the micro.
2. The sum of a symbol's fills is its position.
3. The position at its last known price is its value: positions are the sum of the marks, each rounded to the micro.
4. Cash is the capital less notionals, fees, borrow and funding.
5. No fee is negative, nothing fills without a price, and no fill exceeds what was allowed.
"""

from __future__ import annotations

import math

import numpy as np

from modules.engine.bars import simulate
from modules.engine.limits import RiskLimits
from modules.engine.result import Simulation
from modules.engine.settings import Costs, Liquidity
from modules.panel import FloatArray, IntArray, Panel
from tests.modules.engine.cases import DAY, MONDAY, days, instruments

ROWS, SYMBOLS, WARM_UP, LOT = 600, 60, 10, 0.01


def account(seed: int) -> tuple[Panel, Simulation]:
    """One random market and what random targets made of a million dollars in it."""
    rng = np.random.default_rng(seed)
    shape = (ROWS, SYMBOLS)
    jumps = rng.choice([0.002, 0.02, 0.08])
    close: FloatArray = 30.0 * np.exp(np.cumsum(rng.normal(0.0, jumps, shape), axis=0) % 3.0)
    opening: FloatArray = close * np.exp(rng.normal(0.0, jumps, shape))
    close[rng.random(shape) < 0.03] = math.nan
    opening[rng.random(shape) < 0.03] = math.nan
    volume = np.asarray(rng.integers(0, 12, shape) * 5_000.0)
    hourly = seed % 3 == 0
    ts: IntArray = MONDAY + DAY // 24 * np.arange(ROWS, dtype=np.int64) if hourly else days(ROWS)
    names = tuple(f"S{i:02d}" for i in rng.permutation(SYMBOLS))
    bars = Panel(ts, names, {"open": opening, "close": close, "volume": volume})
    targets = np.clip(rng.normal(0.0, rng.choice([0.01, 0.03]), (ROWS - WARM_UP, SYMBOLS)), -0.05, 0.05)
    targets[rng.random(targets.shape) < 0.2] = 0.0
    sectors = {s: f"sector {int(rng.integers(0, 1 + seed % 9))}" for s in names}
    sim = simulate(
        bars,
        Panel(ts[WARM_UP:], names, {"weight": targets}),
        instruments(names, LOT, sectors),
        capital_usd=1e6,
        costs=Costs(
            commission_share_usd=0.005 * (seed % 2), commission_minimum_usd=0.35 * (seed % 2), funding_bps_year=300.0
        ),
        limits=RiskLimits(max_daily_loss=float(rng.choice([0.05, 0.01]))),
        start_ns=int(ts[WARM_UP]),
        liquidity=Liquidity(
            participation=float(rng.choice([0.0, 0.02])), remainder=("expires", "stays")[seed // 2 % 2]
        ),
    )
    return bars, sim


def marks(bars: Panel, sim: Simulation) -> IntArray:
    """`[T]` the positions at their last known closes, each rounded to the micro."""
    price = np.zeros(SYMBOLS)
    total = np.zeros(sim.ts.size, dtype=np.int64)
    for t in range(ROWS):
        close = bars["close"][t]
        price = np.where(np.isnan(close), price, close)
        if t >= WARM_UP:
            amounts = np.rint(sim.bars.lots[t - WARM_UP] * LOT * price * 1e6)
            total[t - WARM_UP] = amounts.astype(np.int64).sum()
    return total


def check(seed: int) -> tuple[int, dict[str, float]]:
    bars, sim = account(seed)
    log, fills, orders = sim.bars, sim.fills, sim.orders
    np.testing.assert_array_equal(log.cash + log.positions, log.nav)
    np.testing.assert_array_equal(log.long - log.short, log.positions)
    np.testing.assert_array_equal(marks(bars, sim), log.positions)
    row = fills.row - sim.start
    traded = np.zeros_like(log.lots)
    np.add.at(traded, (row, fills.symbol), fills.lots)
    np.testing.assert_array_equal(np.cumsum(traded, axis=0), log.lots)
    fees = (fills.commission, fills.spread, fills.impact)
    assert all((column >= 0).all() for column in (*fees, log.borrow, log.funding, log.long, log.short))
    flows = -log.borrow - log.funding
    np.add.at(flows, row, -fills.notional - sum(fees))
    np.testing.assert_array_equal(log.cash, 10**12 + np.cumsum(flows))
    assert (np.abs(fills.lots) <= np.abs(orders.allowed[fills.order])).all()
    assert (fills.lots * orders.allowed[fills.order] > 0).all()
    assert not np.isnan(bars["close"][fills.row, fills.symbol]).any()
    assert (bars["volume"][fills.row, fills.symbol] > 0.0).all()
    return orders.row.size, sim.decision_counts()


def test_the_identities_hold_over_a_million_random_orders() -> None:
    asked, decisions = 0, dict.fromkeys(("approved", "reduced", "rejected", "flattened"), 0.0)
    seed = 100
    while asked < 1_000_000:
        count, found = check(seed)
        asked, seed = asked + count, seed + 1
        decisions = {name: total + found[name] for name, total in decisions.items()}
    assert min(decisions.values()) > 10_000, decisions
