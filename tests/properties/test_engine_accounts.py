"""Invariants of the account, on random markets, targets, costs and limits.

1. cash + positions = NAV, to the micro, after every bar.
2. A symbol's position is the sum of its fills after every bar.
3. Cash is the capital less all notionals, fees and borrow, to the micro, after every bar.
4. Fees and borrow are never negative.
5. Every fill is what risk allowed, one bar after its order.
6. Permuting the columns permutes the account and changes no number.
7. A plain Python account in exact decimals, given the same decisions, agrees on every amount.
8. Bars before the start, and bars after the end, change nothing before them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.engine.bars import simulate
from modules.engine.limits import RiskLimits
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.panel import FloatArray, IntArray, Panel
from tests.modules.engine.cases import days, instruments

WARM_UP = 6
LOT = 2.0**-7
PRICE_STEP = 2.0**-4
RATE_BPS = 1e4 * 2.0**-12  # a rate that binary floats hold exactly


@dataclass(frozen=True)
class Case:
    """A market that floats hold exactly, so that decimals and floats must agree to the last micro."""

    bars: Panel
    targets: FloatArray
    costs: Costs
    sectors: dict[str, str]
    limits: RiskLimits

    def run(self, columns: list[int] | None = None, until: int | None = None, skip: int = 0) -> Simulation:
        order = columns if columns is not None else list(range(len(self.bars.symbols)))
        symbols = tuple(self.bars.symbols[i] for i in order)
        stop = until if until is not None else self.bars.ts.size
        fields = {k: v[skip:stop, order] for k, v in self.bars.fields.items()}
        start = self.bars.ts.size - self.targets.shape[0]
        weights = Panel(self.bars.ts[start:stop], symbols, {"weight": self.targets[: stop - start, order]})
        return simulate(
            Panel(self.bars.ts[skip:stop], symbols, fields),
            weights,
            instruments(symbols, LOT, self.sectors),
            capital_usd=1_048_576.0,
            costs=self.costs,
            limits=self.limits,
            start_ns=int(self.bars.ts[start]),
        )


def ticks(prices: FloatArray) -> FloatArray:
    """Prices on a grid that floats hold exactly, at least one step."""
    return np.asarray(np.maximum(1.0, np.round(prices / PRICE_STEP)) * PRICE_STEP, dtype=np.float64)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows, symbols = draw(st.integers(2, 14)), draw(st.integers(1, 7))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    total = WARM_UP + rows
    jumps = draw(st.sampled_from([0.01, 0.05, 0.3]))
    path: FloatArray = np.float64(20.0) * np.exp(np.cumsum(rng.normal(0, jumps, (total, symbols)), axis=0))
    close: FloatArray = ticks(path)
    close[rng.random(close.shape) < draw(st.sampled_from([0.0, 0.1]))] = math.nan
    fields = {"close": close}
    if draw(st.booleans()):
        gaps: FloatArray = rng.normal(0, jumps, close.shape)
        opening = ticks(close + close * gaps)
        opening[rng.random(close.shape) < 0.1] = math.nan
        fields["open"] = opening
    if draw(st.booleans()):
        fields["volume"] = np.asarray(rng.integers(0, 6, close.shape) * 1024.0, dtype=np.float64)
    targets = rng.normal(0, draw(st.sampled_from([0.01, 0.05])), (rows, symbols)).clip(-1, 1)
    targets[rng.random(targets.shape) < 0.3] = 0.0
    names = tuple(rng.permutation(list("ABCDEFG"))[:symbols].tolist())
    costs = Costs(
        draw(st.sampled_from([0.0, RATE_BPS])),
        draw(st.sampled_from([0.0, 2 * RATE_BPS])),
        draw(st.sampled_from([0.0, 0.5])),
        draw(st.sampled_from([0.0, 500.0])),
    )
    sectors = {s: ["x", "y", "UNKNOWN"][int(rng.integers(0, 3))] for s in names}
    limits = RiskLimits(
        max_daily_loss=draw(st.sampled_from([0.05, 0.002])), max_sector_nav=draw(st.sampled_from([0.25, 0.06]))
    )
    return Case(Panel(days(total), names, fields), targets, costs, sectors, limits)


def by_bar(sim: Simulation, values: IntArray) -> IntArray:
    """Exact sums a bar of a column of the fills, as int64."""
    out = np.zeros(sim.ts.size, dtype=np.int64)
    np.add.at(out, sim.fills.row - sim.start, values)
    return out


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_account_closes_to_the_micro(case: Case) -> None:
    sim = case.run()
    bars, fills = sim.bars, sim.fills
    np.testing.assert_array_equal(bars.cash + bars.positions, bars.nav)
    np.testing.assert_array_equal(bars.long - bars.short, bars.positions)
    for column in (
        bars.commission,
        bars.spread,
        bars.impact,
        bars.borrow,
        fills.commission,
        fills.spread,
        fills.impact,
    ):
        assert (column >= 0).all()
    fees = fills.commission + fills.spread + fills.impact
    flows = -by_bar(sim, fills.notional) - by_bar(sim, fees) - bars.borrow
    np.testing.assert_array_equal(bars.cash, 1_048_576 * 10**6 + np.cumsum(flows))
    traded = np.zeros_like(bars.lots)
    np.add.at(traded, (fills.row - sim.start, fills.symbol), fills.lots)
    np.testing.assert_array_equal(np.cumsum(traded, axis=0), bars.lots)
    np.testing.assert_array_equal(sim.orders.allowed[fills.order], fills.lots)
    np.testing.assert_array_equal(sim.orders.row[fills.order] + 1, fills.row)
    assert np.unique(fills.order).size == fills.order.size


@settings(max_examples=80, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(case: Case, random: object) -> None:
    columns = list(range(len(case.bars.symbols)))
    random.shuffle(columns)  # type: ignore[attr-defined]
    one, other = case.run(), case.run(columns)
    for name in ("nav", "cash", "commission", "spread", "impact", "borrow", "traded"):
        np.testing.assert_array_equal(getattr(one.bars, name), getattr(other.bars, name))
    np.testing.assert_array_equal(one.bars.lots[:, columns], other.bars.lots)
    assert one.orders_table().equals(other.orders_table())


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 13))
def test_later_bars_change_nothing_before_them(case: Case, cut: int) -> None:
    start = case.bars.ts.size - case.targets.shape[0]
    stop = min(case.bars.ts.size, start + 1 + cut)
    whole, part = case.run(), case.run(until=stop)
    np.testing.assert_array_equal(whole.bars.nav[: stop - start], part.bars.nav)
    np.testing.assert_array_equal(whole.bars.lots[: stop - start], part.bars.lots)


def decimal_account(case: Case, sim: Simulation) -> tuple[list[int], list[int]]:
    """Cash and NAV a bar, by exact decimals, from the engine's decisions only: allowed lots, never its amounts."""
    million = Decimal(10**6)
    allowed = {
        (int(r), int(s)): int(a) for r, s, a in zip(sim.orders.row, sim.orders.symbol, sim.orders.allowed, strict=True)
    }
    close, volume, opening = (case.bars.fields.get(k) for k in ("close", "volume", "open"))
    assert close is not None
    lots = [0] * close.shape[1]
    mark: list[Decimal | None] = [None] * close.shape[1]
    for t in range(sim.start):
        mark = [Decimal(float(p)) if p == p else m for p, m in zip(close[t], mark, strict=True)]
    cash = Decimal(1_048_576) * million
    half_spread, commission = (Decimal(x * 1e-4) for x in (case.costs.half_spread_bps, case.costs.commission_bps))
    cashes: list[int] = []
    navs: list[int] = []
    for t in range(sim.start, case.bars.ts.size):
        orders = {} if t == sim.start else {i: q for i in range(len(lots)) if (q := allowed.get((t - 1, i), 0)) != 0}
        priced = {i for i in orders if not math.isnan(close[t, i]) and (volume is None or volume[t, i] != 0)}
        values = [abs(whole(Decimal(q) * Decimal(LOT) * (m or 0) * million)) for q, m in zip(lots, mark, strict=True)]
        priced -= without_room(case, orders, priced, lots, values, mark, navs[-1] if navs else 0)
        for i in sorted(priced):
            quantity = orders[i]
            raw = close[t, i] if opening is None or math.isnan(opening[t, i]) else opening[t, i]
            notional = whole(Decimal(quantity) * Decimal(LOT) * Decimal(float(raw)) * million)
            cash -= notional + whole(abs(notional) * half_spread) + whole(abs(notional) * commission)
            lots[i] += quantity
        mark = [Decimal(float(p)) if p == p else m for p, m in zip(close[t], mark, strict=True)]
        held = sum(
            (
                whole(Decimal(q) * Decimal(LOT) * m * million)
                for q, m in zip(lots, mark, strict=True)
                if q and m is not None
            ),
            Decimal(0),
        )
        cashes.append(int(cash))
        navs.append(int(cash + held))
    return cashes, navs


