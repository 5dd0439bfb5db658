"""Fills, marks, borrow, the daily loss and refusals of the bar loop, on cases small enough to do by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from modules.engine.accounting import (
    EngineError,
    EngineOverflowError,
    Terms,
    new_bar_log,
    new_book,
    new_fill_log,
    new_order_log,
)
from modules.engine.actions import new_action_log
from modules.engine.bars import simulate
from modules.engine.limits import RiskLimits
from modules.engine.loop import advance
from modules.engine.market import build_market, fill_prices
from modules.engine.settings import Costs
from modules.panel import Panel, ns
from tests.modules.engine.cases import DAY, MONDAY, account, instruments, panel, weights_of

NAN = math.nan
WARM = [[100.0], [101.0], [100.0], [101.0], [100.0], [101.0], [100.0]]  # 6 returns: volatility is known


def test_an_order_fills_at_the_open_of_the_next_bar() -> None:
    close = [*WARM, [100.0], [110.0]]
    bars = panel(close, open=[[x[0] - 2.0] for x in close])
    sim = account(bars, [[0.04], [0.04]])
    assert sim.fills.row.tolist() == [8]
    assert sim.fills.price.tolist() == [108.0]
    assert sim.fills.lots.tolist() == [400]
    assert sim.bars.nav.tolist() == [1_000_000_000_000, 1_000_000_000_000 + 400 * 2_000_000]


@pytest.mark.parametrize(("without_open", "price"), [("next_close", 110.0), ("previous_close", 100.0)])
def test_without_an_open_the_fill_is_as_declared(without_open: str, price: float) -> None:
    sim = account(panel([*WARM, [100.0], [110.0]]), [[0.04], [0.04]], fill_without_open=without_open)
    assert sim.fills.price.tolist() == [price]
    assert sim.fills.row.tolist() == [8]


def test_a_missing_open_falls_back_to_the_close() -> None:
    close = [*WARM, [100.0], [110.0]]
    bars = panel(close, open=[[NAN]] * len(close))
    assert account(bars, [[0.04], [0.04]]).fills.price.tolist() == [110.0]


def test_nothing_fills_without_price_or_volume() -> None:
    bars = panel(
        [[1.0, 2.0, 3.0], [1.0, NAN, 3.0]], open=[[1.0, 2.0, 3.0], [1.5, 2.5, 3.5]], volume=[[9, 9, 9], [0, 9, 9]]
    )
    assert np.isnan(fill_prices(bars)).tolist() == [[False] * 3, [True, True, False]]


def test_an_unfilled_order_expires_and_is_decided_anew() -> None:
    close = [*WARM, [100.0], [NAN], [100.0], [100.0]]
    sim = account(panel(close), [[0.04]] * 4)
    assert sim.unfilled == 1
    assert sim.fills.row.tolist() == [10]
    decided = sim.orders_table().select("decision", "rule").rows()
    assert decided == [("APPROVE", "within_limits"), ("REJECT", "price_not_finite"), ("APPROVE", "within_limits")]


def test_a_position_without_a_price_stands_at_its_last_known_one() -> None:
    close = [*WARM, [100.0], [100.0], [120.0], [NAN]]
    sim = account(panel(close), [[0.04], [0.04], [0.04], [0.04]])
    assert sim.bars.nav[2] == sim.bars.nav[3] == 1_008_000_000_000
    assert any("no price at the last bar" in note for note in sim.notes())


def test_nothing_trades_before_the_start_and_the_first_row_is_all_cash() -> None:
    bars = panel([*WARM, [100.0], [110.0], [120.0]])
    weights = Panel(bars.ts, bars.symbols, {"weight": np.full((10, 1), 0.04)})
    sim = simulate(
        bars,
        weights,
        instruments(bars.symbols),
        capital_usd=1e6,
        costs=Costs(),
        limits=RiskLimits(),
        start_ns=int(bars.ts[7]),
    )
    nav = sim.nav()
    assert nav.height == 3
    assert nav.row(0, named=True) | {"event_time": None} == {
        "event_time": None,
        "nav_micros": 10**12,
        "cash_micros": 10**12,
        "positions_micros": 0,
        **dict.fromkeys(("commission_micros", "spread_micros", "impact_micros", "borrow_micros"), 0),
        **dict.fromkeys(("gross_return", "net_return", "turnover", "gross_exposure", "net_exposure"), 0.0),
    }
    assert sim.orders.row.min() == 7


def test_costs_of_one_fill() -> None:
    close = [*WARM, [100.0], [100.0]]
    bars = panel(close, volume=[[4000.0]] * 9)
    sim = account(bars, [[0.04], [0.04]], costs=Costs(half_spread_bps=4.0, commission_bps=1.0, impact_k=0.5))
    fill = sim.fills_table().row(0, named=True)
    returns = [101 / 100 - 1, 100 / 101 - 1] * 3 + [0.0]
    sigma = math.sqrt(sum(r * r for r in returns) / 7)
    assert fill["notional_micros"] == 40_000 * 10**6
    assert fill["commission_micros"] == 4 * 10**6
    assert fill["spread_micros"] == 16 * 10**6
    assert fill["impact_micros"] == pytest.approx(40_000e6 * 0.5 * sigma * math.sqrt(400 / 4000), abs=1)
    assert not sim.notes()


def test_without_volume_impact_is_zero_and_said_so() -> None:
    sim = account(panel([*WARM, [100.0], [100.0]]), [[0.04], [0.04]], costs=Costs(impact_k=3.0))
    assert sim.fills.impact.tolist() == [0]
    assert "impact is not modelled: no volume" in sim.notes()


def test_shorts_pay_borrow_for_calendar_time() -> None:
    bars = panel([*WARM, *[[100.0]] * 5])  # row 8 is a Thursday, 9 a Friday, 10 a Monday
    sim = account(bars, [[-0.04]] * 5, costs=Costs(0.0, 0.0, 0.0, borrow_bps_year=365.0))
    assert sim.bars.borrow.tolist() == [0, 0, 4_000_000, 12_000_000, 3_990_000]
    assert sim.bars.lots[:, 0].tolist() == [0, -400, -400, -399, -399]  # the charge made NAV a little smaller
    assert sim.bars.cash[-1] == 10**12 + 39_900 * 10**6 - 19_990_000


def test_the_daily_loss_flattens_the_account() -> None:
    symbols = "ABCDEFGHIJKLMNOPQRST"
    warm = np.where(np.arange(8)[:, None] % 2 == 0, 100.0, 101.0) * np.ones((8, 20))
    crash = np.vstack([warm, np.full((1, 20), 100.0), np.full((1, 20), 90.0), np.full((3, 20), 90.0)])
    bars = panel(crash, symbols)
    sim = account(bars, np.full((6, 20), 0.05))
    table = sim.orders_table()
    flattened = table.filter(pl.col("decision") == "FLATTEN")
    assert flattened["event_time"].unique().to_physical().to_list() == [int(bars.ts[9])]
    assert flattened["rule"].unique().to_list() == ["daily_loss"]
    assert flattened["limit"].unique().to_list() == [0.05]
    lots = sim.bars.lots
    assert (lots[1] > 0).all()
    assert (lots[3] == 0).all(), "all closed at the bar after the loss"
    assert (lots[4] > 0).all(), "a new day may trade again"


def test_within_a_day_the_account_stays_flat_once_the_loss_is_reached() -> None:
    close = np.array([100.0, 101, 100, 101, 100, 101, 100, 100, 100, 80, 80, 80, 80])
    close = np.repeat(close[:, None], 20, axis=1)
    hour = DAY // 24
    bars = Panel(MONDAY + hour * np.arange(13, dtype=np.int64), tuple("ABCDEFGHIJKLMNOPQRST"), {"close": close})
    limits = RiskLimits(max_trade_risk=0.01)
    sim = account(bars, np.full((6, 20), 0.005), limits=limits.model_copy(update={"max_daily_loss": 0.01}))
    assert (sim.bars.lots[1] > 0).all()
    assert (sim.bars.lots[3:] == 0).all()
    later = sim.orders_table().filter(pl.col("event_time").dt.hour() >= 10)
    assert later["decision"].unique().to_list() == ["FLATTEN"]
    assert later["allowed_lots"].unique().to_list() == [0]


def test_one_bar_at_a_time_is_the_same_as_all_at_once() -> None:
    rng = np.random.default_rng(7)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.02, (60, 6)), axis=0))
    close[20:24, 2] = NAN
    bars = panel(close, volume=rng.integers(0, 5, (60, 6)) * 1000.0)
    targets = np.clip(rng.normal(0, 0.03, (50, 6)), -0.05, 0.05)
    whole = account(bars, targets, costs=Costs())
    market = build_market(bars, instruments(bars.symbols), "next_close")
    terms = Terms(4e-4, 1e-4, 0.5, 50e-4, 0.05, 0.25, 0.05, 0.01, 0.0)
    book, log = new_book(6, 7, 10**12), new_bar_log(50, 6)
    orders, fills = new_order_log(300), new_fill_log(300)
    for t in range(10, 60):
        advance(market, targets, terms, book, log, orders, fills, new_action_log(0), t, t + 1, 10)
    for mine, theirs in zip(log, whole.bars, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(fills.lots[: whole.fills.lots.size], whole.fills.lots)


def test_small_orders_wait_but_closing_ones_do_not() -> None:
    sim = account(
        panel([*WARM, [100.0], [100.0], [101.0], [101.0]]), [[0.04], [0.04], [0.04], [0.0]], min_order_usd=1000.0
    )
    assert sim.orders_table()["asked_lots"].to_list() == [400, -400]


def test_reductions_free_their_sector_before_increases() -> None:
    symbols = tuple("ABCDEFG")
    close = np.repeat([[x[0]] for x in WARM] + [[100.0]] * 3, 7, axis=1)
    table = instruments(symbols, sectors=dict.fromkeys(symbols, "one"))
    first = [0, 0, 0.05, 0.05, 0.05, 0.05, 0.05]
    then = [0.05, 0.05, 0.05, 0.05, 0.05, 0, 0]
    sim = account(panel(close, symbols), [first, then, then], table=table)
    assert set(sim.orders_table()["decision"].to_list()) == {"APPROVE"}
    assert sim.bars.lots[-1].tolist() == [500] * 5 + [0, 0]


def test_unknown_sectors_count_as_one() -> None:
    symbols = tuple("ABCDEF")
    table = instruments(
        symbols, sectors=dict(zip(symbols, ["UNKNOWN", "", "UNKNOWN", "", "UNKNOWN", "Health"], strict=True))
    )
    close = np.repeat([[x[0]] for x in WARM] + [[100.0]] * 2, 6, axis=1)
    sim = account(panel(close, symbols), [[0.05] * 6] * 2, table=table, limits=RiskLimits(max_sector_nav=0.15))
    assert sim.bars.lots[-1].tolist() == [500, 500, 500, 0, 0, 500]
    assert sim.decision_counts()["rejected.sector_nav"] == 2 + 2  # decided on both bars


def test_sectors_follow_their_dates() -> None:
    symbols = ("A", "B")
    close = np.repeat([[x[0]] for x in WARM] + [[100.0]] * 5, 2, axis=1)
    bars = panel(close, symbols)
    table = instruments(symbols, sectors={"A": "one", "B": "one"})
    moment = pl.Datetime("ns", "UTC")
    until = pl.Series([None, int(bars.ts[8])]).cast(moment)
    since = pl.Series([int(bars.ts[9])]).cast(moment)
    moved = table.with_columns(valid_to=until)
    later = table.filter(pl.col("symbol") == "B").with_columns(sector=pl.lit("two"), valid_from=since)
    sim = account(bars, [[0.05, 0.05]] * 5, table=pl.concat([moved, later]), limits=RiskLimits(max_sector_nav=0.05))
    assert sim.bars.lots[:, 1].tolist() == [0, 0, 0, 500, 500]


def test_gross_return_adds_the_costs_back() -> None:
    bars = panel([*WARM, [100.0], [100.0], [105.0], [105.0]])
    sim = account(bars, [[0.04]] * 3 + [[0.0]], costs=Costs(100.0, 0.0, 0.0, 0.0))
    before = sim.bars.nav[:-1].astype(float)
    np.testing.assert_allclose(
        sim.gross_returns()[1:], sim.net_returns()[1:] + sim.costs_micros[1:] / before, rtol=1e-12
    )
    assert sim.gross_returns()[1] == 0.0
    assert sim.net_returns()[1] == pytest.approx(-400 / 1_000_000)


def test_zero_trades_are_said_loudly() -> None:
    sim = account(panel([*WARM, [100.0]]), [[0.0], [0.0]])
    assert sim.notes()[0].startswith("ZERO TRADES")
    assert sim.orders_table().height == sim.fills_table().height == 0
    assert "net_sharpe" not in sim.metrics()


BARS = panel([*WARM, [100.0], [100.0]])
REFUSED = [
    ("capital", {"capital_usd": 0.0}, "capital_usd"),
    ("capital too large", {"capital_usd": 1e16}, "capital_usd"),
    ("start after the end", {"start_ns": ns("2031-01-01")}, "after the last bar"),
    ("no instrument", {"instruments": instruments(("Z",))}, "no row for A"),
    ("unknown symbol", {"weights": Panel(BARS.ts, ("Z",), {"weight": np.zeros((9, 1))})}, "no bars"),
    ("bar without weights", {"weights": Panel(BARS.ts[:8], ("A",), {"weight": np.zeros((8, 1))})}, "1 missing"),
    ("NaN weight", {"weights": Panel(BARS.ts, ("A",), {"weight": np.full((9, 1), NAN)})}, "must be finite"),
    (
        "lot size changes",
        {"instruments": pl.concat([instruments(("A",), 1.0), instruments(("A",), 2.0)])},
        "lot_size of A changes",
    ),
]


@pytest.mark.parametrize(("changes", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_input_that_does_not_fit_is_refused(changes: dict[str, object], message: str) -> None:
    given: dict[str, object] = {
        "bars": BARS,
        "weights": weights_of(BARS, np.zeros((9, 1))),
        "instruments": instruments(("A",)),
        "capital_usd": 1e6,
        "costs": Costs(),
        "limits": RiskLimits(),
        "start_ns": int(BARS.ts[0]),
    }
    with pytest.raises(EngineError, match=message):
        simulate(**(given | changes))  # type: ignore[arg-type]


def test_an_amount_beyond_exact_integers_is_refused_by_name() -> None:
    close = [[x[0] * 1e-9] for x in WARM] + [[100e-9]] * 3
    close[-1] = [1e9]
    with pytest.raises(EngineOverflowError, match=r"2020-01-17, symbol A"):
        account(panel(close), [[0.04]] * 3)
