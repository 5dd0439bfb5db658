"""What is wrong with data is an error that names the row, or a row of the quarantine, and never an event."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modules.engine.accounting import EngineError
from modules.engine.exchange import layout as f
from modules.engine.exchange import readers
from modules.engine.exchange.events import Instrument
from tests.modules.engine.exchange.scenes import OPEN, SECOND, A, B, depth, quotes, trades

BOTH = [A, B]


def quote_rows(**changes: object) -> pl.DataFrame:
    """Three good quotes with one value of the second row changed."""
    rows: dict[str, list[object]] = {
        "time": [OPEN, OPEN + SECOND, OPEN + 2 * SECOND],
        "symbol": ["A"] * 3,
        "bid": [99.0] * 3,
        "bid_size": [10.0] * 3,
        "ask": [101.0] * 3,
        "ask_size": [10.0] * 3,
    }
    for name, value in changes.items():
        rows[name][1] = value
    return pl.DataFrame(rows)


FLAWS = [
    ("crossed", {"bid": 101.0}, "crossed_quote", "bid - ask = 0.0"),
    ("NaN", {"ask": float("nan")}, "price_not_positive", "ask = nan"),
    ("null", {"ask": None}, "price_not_positive", "ask = nan"),
    ("negative", {"bid": -1.0}, "price_not_positive", "bid = -1.0"),
    ("infinite", {"ask": float("inf")}, "price_not_positive", "ask = inf"),
    ("off the tick", {"bid": 99.003}, "off_tick", "bid = 99.003"),
    ("size", {"ask_size": -3.0}, "size_negative", "ask_size = -3.0"),
    ("time", {"time": OPEN - SECOND}, "time_backwards", "time ="),
    ("symbol", {"symbol": "ZZ"}, "unknown_symbol", "symbol = ZZ"),
]


@pytest.mark.parametrize(("name", "change", "rule", "text"), FLAWS, ids=[x[0] for x in FLAWS])
def test_a_bad_quote_is_refused_or_set_apart(name: str, change: dict[str, object], rule: str, text: str) -> None:
    frame = quote_rows(**change)
    with pytest.raises(EngineError, match="row 1") as error:
        readers.quotes(frame, BOTH)
    assert rule in str(error.value) and text in str(error.value)
    stream = readers.quotes(frame, BOTH, "quarantine")
    assert stream.size == 2
    assert stream.quarantine["rule"].to_list() == [rule]
    assert stream.quarantine["row"].to_list() == [1]


def test_a_bar_must_hold_its_open_and_close() -> None:
    frame = pl.DataFrame(
        {"time": [OPEN], "symbol": "A", "open": 10.0, "high": 11.0, "low": 9.0, "close": 11.5, "volume": 1.0}
    )
    with pytest.raises(EngineError, match="bar_inconsistent"):
        readers.bars(frame, BOTH)


def test_sessions_without_events() -> None:
    with pytest.raises(EngineError, match="empty_session: the frame has 0 rows"):
        readers.quotes(quote_rows().clear(), BOTH)
    with pytest.raises(EngineError, match="empty_session: all 3 rows are bad"):
        readers.quotes(quote_rows().with_columns(bid=pl.lit(-1.0)), BOTH, "quarantine")


def test_quotes_without_sizes_say_what_they_are_taken_to_show() -> None:
    bare = quote_rows().drop("bid_size", "ask_size")
    with pytest.raises(EngineError, match="column bid_size is missing"):
        readers.quotes(bare, BOTH)
    stream = readers.quotes(bare, BOTH, unsized_lots=7)
    assert stream.table[f.E_LOTS].tolist() == [7, 7, 7]


def test_a_message_that_crosses_the_book_is_named() -> None:
    good = [("bid", 99.0, 5), ("ask", 101.0, 5)]
    with pytest.raises(EngineError, match="crossed_book: row 3"):
        depth(good, [("bid", 101.0, 3)])
    # the message as a whole counts: the ask leaves before the bid comes
    stream = depth(good, [("ask", 101.0, 0), ("ask", 102.0, 4), ("bid", 101.0, 3)])
    assert (stream.table[f.E_CODE] & f.LAST_BIT != 0).tolist() == [False, False, True, False, False, True]


def test_a_crossing_message_in_quarantine_does_not_condemn_those_after_it() -> None:
    frame = pl.DataFrame(
        {
            "time": [OPEN, OPEN, OPEN + SECOND, OPEN + 2 * SECOND],
            "symbol": "A",
            "side": ["bid", "ask", "bid", "bid"],
            "price": [99.0, 101.0, 102.0, 100.0],
            "size": [5.0, 5.0, 1.0, 2.0],
            "snapshot": [True, True, False, False],
        }
    )
    stream = readers.depth(frame, BOTH, "quarantine")
    assert stream.quarantine["rule"].to_list() == ["crossed_book"]
    assert stream.quarantine["value"].to_list() == [102.0]
    assert stream.table[f.E_PRICE].tolist()[-1] == 10_000


def test_merged_streams_are_in_order_and_seen_in_order() -> None:
    late = quotes((99.0, 1.0, 101.0, 1.0), (99.0, 1.0, 101.0, 1.0)).with_feed_delay(5 * SECOND)
    both = readers.merge(late, trades((0.5, 100.0, 1.0, "buy"), (2.0, 100.0, 1.0, None)))
    assert both.table.shape == (8, 4)
    assert (np.diff(both.table[f.E_EXCHANGE_NS]) >= 0).all()
    assert both.table[f.E_LOCAL_NS].tolist() == [OPEN + x * SECOND for x in (5, 5, 6, 6)]


TICKS = [
    (0.01, 1.13, 113),
    (0.25, 4250.75, 17003),
    (0.05, 0.35, 7),
    (5.0, 105.0, 21),
    (1e-5, 1.10571, 110571),
    (1 / 32, 99.03125, 3169),
]


@pytest.mark.parametrize(("tick", "price", "ticks"), TICKS)
def test_prices_are_whole_ticks_and_back_to_the_bit(tick: float, price: float, ticks: int) -> None:
    instrument = Instrument("X", tick, 1.0)
    top, bottom = instrument.ratio()
    assert ticks * top / bottom == price
    stream = readers.trades(
        pl.DataFrame({"time": [OPEN], "symbol": "X", "price": [price], "size": [1.0]}), [instrument]
    )
    assert stream.table[f.E_PRICE].tolist() == [ticks]