def without_room(
    case: Case,
    orders: dict[int, int],
    priced: set[int],
    lots: list[int],
    values: list[Decimal],
    mark: list[Decimal | None],
    nav: int,
) -> set[int]:
    """Orders that grow a position in room that an order without a price was to free in their sector."""
    names = case.bars.symbols
    shrinking = {i for i, q in orders.items() if abs(lots[i] + q) <= abs(lots[i])}
    stuck = {case.sectors[names[i]] for i in shrinking - priced}
    limit = math.floor(case.limits.max_sector_nav * float(nav))
    committed: dict[str, Decimal] = {}
    for i, value in enumerate(values):
        committed[case.sectors[names[i]]] = committed.get(case.sectors[names[i]], Decimal(0)) + value
    found = set()
    for i in sorted(set(orders) - shrinking, key=lambda i: names[i]):
        sector = case.sectors[names[i]]
        after = abs(whole(Decimal(lots[i] + orders[i]) * Decimal(LOT) * (mark[i] or 0) * Decimal(10**6)))
        committed[sector] += max(Decimal(0), after - values[i])
        if committed[sector] > limit and sector in stuck:
            found.add(i)
    return found


def whole(amount: Decimal) -> Decimal:
    """To whole micros, halves to even."""
    return amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_decimals_agree_on_every_amount(case: Case) -> None:
    exact = replace(case, costs=Costs(case.costs.half_spread_bps, case.costs.commission_bps, 0.0, 0.0))
    sim = exact.run()
    cashes, navs = decimal_account(exact, sim)
    assert sim.bars.cash.tolist() == cashes
    assert sim.bars.nav.tolist() == navs


