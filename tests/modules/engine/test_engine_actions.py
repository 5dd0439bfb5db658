"""Corporate actions in the account, by hand: one made-up market with every kind of action, long and short."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from modules.engine.accounting import EngineError
from modules.engine.actions import find_events
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.panel import FloatArray, Panel
from tests.modules.engine.cases import account, days, instruments

NAN = float("nan")
WARM = 6
HOLD = 10


def market(raw: dict[str, list[float]], **actions: dict[tuple[str, int], float]) -> Panel:
    """Bars of `raw` closes after `WARM` bars at the first of them (a symbol may begin with NaN), adjusted forward by
    the actions, with the fields of those; an action's bar counts from the first of `raw`."""
    names = tuple(sorted(raw))
    first = [next(p for p in raw[s] if p == p) for s in names]
    known = [raw[s][0] == raw[s][0] for s in names]
    shake = 1.0 + 0.01 * (-1.0) ** np.arange(WARM)[:, None]
    before = np.where(known, shake * first, NAN)
    close = np.vstack([before, np.array([raw[s] for s in names]).T])
    none = {"split": 1.0, "dividend": 0.0, "delisting": NAN}
    fields = {n: np.full(close.shape, none[n]) for n in none}
    for field, stated in actions.items():
        for (symbol, t), value in stated.items():
            fields[field][t + WARM, names.index(symbol)] = value
    return Panel(
        days(close.shape[0]), names, {"close": adjusted(close, fields), "raw_close": close, "raw_open": close, **fields}
    )


def adjusted(close: FloatArray, fields: dict[str, FloatArray]) -> FloatArray:
    """Shares one share has become, times the close: (close + dividend) * split / close before."""
    out = close.copy()
    for i in range(close.shape[1]):
        shares = ratio = 1.0
        due = 0.0
        for t in range(close.shape[0]):
            ratio *= fields["split"][t, i]
            due = due / (fields["split"][t, i] or 1.0) + fields["dividend"][t, i]
            if close[t, i] == close[t, i]:
                shares *= ratio * (1.0 + due / close[t, i])
                ratio, due = 1.0, 0.0
                out[t, i] = close[t, i] * shares
    return out


def hold(bars: Panel, first: dict[str, float], **terms: object) -> Simulation:
    """Buy on the first bar after the warm-up; targets never change again, and small differences are not traded."""
    weights = np.tile([first.get(s, 0.0) for s in bars.symbols], (bars.shape[0] - WARM, 1))
    return account(bars, weights, min_order_usd=9_000.0, **terms)


def rows(sim: Simulation) -> list[tuple[str, int, str, int, int, float, int]]:
    table = sim.actions_table()
    assert table is not None
    at = {int(t): k for k, t in enumerate(sim.ts)}
    found = table.with_columns(pl.col("event_time").to_physical(), pl.col("kind").cast(pl.String))
    return [(s, at[t], kind, a, b, price, cash) for t, s, kind, a, b, price, cash in found.iter_rows()]


SPLITS = [(2.0, 400, 800, 0), (7.0, 400, 2800, 0), (1.5, 400, 600, 0), (0.1, 400, 40, 0), (0.333333, 400, 133, 1)]


@pytest.mark.parametrize(("ratio", "before", "after", "left"), SPLITS)
@pytest.mark.parametrize("side", [1, -1])
def test_a_split_changes_lots_and_no_nav(ratio: float, before: int, after: int, left: int, side: int) -> None:
    """2:1, 7:1, 3:2, 1:10 and 1:3: whole lots stay, the part of a lot is paid out at the last price over the ratio."""
    price = 300.0 if ratio == 0.333333 else 100.0 / ratio
    bars = market({"A": [100.0, 100.0, price, price]}, split={("A", 2): ratio})
    sim = hold(bars, {"A": 0.04 * side})
    (found,) = rows(sim)
    assert found[:5] == ("A", 2, "split", side * before, side * after)
    assert found[6] == pytest.approx(side * left / 3 * 300.0 * 1e6, rel=1e-5)
    assert sim.bars.nav.tolist() == [10**12] * 4
    assert sim.bars.settled.tolist() == [0, 0, found[6], 0]


