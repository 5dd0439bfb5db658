"""Bringing data: what is guessed, what is refused, and that nothing is left behind when it fails."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from modules.contract import Context, check_ports
from modules.datastore import DataError, DataStore, DataVersion
from modules.ingest.adding import AddOptions, AddResult, add_files
from modules.ingest.files.acceptance import accept
from modules.ingest.files.contract import Inputs, Outputs
from modules.ingest.files.run import run
from modules.ingest.files.settings import Settings
from modules.ingest.normalise import RULES
from tests.modules.ingest.tables import days, long_csv, write
from tests.modules.ingest.test_actions import REFUSED_COLUMNS


def _add(folder: Path, text: str | bytes, name: str = "prices.csv", **options: object) -> AddResult:
    path = write(folder, text, name)
    return add_files(DataStore(folder / "data"), "mine", [path], AddOptions.model_validate(options))


def _ingest(folder: Path, version: DataVersion) -> Outputs:
    inputs = Inputs(raw=DataStore(folder / "data").raw(version))
    settings = Settings.model_validate(version.ingest_settings)
    outputs = run(inputs, settings, Context(seed=0, start_ns=0))
    check_ports("ingest", "files", "outputs", outputs)
    assert accept(inputs, outputs, settings) == []
    return outputs


def _table(header: str, row: str, count: int = 20) -> str:
    return "\n".join([header, *(row.format(d=d, i=i + 1) for i, d in enumerate(days(count)))]) + "\n"


GUESSES: list[tuple[str, str | bytes, dict[str, object]]] = [
    ("long", _table("Date,Ticker,Close", "{d},A,{i}"), {"layout": "long", "symbol_column": "Ticker"}),
    ("bom", b"\xef\xbb\xbf" + _table("date,symbol,close", "{d},A,{i}").encode(), {"time_column": "date"}),
    ("semicolon", _table("date;symbol;close", "{d};A;{i},5"), {"decimal": ","}),
    ("gzip", gzip.compress(_table("date,symbol,close", "{d},A,{i}").encode(), mtime=0), {"close_column": "close"}),
    (
        "ohlcv",
        _table("Date,Open,High,Low,Close,Adj Close,Volume", "{d},{i},{i},{i},{i},{i},9"),
        {"open_column": "Open", "adj_close_column": "Adj Close", "symbol_column": "source_symbol"},
    ),
    ("letters", _table("t_date,o,h,l,c,v", "{d},{i},{i},{i},{i},9"), {"close_column": "c", "volume_column": "v"}),
    ("only adjusted", _table("date,symbol,adj_close", "{d},A,{i}"), {"close_column": "adj_close"}),
    ("wide of tickers", _table("date,AAPL,C,LOW,V", "{d},{i},{i},,{i}"), {"layout": "wide"}),
    ("wide with unnamed index", _table(",AAPL,MSFT", "{d},{i},{i}"), {"layout": "wide", "time_column": ""}),
    ("row numbers", _table("index,date,symbol,close", "{i},{d},A,{i}"), {"layout": "long", "time_column": "date"}),
    ("eastern time", _table("ts_et,symbol,close", "{d} 16:00:00,A,{i}"), {"timezone": "America/New_York"}),
    ("day first", "date,close\n" + "\n".join(f"{i:02d}/01/2020,1" for i in range(1, 29)), {"date_order": "dmy"}),
    ("month first", "date,close\n" + "\n".join(f"1/{i}/2020,1" for i in range(1, 29)), {"date_order": "mdy"}),
    (
        "both fit",
        "date,close\n" + "\n".join(f"{m}/1/{y},1" for y in (2019, 2020) for m in range(1, 13)),
        {"date_order": "mdy"},
    ),
    ("yyyymmdd", "date,close\n" + "\n".join(f"202001{i:02d},1" for i in range(1, 29)), {"epoch_unit": "yyyymmdd"}),
    ("yyyymm", "date,close\n" + "\n".join(f"2020{i:02d},1" for i in range(1, 13)), {"interval_s": 31 * 86_400}),
    *(
        (f"epoch {unit}", "ts,close\n" + "\n".join(f"{(1_577_836_800 + 60 * i) * scale},1" for i in range(9)),
         {"epoch_unit": unit, "interval_s": 60})
        for unit, scale in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
    ),
    ("weekends trade", _table("date,symbol,close", "{d},A,{i}"), {"calendar": "24/7"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [g[1:] for g in GUESSES], ids=[g[0] for g in GUESSES])
def test_columns_and_clock_are_guessed(tmp_path: Path, text: str | bytes, expected: dict[str, object]) -> None:
    result = _add(tmp_path, text)
    settings = result.guess.settings.model_dump()
    assert {k: settings[k] for k in expected} == expected
    assert result.refused == {}
    _ingest(tmp_path, result.version)


def test_new_york_sessions_are_recognised(tmp_path: Path) -> None:
    from modules.bundled import registration

    registration("us20").raw.select("Date", "AAPL").head(300).write_csv(tmp_path / "x.csv")
    result = add_files(DataStore(tmp_path / "data"), "mine", [tmp_path / "x.csv"])
    assert result.guess.settings.calendar == "XNYS"
    first = _ingest(tmp_path, result.version).records.row(0, named=True)
    assert str(first["available_at"]) == "1990-01-02 21:00:00+00:00"


OHLCV = "date,symbol,open,high,low,close,adj_close,volume"
REFUSED_ROWS = [
    ("unparseable_time", "someday,A,1,2,1,1,1,5"),
    ("missing_symbol", "2021-01-01, ,1,2,1,1,1,5"),
    ("non_numeric", "2021-01-01,A,1,2,1,cheap,1,5"),
    ("non_finite", "2021-01-01,A,1,inf,1,1,1,5"),
    ("no_price", "2021-01-01,A,,,NaN,,,5"),
    ("missing_close", "2021-01-01,A,1,2,1,,1,5"),
    ("missing_adj_close", "2021-01-01,A,1,2,1,1,,5"),
    ("non_positive_price", "2021-01-01,A,1,2,1,0,1,5"),
    ("non_positive_price", "2021-01-01,A,-1,2,1,1,1,5"),
    ("high_below_low", "2021-01-01,A,1,1,2,1,1,5"),
    ("negative_volume", "2021-01-01,A,1,2,1,1,1,-5"),
    ("duplicate_row", "2020-01-01,A,1,2,1,1,1,5"),
    ("conflicting_duplicate", "2020-01-01,A,1,2,1,1.5,1,5"),
]


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in (*REFUSED_ROWS, *REFUSED_COLUMNS)} == set(RULES)


@pytest.mark.parametrize(("rule", "row"), REFUSED_ROWS)
def test_a_bad_row_is_refused_under_its_rule(tmp_path: Path, rule: str, row: str) -> None:
    result = _add(tmp_path, _table(OHLCV, "{d},A,1,2,1,1,1,5") + row + "\n")
    count = 2 if rule == "conflicting_duplicate" else 1
    assert result.refused == {rule: count}
    kept = 20 - (1 if rule == "conflicting_duplicate" else 0)
    assert result.version.rows == kept
    assert "prices.csv row " in result.first_refused[rule][0]
    if rule == "non_numeric":
        assert "values not shown: lockbox" in result.first_refused[rule][0]


def test_a_bad_row_outside_the_lockbox_is_shown(tmp_path: Path) -> None:
    result = _add(tmp_path, _table(OHLCV, "{d},A,1,2,1,1,1,5") + "2019-01-01,A,1,2,1,cheap,1,5\n")
    assert "close='cheap'" in result.first_refused["non_numeric"][0]


def test_missing_open_and_volume_are_kept_as_missing(tmp_path: Path) -> None:
    result = _add(tmp_path, _table(OHLCV, "{d},A,,NA,1,1,1,-"))
    assert result.refused == {}
    row = _ingest(tmp_path, result.version).records.row(0, named=True)
    assert (row["open"], row["high"], row["low"], row["volume"]) == (None, None, 1.0, None)


REFUSED_FILES: list[tuple[str, str | bytes, str]] = [
    ("empty", "", "is empty"),
    ("header only", "date,symbol,close\n", "and no rows"),
    ("no header", "2020-01-01,1,2\n2020-01-02,1,2\n", "not with a header"),
    ("one column", "date\n2020-01-01\n", "has one column"),
    ("columns twice", "date,close,close\n2020-01-01,1,1\n", "names columns twice: close"),
    ("binary", b"\x89PNG\r\n\x1a\n\x00\x00\x00", "is binary"),
    ("utf-16", "date,close\n2020-01-01,1\n".encode("utf-16"), "is UTF-16"),
    ("latin", "date,close\n2020-01-01,\xe9\n".encode("latin-1"), "cannot be read as CSV"),
    ("broken parquet", b"PAR1 and no more", "starts like Parquet"),
    ("ragged", "date,close\n2020-01-01,1\n2020-01-02,1,2,3\n", "cannot be read as CSV"),
    ("no time", "a,b\nx,1\ny,2\n", "does not read as time"),
    ("no close", "date,open,high,low\n2020-01-01,1,1,1\n", "no close among the columns"),
    ("text for numbers", long_csv(20, dict.fromkeys(range(20), "abc")), r"no usable.*\n  - non_numeric: 20 .*'abc'"),
    ("all missing", long_csv(20, dict.fromkeys(range(20), "NaN")), "no_price: 20 rows"),
    ("zero symbols", _table("date,symbol,close", "{d},,{i}"), "missing_symbol: 20 rows"),
    ("wide text", _table("date,A,B", "{d},1,xx"), "column B holds 'xx', 'xx', 'xx' where numbers must be"),
    ("returns", _table("date,A,B", "{d},-0.01,0.02"), "non_positive_price: 20 rows"),
    ("quotes", _table("date,symbol,bid_close,ask_close", "{d},A,1,1"), "quote bars"),
    ("two day orders", "date,close\n13/01/2020,1\n01/14/2020,1\n", "month first in some rows and the day first"),
    ("some offsets", "date,close\n2020-01-01 10:00Z,1\n2020-01-01 11:00,1\n", "1 times carry no UTC offset .row 2: "),
    (
        "offsets of no zone",
        "date,close\n2020-01-01 10:00+00:00,1\n2020-01-01 11:00-05:00,1\n2020-01-01 12:00+09:00,1\n",
        r"mixes time zones: offsets -05:00, \+00:00, \+09:00 .*row 2: 2020-01-01 11:00-05:00",
    ),
    ("reserved column", "date,close,source_row\n2020-01-01,1,1\n", "source_row; rename"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [r[1:] for r in REFUSED_FILES], ids=[r[0] for r in REFUSED_FILES])
def test_a_bad_file_is_refused_and_nothing_is_written(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _add(tmp_path, text)
    assert caught.value.remedy
    assert not (tmp_path / "data").exists()


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    write(tmp_path, long_csv())
    store = DataStore(tmp_path / "data")
    with pytest.raises(DataError, match=r"is a folder; it holds prices.csv; name the files"):
        add_files(store, "mine", [tmp_path])
    with pytest.raises(DataError, match="does not exist"):
        add_files(store, "mine", [tmp_path / "none.csv"])
    with pytest.raises(DataError, match="no file was named"):
        add_files(store, "mine", [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timezone": "Mars/Base"}, "timezone 'Mars/Base' is no IANA zone"),
        ({"calendar": "MARS"}, "calendar 'MARS' is not known"),
        ({"close_column": "zap"}, "column 'zap' is not in the file; it has date, symbol, close"),
        ({"known_at": "lately"}, "known_at 'lately' is not an ISO date"),
    ],
)
def test_a_bad_option_is_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _add(tmp_path, long_csv(), **options)


def test_options_override_the_guess(tmp_path: Path) -> None:
    quotes = _table("when,pair,bid_close,ask_close", "{d},EURUSD,{i},9")
    result = _add(tmp_path, quotes, time_column="When", close_column="bid_close", currency="EUR", calendar="UNKNOWN")
    settings = result.guess.settings
    assert (settings.time_column, settings.symbol_column, settings.close_column) == ("when", "pair", "bid_close")
    assert result.guess.unused == ("ask_close",)
    assert _ingest(tmp_path, result.version).instruments.get_column("currency").to_list() == ["EUR"]


def test_too_many_refused_rows_refuse_the_file(tmp_path: Path) -> None:
    text = long_csv(20, dict.fromkeys(range(5), "0"))
    with pytest.raises(DataError, match=r"25\.0% of 20 rows break a rule, allowed are 20\.0%"):
        _add(tmp_path, text)
    assert _add(tmp_path, text, max_refused_share=0.25).refused == {"non_positive_price": 5}


def test_unsorted_rows_are_sorted_and_it_is_said(tmp_path: Path) -> None:
    head, *rows = long_csv().strip().split("\n")
    result = _add(tmp_path, "\n".join([head, *reversed(rows)]))
    assert "times were not in order in 19 places: sorted" in result.notes
    assert _ingest(tmp_path, result.version).records.get_column("event_time").is_sorted()


def test_one_symbol_a_file_takes_its_name_from_the_file(tmp_path: Path) -> None:
    files = [write(tmp_path, _table("date,close", "{d},{i}"), f"{s}.csv") for s in ("XOM", "CVX")]
    store = DataStore(tmp_path / "data")
    result = add_files(store, "mine", files)
    assert result.version.symbols == 2
    assert "symbol is CVX, XOM (the file's name)" in result.notes[0]
    odd = write(tmp_path, _table("date,price", "{d},{i}"), "odd.csv")
    with pytest.raises(DataError, match="differ in columns close, price"):
        add_files(store, "other", [*files, odd])


def test_instruments_come_from_a_file(tmp_path: Path) -> None:
    facts = write(tmp_path, "Symbol,Venue,Sector,Tick Size\nA,NYSE,Energy,0.05\n", "facts.csv")
    outputs = _ingest(tmp_path, _add(tmp_path, long_csv(), instruments=facts).version)
    assert outputs.records.get_column("symbol").unique().to_list() == ["A.NYSE"]
    row = outputs.instruments.row(0, named=True)
    assert (row["venue"], row["sector"], row["tick_size"], row["lot_size"]) == ("NYSE", "Energy", 0.05, 0.0001)


@pytest.mark.parametrize(
    ("stamp", "options", "event", "available"),
    [
        ("2020-01-06 09:31:00", {"timezone": "America/New_York"}, "2020-01-06 14:31:00", "2020-01-06 14:32:00"),
        ("2020-01-06 09:31:00", {"bar_stamp": "close"}, "2020-01-06 09:31:00", "2020-01-06 09:31:00"),
        ("2020-01-06T09:31:00.5Z", {}, "2020-01-06 09:31:00.500", "2020-01-06 09:32:00.500"),
        ("2020-01-06 09:31-05:00", {}, "2020-01-06 14:31:00", "2020-01-06 14:32:00"),
    ],
)
def test_intraday_bars_are_known_when_they_end(
    tmp_path: Path, stamp: str, options: dict[str, object], event: str, available: str
) -> None:
    rows = [stamp.replace(":31", f":{31 + i}") for i in range(10)]
    result = _add(tmp_path, "\n".join(["time,symbol,close", *(f"{r},A,1" for r in rows)]), **options)
    first = _ingest(tmp_path, result.version).records.row(0, named=True)
    assert first["event_time"] == datetime.fromisoformat(event + "+00:00")
    assert first["available_at"] == datetime.fromisoformat(available + "+00:00")


def test_hours_that_a_clock_skips_are_no_time(tmp_path: Path) -> None:
    rows = "\n".join(f"2020-03-08 {h:02d}:30,A,1" for h in range(10))
    result = _add(tmp_path, "time,symbol,close\n" + rows, timezone="America/New_York")
    assert result.refused == {"unparseable_time": 1}
    assert "2020-03-08 02:30" in result.first_refused["unparseable_time"][0]


def test_summer_and_winter_offsets_of_one_zone_are_one_clock(tmp_path: Path) -> None:
    rows = ["2020-03-06 16:00:00-05:00", "2020-03-09 16:00:00-04:00", "2020-03-10 16:00:00-04:00"]
    result = _add(tmp_path, "time,symbol,close\n" + "\n".join(f"{r},A,1" for r in rows))
    assert result.guess.settings.timezone == "America/New_York"
    assert (result.version.start, result.version.end) == ("2020-03-06", "2020-03-10")


def test_thousands_of_columns(tmp_path: Path) -> None:
    names = [f"S{i}" for i in range(3000)]
    pl.DataFrame({"date": days(4), **{n: [1.0, 2.0, 3.0, 4.0] for n in names}}).write_parquet(tmp_path / "x.parquet")
    result = add_files(DataStore(tmp_path / "data"), "mine", [tmp_path / "x.parquet"])
    assert (result.version.rows, result.version.symbols) == (12_000, 3000)
