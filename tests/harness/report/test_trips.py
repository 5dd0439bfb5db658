"""Round trips. The invariants of harness/report/study/trips.py:

1. all trips together earned what the account earned;
2. trips of a symbol follow each other without a gap in lots: each begins and, but for the last, ends flat;
3. a fill through zero is shared between two trips, and nothing of it is lost or told twice.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from harness.report.book import Book, read_book
from harness.report.study.trips import Trips, extremes, round_trips, trip_figures
from modules.panel import Panel
from tests.harness.report.build import SYMBOLS, TIME, fills_of, instruments, weekdays


def book_of(lots: np.ndarray, close: np.ndarray, actions: pl.DataFrame | None = None) -> Book:
    """An account that held `lots` `[T, 4]` and traded at `close`."""
    ts = weekdays("2010-01-04", lots.shape[0])
    times = pl.Series("event_time", ts).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    positions = Panel(ts, SYMBOLS, {"lots": lots.astype(np.float64)})
    bars = Panel(ts, SYMBOLS, {"close": close})
    return read_book(
        bars, positions, instruments(SYMBOLS), fills_of(times, lots, close), actions, np.full(ts.size, 1e6)
    )


def one(path: list[int], prices: list[float]) -> Trips:
    """Trips of the first symbol alone."""
    lots = np.zeros((len(path), 4), dtype=np.int64)
    lots[:, 0] = path
    close = np.full((len(path), 4), 10.0)
    close[:, 0] = prices
    return round_trips(book_of(lots, close))


@pytest.mark.parametrize("seed", range(12))
def test_all_trips_earn_what_the_account_earns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lots = np.cumsum(rng.integers(-30, 31, (200, 4)), axis=0) * (rng.random((200, 4)) < 0.8)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (200, 4)), axis=0))
    book = book_of(lots, close)
    trips = round_trips(book)
    paid = float((np.diff(lots, axis=0, prepend=0) * close).sum())
    fees = float(book.moves.fees.sum())
    assert trips.profit.sum() == pytest.approx(float((lots[-1] * close[-1]).sum()) - paid - fees, abs=1e-3)
    assert trips.fees.sum() == pytest.approx(fees)
    for s in range(4):
        mine = [k for k in range(trips.count) if trips.symbol[k] == s]
        assert [bool(trips.open[k]) for k in mine][:-1] == [False] * (len(mine) - 1)
        spans = sorted((int(trips.opened[k]), int(trips.closed[k])) for k in mine)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
        signs = np.sign(lots[:, s][lots[:, s] != 0])
        flat = int(
            np.count_nonzero((lots[:-1, s] == 0) & (lots[1:, s] != 0) & (np.arange(199) > np.argmax(lots[:, s] != 0)))
        )
        turned = int(np.count_nonzero(np.sign(lots[:-1, s]) * np.sign(lots[1:, s]) < 0))
        assert len(mine) == (1 if signs.size else 0) + flat + turned


def test_a_fill_through_zero_ends_one_trip_and_begins_the_next() -> None:
    trips = one([10, -5, 0], [10.0, 12.0, 11.0])
    fee = [0.01, 0.018, 0.0055]  # two bps of each notional: 100, 180, 55
    assert [int(s) for s in trips.side] == [1, -1] and trips.open.tolist() == [False, False]
    assert trips.profit == pytest.approx(
        [20.0 - fee[0] * 2 - fee[1] * 2 * 2 / 3, 5.0 - fee[1] * 2 / 3 - fee[2] * 2], abs=1e-4
    )
    assert trips.bought == pytest.approx([100.0, 60.0]) and trips.bars.tolist() == [1, 1]


def test_adding_and_taking_off_stay_in_one_trip() -> None:
    trips = one([10, 20, 5, 5, 0], [10.0, 20.0, 30.0, 1.0, 10.0])
    assert trips.count == 1 and trips.bought == pytest.approx([300.0])
    assert trips.profit[0] + trips.fees[0] == pytest.approx(15 * 30 + 5 * 10 - 300)


def test_an_open_trip_stands_at_its_last_price() -> None:
    trips = one([0, 10, 10], [10.0, 10.0, 13.0])
    assert trips.open.tolist() == [True] and trips.profit[0] + trips.fees[0] == pytest.approx(30.0)
    all_, long, short = trip_figures(trips)
    assert (all_.count, all_.still_open, all_.won, long.still_open, short.still_open) == (0, 1, None, 1, 0)


def test_splits_change_lots_and_dividends_pay() -> None:
    """10 lots at 100 become 20 by a split of 2 for 1, get 1 each, and are sold at 55."""
    ts = weekdays("2010-01-04", 4)
    times = pl.Series(ts).cast(pl.Datetime("ns", "UTC"))
    lots = np.zeros((4, 4), dtype=np.int64)
    lots[:, 0] = [10, 20, 20, 0]
    close = np.full((4, 4), 10.0)
    close[:, 0] = [100.0, 50.0, 52.0, 55.0]
    actions = pl.DataFrame(
        {"event_time": times.gather([1, 2]), "symbol": [SYMBOLS[0]] * 2, "kind": ["split", "dividend"],
         "lots_before": [10, 20], "lots_after": [20, 20], "price": [50.0, 1.0], "cash_micros": [0, 20_000_000]},
        schema_overrides={"event_time": TIME},
    )  # fmt: skip
    fills = fills_of(times, np.diff(lots, axis=0, prepend=0).cumsum(axis=0), close)
    fills = fills.filter(pl.col("event_time") != times[1])  # the split is no fill
    bars = Panel(ts, SYMBOLS, {"close": close})
    book = read_book(
        bars, Panel(ts, SYMBOLS, {"lots": lots.astype(float)}), instruments(SYMBOLS), fills, actions, np.ones(4)
    )
    trips = round_trips(book)
    assert trips.count == 1 and not trips.open[0]
    assert trips.profit[0] + trips.fees[0] == pytest.approx(20 * 55 + 20 - 1000)


def test_a_split_comes_before_the_fills_of_its_bar() -> None:
    """10 lots become 20 by a split and are sold on the same bar: one trip, not one and a short beside it."""
    ts = weekdays("2010-01-04", 2)
    times = pl.Series("event_time", ts).cast(pl.Datetime("ns", "UTC"))
    lots, close = np.zeros((2, 4), dtype=np.int64), np.full((2, 4), 10.0)
    lots[0, 0] = 10
    actions = pl.DataFrame(
        {"event_time": times[1:], "symbol": SYMBOLS[:1], "kind": ["split"], "lots_before": [10], "lots_after": [20],
         "price": [5.0], "cash_micros": [0]}
    )  # fmt: skip
    fills = fills_of(times, np.array([[10, 0, 0, 0], [-10, 0, 0, 0]]), close)  # buys 10, then sells 20
    held = Panel(ts, SYMBOLS, {"lots": lots.astype(float)})
    trips = round_trips(
        read_book(Panel(ts, SYMBOLS, {"close": close}), held, instruments(SYMBOLS), fills, actions, np.ones(2))
    )
    assert trips.count == 1 and trips.profit[0] + trips.fees[0] == pytest.approx(100.0)


def test_nothing_traded_is_no_trip() -> None:
    trips = one([0, 0, 0], [1.0, 1.0, 1.0])
    assert trips.count == 0 and trip_figures(trips)[0].profit == 0.0
    assert [x.size for x in extremes(trips, 5)] == [0, 0]


def test_extremes_are_wins_and_losses_only() -> None:
    trips = one([10, 0, 10, 0, 10, 0], [10.0, 12.0, 10.0, 9.0, 10.0, 20.0])
    best, worst = extremes(trips, 5)
    assert trips.profit[best].tolist() == sorted(trips.profit[trips.profit > 0].tolist(), reverse=True)
    assert trips.profit[worst].tolist() == sorted(trips.profit[trips.profit < 0].tolist())