@pytest.mark.parametrize("side", [1, -1])
def test_longs_are_paid_dividends_on_the_ex_date_and_shorts_pay_them(side: int) -> None:
    bars = market({"A": [100.0, 100.0, 98.0, 98.0]}, dividend={("A", 2): 2.0})
    sim = hold(bars, {"A": 0.04 * side})
    assert rows(sim) == [("A", 2, "dividend", side * 400, side * 400, 2.0, side * 800_000_000)]
    assert sim.bars.nav.tolist() == [10**12] * 4
    assert sim.metrics()["dividends_usd"] == side * 800.0


def test_who_buys_at_the_open_of_the_ex_date_gets_no_dividend() -> None:
    bars = market({"A": [100.0, 98.0, 98.0]}, dividend={("A", 1): 2.0})
    sim = hold(bars, {"A": 0.04})
    assert sim.fills.row.tolist() == [WARM + 1] and rows(sim) == []
    assert sim.bars.nav.tolist() == [10**12] * 3


def test_without_an_open_the_last_close_goes_ex_with_the_bar() -> None:
    """The open is taken to be the last close: after a split and a dividend that is (100 / 2) - 1 = 49."""
    bars = market({"A": [100.0, 49.0, 49.0]}, dividend={("A", 1): 1.0}, split={("A", 1): 2.0})
    closed = Panel(bars.ts, bars.symbols, {n: v for n, v in bars.fields.items() if n != "raw_open"})
    sim = hold(closed, {"A": 0.04}, fill_without_open="previous_close")
    assert sim.fills.price.tolist() == [49.0] and sim.fills.lots.tolist() == [800]
    assert sim.bars.nav.tolist() == [10**12] * 3


def test_an_order_that_waits_over_a_split_is_restated() -> None:
    bars = market({"A": [140.0, 20.0, 20.0]}, split={("A", 1): 7.0})
    sim = hold(bars, {"A": 0.042})
    assert sim.orders.allowed.tolist()[0] == 300
    assert sim.fills.lots.tolist() == [2100] and sim.fills.price.tolist() == [20.0]


def test_split_and_dividend_of_one_day_the_dividend_is_on_new_shares() -> None:
    bars = market({"A": [140.0, 140.0, 19.0, 19.0]}, split={("A", 2): 7.0}, dividend={("A", 2): 1.0})
    sim = hold(bars, {"A": 0.042})
    assert rows(sim) == [("A", 2, "split", 300, 2100, 20.0, 0), ("A", 2, "dividend", 2100, 2100, 1.0, 2_100_000_000)]
    assert sim.bars.nav.tolist() == [10**12] * 4


def test_actions_on_a_day_without_a_bar_hold_at_once() -> None:
    """The position stands at its last price over the ratio until there is a new one."""
    bars = market(
        {"A": [100.0, 100.0, NAN, 24.0, 24.0], "B": [10.0] * 5}, split={("A", 2): 4.0}, dividend={("A", 2): 1.0}
    )
    sim = hold(bars, {"A": 0.04})
    assert rows(sim) == [("A", 2, "split", 400, 1600, 25.0, 0), ("A", 2, "dividend", 1600, 1600, 1.0, 1_600_000_000)]
    assert sim.bars.positions.tolist()[2:4] == [40_000_000_000, 38_400_000_000]
    assert sim.bars.nav.tolist() == [10**12, 10**12, 10**12 + 16 * 10**8, 10**12, 10**12]