@settings(max_examples=150, deadline=None)
@given(cases())
def test_what_is_asked_is_the_target_at_the_close(case: Case) -> None:
    sim = case.run()
    close = case.bars["close"]
    for row, symbol, asked in zip(sim.orders.row, sim.orders.symbol, sim.orders.asked, strict=True):
        price = close[row, symbol]
        if math.isnan(price):
            continue
        k = int(row) - sim.start
        target = (
            Decimal(float(case.targets[k, symbol]))
            * int(sim.bars.nav[k])
            / (Decimal(LOT) * Decimal(float(price)) * 10**6)
        )
        wanted = int(target.quantize(Decimal(1), rounding=ROUND_DOWN))
        nearly_one_more = abs(target - wanted) > Decimal("0.999999")  # the float quotient may round up to it
        off = abs(wanted - int(sim.bars.lots[k, symbol]) - int(asked))
        assert off == 0 or (off == 1 and nearly_one_more)


def test_the_cases_reach_every_decision() -> None:
    """A generator that is never refused, or always, would test nothing."""
    seen: set[tuple[str, str]] = set()
    fills = 0

    @settings(max_examples=120, deadline=None, derandomize=True, database=None)
    @given(cases())
    def collect(case: Case) -> None:
        nonlocal fills
        sim = case.run()
        fills += sim.fills.row.size
        seen.update(sim.orders_table().select("decision", "rule").unique().rows())

    collect()
    assert fills > 300
    assert {d for d, _ in seen} == {"APPROVE", "REDUCE", "REJECT", "FLATTEN"}
    assert {r for _, r in seen} >= {"instrument_nav", "sector_nav", "trade_risk", "price_not_finite", "daily_loss"}
