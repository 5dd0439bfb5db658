"""Corporate actions in clean/quality: fields of the panel, bars adjusted by them, and no look at a later one."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.contract import TIME
from tests.modules.clean.test_quality import Bars, clean, table, touched

RAW = ("split", "dividend", "delisting", "member")


def acted(symbol: str, fields: Bars, **actions: dict[int, float]) -> pl.DataFrame:
    """Records of one symbol with actions by row."""
    count = len(fields["close"])
    records = table(symbol, fields)
    start = table(symbol, {"close": [1.0] * count})
    beside = start.select("symbol", "event_time", "available_at").with_columns(
        pl.Series(name, [values.get(i) for i in range(count)], dtype=pl.Float64) for name, values in actions.items()
    )
    stated = beside.filter(pl.any_horizontal(pl.col(n).is_not_null() for n in actions))
    return records.join(stated, on=["symbol", "event_time", "available_at"], how="full", coalesce=True)


def column(bars: object, field: str, symbol: int = 0) -> list[float]:
    values: list[float] = bars[field][:, symbol].tolist()  # type: ignore[index]
    return values


def test_bars_without_an_adjusted_close_are_adjusted_by_their_actions_forward() -> None:
    """Bought at 100: a 2:1 split makes two shares, a dividend of 5 at 50 a tenth of a share more for each."""
    bars = clean(acted("A", {"close": [100.0, 50.0, 50.0, 55.0]}, split={1: 2.0}, dividend={2: 5.0})).bars
    assert column(bars, "close") == [100.0, 100.0, 110.00000000000001, 121.00000000000001]
    assert column(bars, "raw_close") == [100.0, 50.0, 50.0, 55.0]
    assert column(bars, "split") == [1.0, 2.0, 1.0, 1.0]
    assert column(bars, "dividend") == [0.0, 0.0, 5.0, 0.0]


def test_an_adjusted_close_that_was_delivered_stands() -> None:
    fields: Bars = {"close": [100.0, 50.0], "adj_close": [49.0, 50.0], "open": [90.0, 48.0], "volume": [10.0, 20.0]}
    bars = clean(acted("A", fields, split={1: 2.0})).bars
    assert column(bars, "close") == [49.0, 50.0] and column(bars, "raw_close") == [100.0, 50.0]
    assert column(bars, "raw_open") == [90.0, 48.0]
    plain = clean(table("A", fields)).bars
    for name in plain:
        assert plain[name].tobytes() == bars[name].tobytes()


def test_split_and_dividend_of_one_day_the_dividend_is_a_new_share() -> None:
    bars = clean(acted("A", {"close": [140.0, 19.0]}, split={1: 7.0}, dividend={1: 1.0})).bars
    assert column(bars, "close") == [140.0, 140.0]


def test_actions_on_days_without_a_bar() -> None:
    """A's gap day has a bar of B; nobody has one on the day after, so its actions meet on the next."""
    a = acted("A", {"close": [100.0, None, None, 25.0]}, split={1: 2.0, 2: 2.0}, dividend={1: 4.0, 2: 1.0})
    outputs = clean(pl.concat([a, table("B", {"close": [1.0, 1.0, None, 1.0]})], how="diagonal"))
    bars = outputs.bars
    assert bars.shape == (3, 2)
    assert column(bars, "split") == [1.0, 2.0, 2.0] and column(bars, "dividend") == [0.0, 4.0, 1.0]
    assert touched(outputs, "action_without_bar") == [("01-02", "close", "flagged"), ("01-03", "close", "flagged")]
    assert np.isnan(bars["raw_close"][1, 0])
    assert column(bars, "close")[2] == 100.0 * (1.0 + (4.0 / 2 + 1.0) / 25.0)


def test_a_dividend_of_the_whole_price_is_dropped() -> None:
    outputs = clean(acted("A", {"close": [100.0, 50.0, 45.0]}, split={1: 2.0}, dividend={1: 50.0, 2: 5.0}))
    assert touched(outputs, "dividend_above_price") == [("01-02", "dividend", "dropped")]
    assert column(outputs.bars, "dividend") == [0.0, 0.0, 5.0]
    assert outputs.metrics["repaired_dividend_above_price"] == 1.0


def test_a_delisting_takes_effect_when_the_symbol_is_gone() -> None:
    """A says its last day, B the day after; C trades on, so it has not left."""
    ten: list[float | None] = [10.0] * 5
    gone: list[float | None] = [10.0, 10.0, None, None, None]
    records = [
        acted("A", {"close": gone}, delisting={1: -0.3}),
        acted("B", {"close": gone}, delisting={2: 0.0}),
        acted("C", {"close": ten}, delisting={1: 0.0}),
        acted("D", {"close": ten}, delisting={4: 0.5}),
    ]
    outputs = clean(pl.concat(records, how="diagonal"))
    found = {(int(t), outputs.bars.symbols[i]): outputs.bars["delisting"][t, i]
             for t, i in zip(*np.nonzero(~np.isnan(outputs.bars["delisting"])), strict=True)}  # fmt: skip
    assert found == {(2, "A"): -0.3, (2, "B"): 0.0}
    assert touched(outputs, "delisting_contradicted") == [("01-03", "close", "dropped")]
    assert "raw_close" not in outputs.bars


def test_membership_holds_until_it_is_restated_and_silence_is_none() -> None:
    three: list[float | None] = [1.0, 1.0, 1.0, 1.0]
    records = [acted("A", {"close": three}, member={1: 1.0, 3: 0.0}), table("B", {"close": three})]
    bars = clean(pl.concat(records, how="diagonal")).bars
    assert column(bars, "member") == [0.0, 1.0, 1.0, 0.0]
    assert column(bars, "member", 1) == [0.0] * 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 11))
def test_later_records_change_no_earlier_bar(seed: int, cut: int) -> None:
    """With and without the records after a cut: every field of every bar up to it has the same bits."""
    rng = np.random.default_rng(seed)
    parts = []
    for symbol in "ABC":
        close = [None if rng.random() < 0.2 else float(rng.integers(20, 200)) for _ in range(12)]
        close[0] = 50.0
        chosen = {
            n: {int(t): v for t in rng.integers(1, 12, 2)} for n, v in zip(RAW, (2.0, 1.5, -0.2, 1.0), strict=True)
        }
        parts.append(acted(symbol, {"close": close, "open": close, "volume": close}, **chosen))
    records = pl.concat(parts, how="diagonal")
    whole = clean(records).bars
    times = records.get_column("event_time").unique().sort()  # a day without any record has no bar
    last = times[min(cut, times.len() - 1)]
    short = clean(records.filter(pl.col("event_time") <= pl.lit(last, TIME))).bars
    rows = short.shape[0]
    for name in short:
        at = [whole.symbols.index(s) for s in short.symbols]
        assert np.ascontiguousarray(whole[name][:rows, at]).tobytes() == short[name].tobytes(), name