@pytest.mark.parametrize(("given", "price"), [(0.0, 50.0), (-0.3, 35.0), (-1.0, 0.0), (0.2, 60.0)])
@pytest.mark.parametrize("side", [1, -1])
def test_a_delisted_position_is_closed_at_the_last_price_and_its_return(given: float, price: float, side: int) -> None:
    bars = market({"A": [50.0, 50.0, NAN, NAN], "B": [10.0] * 4}, delisting={("A", 2): given})
    sim = hold(bars, {"A": 0.04 * side})
    assert rows(sim) == [("A", 2, "delisting", side * 800, 0, price, round(side * 800 * price) * 10**6)]
    assert sim.bars.lots[2:].tolist() == [[0, 0]] * 2
    assert sim.bars.nav.tolist()[-1] == 10**12 + side * round(800 * (price - 50.0)) * 10**6
    assert any("1 positions were closed by delisting: A 2020-" in note for note in sim.notes())
    assert sim.unpriced > 0, "a target on what is gone orders nothing"


def test_an_order_on_what_is_delisted_expires() -> None:
    bars = market({"A": [50.0, NAN, NAN], "B": [10.0] * 3}, delisting={("A", 1): 0.0})
    sim = hold(bars, {"A": 0.04})
    assert (sim.fills.row.size, sim.unfilled, rows(sim)) == (0, 1, [])


def test_targets_outside_the_universe_are_zero() -> None:
    bars = market({"A": [10.0] * 5, "B": [10.0] * 5}).with_fields(
        member=np.vstack([np.zeros((WARM + 1, 2)), [[1, 0], [1, 0], [1, 1], [0, 1]]])
    )
    sim = hold(bars, {"A": 0.04, "B": 0.04})
    assert sim.fills.lots.tolist() == [4000, 4000] and sim.outside == 2 + 1 + 1 + 1
    assert any("outside the universe" in note for note in sim.notes())
    assert sim.orders_table().select("symbol", "asked_lots").rows() == [("A", 4000), ("B", 4000), ("A", -4000)]


def test_a_late_member_is_ranked_from_the_day_it_joins() -> None:
    from modules.engine.bars import signal_on

    bars = market({"A": [10.0] * 2, "B": [10.0] * 2})
    bars = bars.with_fields(member=np.vstack([np.tile([1.0, 0.0], (WARM + 1, 1)), [[1.0, 1.0]]]))
    signal = Panel(bars.ts, bars.symbols, {"signal": np.ones(bars.shape)})
    assert np.isnan(signal_on(bars, signal)[:, 1]).tolist() == [True] * (WARM + 1) + [False]


MADE_UP = {
    "BOTH": [140.0, 140.0, 19.0, 19.5, 20.0, 20.0],
    "GAP": [100.0, 101.0, NAN, 24.0, 25.0, 25.0],
    "PAYS": [80.0, 81.0, 79.0, 78.0, 77.0, 78.0],
    "TEN": [5.0, 5.1, 50.0, 52.0, 53.0, 51.0],
    "HALF": [90.0, 90.0, 61.0, 62.0, 60.0, 60.0],
}
ACTIONS: dict[str, dict[tuple[str, int], float]] = {
    "split": {("BOTH", 2): 7.0, ("GAP", 2): 4.0, ("TEN", 2): 0.1, ("HALF", 2): 1.5, ("PAYS", 5): 2.0 / 3.0},
    "dividend": {("BOTH", 2): 1.0, ("GAP", 2): 1.0, ("PAYS", 2): 2.0, ("PAYS", 4): 0.37, ("HALF", 4): 0.5},
}


