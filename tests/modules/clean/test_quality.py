"""clean/quality: each rule by itself, and the one promise over all of them: later rows change no earlier bar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.clean.quality.acceptance import accept
from modules.clean.quality.contract import Inputs, Outputs
from modules.clean.quality.rules import RULES
from modules.clean.quality.run import run
from modules.clean.quality.settings import Settings
from modules.contract import TIME, Context, check_ports
from modules.ingest.instruments import Instrument, with_instruments
from tests.modules.ingest.tables import SCHEMA

CONTEXT = Context(seed=0, start_ns=0)
START = datetime(2020, 1, 1, tzinfo=UTC)
Bars = dict[str, list[float | None]]


def table(symbol: str, fields: Bars, step: timedelta = timedelta(days=1), start: datetime = START) -> pl.DataFrame:
    """Records of one symbol; a bar whose fields are all None is not delivered."""
    count = len(fields["close"])
    stamps = pl.Series([start + i * step for i in range(count)]).cast(TIME)
    frame = pl.DataFrame(
        {n: fields.get(n, [None] * count) for n in list(SCHEMA)[3:]}, schema=dict(list(SCHEMA.items())[3:])
    )
    frame = frame.select(
        pl.lit(symbol).alias("symbol"), stamps.alias("event_time"), (stamps + step).alias("available_at"), pl.all()
    )
    return frame.filter(~pl.all_horizontal(pl.col(n).is_null() for n in list(SCHEMA)[3:]))


def clean(records: pl.DataFrame, calendar: str = "UNKNOWN", **changes: object) -> Outputs:
    _, instruments = with_instruments(records, {}, Instrument(symbol="?", calendar=calendar))
    chosen = Settings.model_validate(changes)
    inputs = Inputs(records=records, instruments=instruments)
    outputs = run(inputs, chosen, CONTEXT)
    check_ports("clean", "quality", "outputs", outputs)
    assert accept(inputs, outputs, chosen) == []
    return outputs


def touched(outputs: Outputs, rule: str) -> list[tuple[str, str, str]]:
    """(day, field, action) of a rule."""
    rows = outputs.quality.filter(pl.col("rule") == rule).select("event_time", "field", "action")
    return [
        (f"{t:%m-%d}", f, a) for t, f, a in rows.with_columns(pl.col("event_time").cast(pl.Datetime("us"))).iter_rows()
    ]


def wiggle(count: int, at: dict[int, float | None] | None = None) -> list[float | None]:
    """A close that moves 1 % up and down, with some bars replaced."""
    return [(at or {}).get(i, 100.0 if i % 2 else 101.0) for i in range(count)]


def test_good_data_is_left_alone() -> None:
    outputs = clean(table("A", {"close": wiggle(60)}))
    assert outputs.quality.is_empty()
    assert outputs.bars["close"][:, 0].tolist() == wiggle(60)
    assert all(outputs.metrics[f"{kind}_{rule}"] == 0.0 for rule in RULES for kind in ("flagged", "repaired"))
    assert list(outputs.bars) == ["close"]
    assert outputs.notes == ("no volume delivered: market impact cannot be modelled",)


def test_prices_are_adjusted_and_money_traded_is_kept() -> None:
    fields: Bars = {
        "open": [90.0, 50.0], "high": [100.0, 51.0], "low": [80.0, 49.0], "close": [100.0, 50.0],
        "adj_close": [50.0, 50.0], "volume": [10.0, 20.0],
    }  # fmt: skip
    bars = clean(table("A", fields)).bars
    got = {n: bars[n][0, 0] for n in ("open", "high", "low", "close", "volume")}
    assert got == {"open": 45.0, "high": 50.0, "low": 40.0, "close": 50.0, "volume": 20.0}
    assert bars["volume"][0, 0] * bars["close"][0, 0] == 10.0 * 100.0
    assert "adj_close" not in bars


def test_a_high_equal_to_the_close_stays_equal_after_adjustment() -> None:
    rng = np.random.default_rng(1)
    close = np.round(rng.uniform(1, 300, 500), 2).tolist()
    adjusted = (np.array(close) * rng.uniform(0.01, 1.0, 500)).tolist()
    bars = clean(table("A", {"close": close, "high": close, "low": close, "open": close, "adj_close": adjusted})).bars
    for name in ("open", "high", "low"):
        assert np.array_equal(bars[name], bars["close"])


def test_impossible_prices_are_dropped() -> None:
    fields: Bars = {"close": [1.0, 0.0, 1.0, 1.0], "open": [1.0, 1.0, -1.0, 1.0], "volume": [1.0, 1.0, 1.0, -1.0]}
    outputs = clean(table("A", fields))
    assert touched(outputs, "non_positive_price") == [("01-02", "close", "dropped"), ("01-03", "open", "dropped")]
    assert touched(outputs, "negative_volume") == [("01-04", "volume", "dropped")]
    assert outputs.bars.shape == (3, 1)


def test_an_older_version_of_a_bar_gives_way() -> None:
    first = table("A", {"close": [1.0, 2.0]})
    later = first.head(1).with_columns(pl.col("available_at") + pl.duration(days=9), pl.lit(5.0).alias("close"))
    outputs = clean(pl.concat([first, later]))
    assert touched(outputs, "duplicate") == [("01-01", "close", "dropped")]
    assert outputs.bars["close"][:, 0].tolist() == [5.0, 2.0]


def test_prices_outside_high_low_are_flagged() -> None:
    fields: Bars = {"close": [10.0, 12.0, 10.0005], "open": [10.0] * 3, "high": [10.0] * 3, "low": [9.0] * 3}
    outputs = clean(table("A", fields))
    assert touched(outputs, "ohlc_order") == [("01-02", "close", "flagged")]
    assert outputs.bars["close"][1, 0] == 12.0


def test_a_bar_that_lost_its_adjustment_is_dropped() -> None:
    outputs = clean(table("A", {"close": [10.0, 10.0, 10.0], "adj_close": [5.0, None, 5.0]}))
    assert touched(outputs, "mixed_adjustment") == [("01-02", "adj_close", "dropped")]
    assert outputs.bars["close"][:, 0].tolist() == [5.0, 5.0]


def test_a_spike_is_flagged_when_it_reverts_and_not_repaired() -> None:
    outputs = clean(table("A", {"close": wiggle(60, {40: 200.0})}))
    assert touched(outputs, "spike") == [("02-11", "close", "flagged")]  # the bar after 02-10
    assert "100.0 % at 2020-02-10" in outputs.quality.get_column("detail")[0]
    assert outputs.bars["close"][40, 0] == 200.0


def test_a_jump_that_stays_is_no_spike() -> None:
    jumped = clean(table("A", {"close": [*wiggle(40), *[200.0, 202.0] * 10]}))
    assert touched(jumped, "spike") == []


def test_masking_hides_a_suspect_bar_by_its_own_move() -> None:
    outputs = clean(table("A", {"close": wiggle(60, {40: 200.0})}), spike_action="mask")
    assert touched(outputs, "spike_suspect") == [("02-10", "close", "repaired"), ("02-11", "close", "repaired")]
    assert outputs.metrics["repaired_spike_suspect"] == 2.0
    assert outputs.bars.shape == (58, 1)


def test_stale_runs_are_flagged_from_the_declared_length_on() -> None:
    stale = wiggle(30, dict.fromkeys(range(10, 16), 100.0))
    outputs = clean(table("A", {"close": stale}), stale_run_bars=5)
    assert [d for d, *_ in touched(outputs, "stale_run")] == ["01-14", "01-15", "01-16"]
    masked = clean(table("A", {"close": stale}), stale_run_bars=5, stale_action="mask")
    assert masked.bars.shape == (27, 1)


def test_gaps_are_counted_in_sessions_and_flagged_at_their_end() -> None:
    closes: list[float | None] = [None if i in (1, 2, 3, 4, 5, 6) else v for i, v in enumerate(wiggle(9))]
    holiday = clean(table("A", {"close": closes}, start=datetime(2020, 1, 2, tzinfo=UTC)), calendar="XNYS")
    rows = holiday.quality.filter(pl.col("rule") == "gap")
    assert rows.select("value", "detail").rows() == [(4.0, "4 sessions missing before this bar")]  # 3, 6, 7, 8 January
    assert touched(holiday, "gap") == [("01-09", "close", "flagged")]


def test_without_a_calendar_the_other_symbols_dates_are_the_sessions() -> None:
    both = pl.concat([table("A", {"close": wiggle(6)}), table("B", {"close": [1.0, None, None, 1.5, 1.0, None]})])
    outputs = clean(both)
    assert outputs.quality.select("symbol", "rule", "value").rows() == [("B", "gap", 2.0)]  # the end is no gap


def test_a_symbol_that_starts_later_has_no_gap() -> None:
    ended = table("A", {"close": [1.0, 2.0, 1.0]})
    started = table("B", {"close": [1.0, 2.0, 1.0]}, start=START + timedelta(days=9))
    whole = table("C", {"close": wiggle(12)})
    assert clean(pl.concat([ended, started, whole])).quality.is_empty()


def test_intraday_gaps_are_bars_missing_within_a_session() -> None:
    start = datetime(2020, 1, 2, 14, 31, tzinfo=UTC)
    day = table(
        "A", {"close": [None if i in (3, 4) else v for i, v in enumerate(wiggle(20))]}, timedelta(minutes=1), start
    )
    other = table("A", {"close": wiggle(20)}, timedelta(minutes=1), start + timedelta(days=1))
    outputs = clean(pl.concat([day, other]), calendar="XNYS")
    assert outputs.quality.select("rule", "value").rows() == [("gap", 2.0)]


def test_bars_without_a_session_are_flagged_or_dropped() -> None:
    week = table("A", {"close": wiggle(7)}, start=datetime(2020, 1, 2, tzinfo=UTC))  # Thursday to Wednesday
    assert touched(clean(week, calendar="XNYS"), "off_calendar") == [
        ("01-04", "close", "flagged"),
        ("01-05", "close", "flagged"),
    ]
    dropped = clean(week, calendar="XNYS", off_calendar_action="drop")
    assert dropped.bars.shape == (5, 1)
    assert dropped.metrics["repaired_off_calendar"] == 2.0
    assert clean(week, calendar="24/7").quality.is_empty()


def test_filling_carries_the_close_and_makes_no_volume() -> None:
    gone: Bars = {
        "close": [1.0, None, None, None, 2.0],
        "open": [0.9, None, None, None, 2.0],
        "volume": [5.0, None, None, None, 5.0],
    }
    both = pl.concat([table("A", gone), table("B", {"close": wiggle(5), "open": wiggle(5), "volume": [1.0] * 5})])
    outputs = clean(both, max_fill_bars=2)
    assert outputs.bars["close"][:, 0].tolist()[:3] == [1.0, 1.0, 1.0]
    assert np.isnan(outputs.bars["close"][3, 0])
    assert outputs.bars["open"][1, 0] == 1.0
    assert np.isnan(outputs.bars["volume"][1, 0])
    assert touched(outputs, "fill") == [("01-02", "close", "repaired"), ("01-03", "close", "repaired")]
    assert np.isnan(clean(both).bars["close"][1, 0])


BARS = 70


def _walk(seed: int, shocks: float, gone: float) -> list[float | None]:
    """A close that moves about 1 %, with shocks (half of them taken back), standstills, gaps and impossible values."""
    rng = np.random.default_rng(seed)
    close: list[float | None] = []
    level = 100.0
    for _ in range(BARS):
        shock, still, missing = rng.random(3)
        shown = level
        if shock < shocks:
            shown = level * rng.choice([0.4, 0.6, 1.7, 2.5])
            level = shown if rng.random() < 0.5 else level
        elif still > 0.4:
            level = shown = level * rng.choice([0.99, 1.0, 1.01])
        close.append(None if missing < gone else 0.0 if missing > 0.98 else shown)
    return close


walk = st.builds(_walk, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.2]))
symbols = st.lists(walk, min_size=1, max_size=3)
changes = st.fixed_dictionaries(
    {
        "spike_action": st.sampled_from(["flag", "mask"]),
        "stale_action": st.sampled_from(["flag", "mask"]),
        "off_calendar_action": st.sampled_from(["flag", "drop"]),
        "stale_run_bars": st.integers(3, 6),
        "max_fill_bars": st.integers(0, 4),
        "spike_sigmas": st.sampled_from([4.0, 12.0]),
        "spike_window_bars": st.sampled_from([20, 63]),
    }
)


def _run(records: pl.DataFrame, calendar: str, chosen: dict[str, object]) -> Outputs:
    _, instruments = with_instruments(records, {}, Instrument(symbol="?", calendar=calendar))
    return run(Inputs(records=records, instruments=instruments), Settings.model_validate(chosen), CONTEXT)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(symbols, changes, st.integers(0, BARS - 1), st.sampled_from(["UNKNOWN", "XNYS"]), st.booleans())
def test_later_records_change_no_earlier_bar_and_no_earlier_flag(
    closes: list[list[float | None]], chosen: dict[str, object], cut: int, calendar: str, adjusted: bool
) -> None:
    """1. Bars up to t are bit-equal with and without records after t. 2. So is the quality table up to t."""
    tables = []
    for i, close in enumerate(closes):
        adj = [c if c is None or k > 40 else None if k % 13 == 5 or k < 20 * i else c / 2 for k, c in enumerate(close)]
        tables.append(table(f"S{i}", {"close": close, **({"adj_close": adj} if adjusted else {})}))
    records = pl.concat(tables)
    edge = START + timedelta(days=cut)
    before = records.filter(pl.col("event_time") <= pl.lit(edge).cast(TIME))
    whole, part = (_run(r, calendar, chosen) for r in (records, before))
    early = whole.quality.filter(pl.col("event_time") <= pl.lit(edge).cast(TIME))
    assert early.equals(part.quality)
    if part.bars.shape[0] == 0:
        assert (whole.bars.ts > int(edge.timestamp()) * 10**9).all()
        return
    rows = int(np.searchsorted(whole.bars.ts, part.bars.ts[-1], side="right"))
    columns = [whole.bars.symbols.index(s) for s in part.bars.symbols]
    assert whole.bars.ts[:rows].tolist() == part.bars.ts.tolist()
    now, then = whole.bars["close"][:rows][:, columns], part.bars["close"]
    assert np.array_equal(now.view(np.uint64)[~np.isnan(now)], then.view(np.uint64)[~np.isnan(then)])
    assert np.array_equal(np.isnan(now), np.isnan(then))
