"""The difference between the vector result and a run's account, by cause.

1. The parts add up to the whole to the last bit, in NAV and in Sharpe, whatever is on.
2. A friction that is on has its part and names itself at the first bar; all others are nothing.
3. What the run recorded and today's code does not give is a part of its own, and is said.
4. Sizing that holds trades back has its parts before those of the account.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from harness.vector.frictionless import FRICTIONLESS, LARGE_CAPITAL
from harness.vector.gap import Gap, Part, decompose, run_gap
from harness.vector.ladder import LADDER, Material
from modules.engine.bars import trade
from modules.engine.settings import TradingSettings
from modules.panel import FloatArray, Panel
from modules.replay import recorded_modules
from modules.task import load_modules
from tests.modules.engine.cases import instruments, panel
from tests.pipelines import Desk

pytestmark = pytest.mark.slow  # vectorbt takes seconds to import

LOT = 2.0**-20
ABSENT = {"other settings", "corporate actions", "partial fills", "funding"}
OFF = {**FRICTIONLESS, "capital_usd": LARGE_CAPITAL, "max_instrument_nav": 0.05, "max_sector_nav": 0.25}
OFF |= {"max_daily_loss": 0.05, "max_trade_risk": 0.01}


def market(*, opens: bool = False, halts: bool = False, wild: float = 0.01, volume: float | None = None) -> Panel:
    """Ten symbols that wander; known volatility from the sixth bar on."""
    rng = np.random.default_rng(11)
    close = 50.0 * np.cumprod(1.0 + rng.normal(0.0, wild, (300, 10)), axis=0).astype(np.float64)
    fields: dict[str, FloatArray] = {}
    if opens:
        fields["open"] = close * (1.0 + rng.normal(0.0, 0.002, close.shape))
    if halts:
        fields["volume"] = np.where(rng.random(close.shape) < 0.05, 0.0, 1e9)
    if volume is not None:
        fields["volume"] = np.full(close.shape, volume)
    return panel(close).with_fields(**fields)


def stale() -> Panel:
    """Closes that stand still for four bars now and then."""
    close = market()["close"].copy()
    for t in range(20, 280, 40):
        close[t : t + 4, t // 40] = close[t - 1, t // 40]
    return panel(close)


def paying(*, delisted: bool) -> Panel:
    """A split and large dividends: total-return closes, prices as traded beside them. One symbol may be delisted."""
    close: FloatArray = np.array(market()["close"])
    delisting = np.full(close.shape, np.nan)
    if delisted:
        close[200:, 3] = np.nan
        delisting[200, 3] = -0.3
    split, dividend = np.ones(close.shape), np.zeros(close.shape)
    split[100:101, 0], dividend[50::60] = 3.0, 0.02 * close[49:-1:60]
    shares = np.cumprod(split, axis=0)
    dividend = np.nan_to_num(dividend / shares)
    raw = close / shares
    grown = np.cumprod(1.0 + dividend / raw, axis=0)
    return panel(close * grown, raw_close=raw, split=split, dividend=dividend, delisting=delisting)


def material(bars: Panel, changes: dict[str, object], size: float = 0.02, lot: float = LOT) -> Material:
    """Targets that turn over, from the tenth bar on, well inside the limits."""
    rng = np.random.default_rng(5)
    weights = np.where(rng.random(bars.shape) < 0.5, -size, size) * rng.random(bars.shape)
    weights -= weights.mean(axis=1, keepdims=True)
    start = 10
    settings = TradingSettings.model_validate({**OFF, **changes})
    table = instruments(bars.symbols, lot)
    held = Panel(bars.ts[start:], bars.symbols, {"weight": weights[start:]})
    return Material(bars, held, table, settings, int(bars.ts[start]))


def gap_of(m: Material) -> Gap:
    account = trade(m.bars, m.weights, m.instruments, m.settings, m.start_ns)
    return decompose("made", m, account.nav())


def part(gap: Gap, cause: str) -> Part:
    return next(p for p in gap.parts if p.cause == cause)


def adds_up(gap: Gap) -> bool:
    assert gap.sharpe is not None
    return (
        sum(p.annual_bps for p in gap.parts) == gap.annual_bps
        and sum(p.sharpe or 0.0 for p in gap.parts) == gap.sharpe
        and gap.parts[-1].after == gap.recorded
    )


TABLE: list[tuple[str, str, Material]] = [
    ("next close", "timing", material(market(), {"fill_without_open": "next_close"})),
    ("next open", "timing", material(market(opens=True), {})),
    ("halts", "unfilled", material(market(halts=True), {})),
    ("whole lots", "lots and cash", material(market(), {"capital_usd": 20_000.0}, lot=1.0)),
    ("stale", "unfilled", material(stale(), {"max_stale_bars": 1, "fill_without_open": "next_close"})),
    ("actions", "corporate actions", material(paying(delisted=True), {})),
    ("partial", "partial fills", material(market(volume=2e5), {"max_participation": 0.05, "capital_usd": 1e8})),
    ("spread", "spread", material(market(), {"half_spread_bps": 4.0})),
    ("commission", "commission", material(market(), {"commission_bps": 1.0})),
    ("by fill", "commission", material(market(), {"commission_trade_usd": 1000.0})),
    ("permanent", "impact", material(market(volume=1e7), {"permanent_impact_gamma": 0.3})),
    ("funding", "funding", material(market(), {"funding_bps_year": 300.0})),
    ("borrow", "borrow", material(market(), {"borrow_bps_year": 50.0})),
    ("small orders", "small orders", material(market(), {"min_order_usd": 10_000.0, "capital_usd": 1e6})),
    ("instrument", "instrument limit", material(market(), {"max_instrument_nav": 0.01})),
    ("sector", "sector limit", material(market(), {"max_sector_nav": 0.01})),
    ("trade risk", "trade risk limit", material(market(), {"max_trade_risk": 0.0001})),
    ("daily loss", "daily loss limit", material(market(wild=0.05), {"max_daily_loss": 0.005})),
]


@pytest.mark.parametrize(("cause", "m"), [row[1:] for row in TABLE], ids=[row[0].replace(" ", "-") for row in TABLE])
def test_a_friction_alone_is_named_and_nothing_else_is(cause: str, m: Material) -> None:
    gap = gap_of(m)
    assert adds_up(gap) and all(c.holds for c in gap.checks) and gap.notes == ()
    found = part(gap, cause)
    assert found.first is not None and abs(found.annual_bps) > 0.01
    timing = m.settings.fill_without_open == "next_close"
    others = [p for p in gap.parts if p.cause != cause and not (timing and p.cause == "timing")]
    assert all(p.first is None and abs(p.annual_bps) < 0.001 for p in others), others


def test_prices_as_traded_with_their_actions_earn_the_total_return() -> None:
    found = part(gap_of(material(paying(delisted=False), {})), "corporate actions")
    assert found.first is None and found.annual_bps == pytest.approx(0.0, abs=1e-4)


def test_impact_needs_volume() -> None:
    volume = np.full((300, 10), 1e5)
    bars = market().with_fields(volume=volume)
    gap = gap_of(material(bars, {"impact_k": 0.5, "capital_usd": 1e6}))
    assert part(gap, "impact").annual_bps < -1.0 and part(gap, "unfilled").first is None
    first = part(gap, "impact").first
    assert first is not None and first.after is not None and first.before is not None
    assert first.before.cost_bps == 0.0 < first.after.cost_bps and first.before.price == first.after.price


def test_a_reduced_order_is_named_where_accounts_part() -> None:
    first = part(gap_of(material(market(), {"max_instrument_nav": 0.01})), "instrument limit").first
    assert first is not None and first.order is not None
    assert (first.order.decision, first.order.rule) == ("REDUCE", "instrument_nav")
    assert abs(first.order.allowed) < abs(first.order.asked)


def test_everything_on_adds_up() -> None:
    m = material(
        market(opens=True, halts=True, wild=0.03),
        {
            **{name: field.default for name, field in TradingSettings.model_fields.items()},
            "min_order_usd": 500.0,
            "max_daily_loss": 0.01,
        },
        size=0.08,
        lot=1.0,
    )
    gap = gap_of(m)
    assert adds_up(gap)
    steps = [s.cause for s in LADDER if s.cause not in ABSENT]
    assert [p.cause for p in gap.parts] == ["accounting", *steps, "code"]
    assert part(gap, "accounting").annual_bps == part(gap, "code").annual_bps == 0.0


def test_figures_that_todays_code_does_not_give_are_said() -> None:
    m = material(market(), {})
    nav = trade(m.bars, m.weights, m.instruments, m.settings, m.start_ns).nav()
    row = 100
    changed = nav.with_columns(
        pl.when(pl.int_range(pl.len()) >= row)
        .then((pl.col("nav_micros") * 1.01).cast(pl.Int64))
        .otherwise(pl.col("nav_micros"))
        .alias("nav_micros"),
        pl.when(pl.int_range(pl.len()) == row).then(0.01).otherwise(pl.col("net_return")).alias("net_return"),
    )
    gap = decompose("made", m, changed)
    assert adds_up(gap) and part(gap, "code").annual_bps > 10.0
    assert gap.notes == ("today's code gives another account than the run recorded, from 2020-06-08 on",)


def test_a_run_with_sizing_that_holds_back(home: Path) -> None:
    desk = Desk(home)
    task = desk.task()
    modules = load_modules(task, desk.version)
    modules["size"] = modules["size"].with_settings({"no_trade_band": 0.01, "smoothing_bars": 3})
    manifest = desk.run(task, modules)
    gap = run_gap(manifest, desk.store, recorded_modules(manifest))
    assert adds_up(gap) and gap.notes == ()
    assert [p.cause for p in gap.parts][:3] == ["smoothing", "no-trade band", "accounting"]
    assert part(gap, "smoothing").first is not None and part(gap, "no-trade band").first is not None
    assert all(c.difference < 1e-12 for c in gap.checks)