@pytest.mark.parametrize("symbol", sorted(MADE_UP))
@pytest.mark.parametrize("side", [1, -1])
def test_the_account_earns_the_return_of_adjusted_prices(symbol: str, side: int) -> None:
    """What a position earned by raw prices, splits and dividends is the return of the adjusted close, day by day."""
    bars = market(
        {symbol: MADE_UP[symbol]}, **{k: {x: v for x, v in d.items() if x[0] == symbol} for k, d in ACTIONS.items()}
    )
    sim = hold(bars, {symbol: 0.04 * side}, table=instruments((symbol,), 1e-6))
    adjusted_close = bars["close"][WARM:, 0]
    value = sim.bars.positions.astype(np.float64)
    assert sim.fills.row.size == 1
    paid = 0.0
    for t in range(2, value.size):
        if adjusted_close[t] != adjusted_close[t]:
            paid += float(sim.bars.nav[t] - sim.bars.nav[t - 1]) - (value[t] - value[t - 1])
            continue
        before = t - 1 if adjusted_close[t - 1] == adjusted_close[t - 1] else t - 2
        earned = float(sim.bars.nav[t] - sim.bars.nav[before]) / value[before]
        assert earned == pytest.approx(adjusted_close[t] / adjusted_close[before] - 1.0, abs=1e-9)


def test_data_that_state_no_action_happened_trade_as_data_without() -> None:
    bars = market({"A": [10.0, 11.0, 12.0], "B": [5.0, 5.0, 4.0]})
    plain = Panel(bars.ts, bars.symbols, {"close": bars["raw_close"], "open": bars["raw_close"]})
    one, other = hold(bars, {"A": 0.04, "B": -0.03}, costs=Costs()), hold(plain, {"A": 0.04, "B": -0.03}, costs=Costs())
    for a, b in zip(one.bars, other.bars, strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.actions_table() is None and one.actions_table().is_empty()  # type: ignore[union-attr]
    assert "dividend_micros" not in other.nav().columns and "funding_micros" not in one.nav().columns


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("split", 0.0, "split of A at 2020-01-15 is 0.0"),
        ("split", -2.0, "ratio of new to old shares"),
        ("split", NAN, "ratio of new to old shares"),
        ("dividend", -1.0, "not below 0"),
        ("dividend", 100.0, "less than the price before it"),
        ("delisting", -1.5, "not below -1"),
    ],
)
def test_an_action_that_cannot_be_is_refused_by_name(field: str, value: float, message: str) -> None:
    bars = market({"A": [100.0, 100.0, 100.0]}, **{field: {("A", 1): value}})
    with pytest.raises(EngineError, match=message):
        find_events(bars)


def test_actions_without_prices_as_traded_are_refused() -> None:
    bars = market({"A": [100.0, 50.0]}, split={("A", 1): 2.0})
    plain = Panel(bars.ts, bars.symbols, {"close": bars["close"], "split": bars["split"]})
    with pytest.raises(EngineError, match="no raw_close"):
        hold(plain, {"A": 0.04})


def test_impact_is_that_of_adjusted_shares() -> None:
    """An order decided before a split and filled after it is the same part of a day's volume."""
    bars = market({"A": [100.0, 50.0, 50.0]}, split={("A", 1): 2.0})
    volume = np.where(np.arange(bars.shape[0]) <= WARM, 10_000.0, 20_000.0)[:, None]
    adjusted_volume = volume * bars["raw_close"] / bars["close"]
    split = hold(bars.with_fields(volume=adjusted_volume), {"A": 0.04}, costs=Costs(0.0, 0.0, 0.5, 0.0))
    plain = Panel(bars.ts, bars.symbols, {"close": bars["close"], "open": bars["close"], "volume": adjusted_volume})
    same = hold(plain, {"A": 0.04}, costs=Costs(0.0, 0.0, 0.5, 0.0))
    assert split.fills.impact.tolist() == same.fills.impact.tolist() != [0]


def test_fractions_of_a_lot_are_worth_what_they_were() -> None:
    """3:2 on 401 lots is 601 and a half: the half is paid at 2/3 of the last price."""
    bars = market({"A": [99.75, 99.75, 66.5, 66.5]}, split={("A", 2): 1.5})
    sim = hold(bars, {"A": 0.04})
    (found,) = rows(sim)
    assert found[3:5] == (401, 601)
    assert found[6] == int(Decimal("66.5") / 2 * 10**6)
    assert sim.bars.nav.tolist() == [10**12] * 4
