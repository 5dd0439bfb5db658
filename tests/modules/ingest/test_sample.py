"""The bundled sets."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modules.bundled import FACTS, registration
from modules.contract import Context, check_ports
from modules.datastore import DataError, DataStore
from modules.ingest.sample.acceptance import accept
from modules.ingest.sample.contract import Inputs, Outputs
from modules.ingest.sample.run import run
from modules.ingest.sample.settings import Settings
from modules.panel import ns

CONTEXT = Context(seed=0, start_ns=0)


def _ingested(store: DataStore, name: str) -> tuple[Inputs, Outputs]:
    inputs = Inputs(raw=store.raw(store.current(name)))
    return inputs, run(inputs, Settings(dataset=name), CONTEXT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "rows", "symbols", "start", "end", "mining_end", "lockbox_start"),
    [
        ("us20", 166_260, 20, "1990-01-02", "2022-12-28", "2006-06-26", "2016-05-23"),
        ("us5", 12_154, 5, "2000-03-01", "2013-03-01", "2006-08-31", "2010-07-27"),
    ],
)
def test_registered_on_first_use(
    tmp_path: Path, name: str, rows: int, symbols: int, start: str, end: str, mining_end: str, lockbox_start: str
) -> None:
    store = DataStore(tmp_path)
    version = store.current(name)
    assert (version.rows, version.symbols, version.start, version.end) == (rows, symbols, start, end)
    assert (version.mining_end_ns, version.lockbox_start_ns) == (ns(mining_end), ns(lockbox_start))
    assert store.current(name) == version == DataStore(tmp_path).get(name, version.digest)


@pytest.mark.parametrize("name", ["us20", "us5"])
def test_records_hold_to_their_contract(tmp_path: Path, name: str) -> None:
    inputs, outputs = _ingested(DataStore(tmp_path), name)
    check_ports("ingest", "sample", "outputs", outputs)
    assert accept(inputs, outputs, Settings(dataset=name)) == []  # type: ignore[arg-type]


def test_us20_has_closes_and_nothing_else(tmp_path: Path) -> None:
    _, outputs = _ingested(DataStore(tmp_path), "us20")
    absent = outputs.records.select("open", "high", "low", "adj_close", "volume")
    assert all(n == outputs.records.height for n in absent.null_count().row(0))
    first = outputs.records.filter(pl.col("symbol") == "AAPL.NASDAQ").row(0, named=True)
    assert first["close"] == 0.264
    assert str(first["available_at"]) == "1990-01-02 21:00:00+00:00"


def test_us5_keeps_raw_prices_and_the_adjusted_close(tmp_path: Path) -> None:
    _, outputs = _ingested(DataStore(tmp_path), "us5")
    first = outputs.records.filter(pl.col("symbol") == "AAPL.NASDAQ").row(0)[3:]
    assert first == (118.56, 132.06, 118.5, 130.31, 4.186662803811, 9_616_100.0)


def test_instruments_are_whole(tmp_path: Path) -> None:
    _, outputs = _ingested(DataStore(tmp_path), "us20")
    table = outputs.instruments
    assert table.get_column("symbol").to_list() == sorted(f.symbol for f in FACTS["us20"])
    assert set(table.get_column("calendar")) == {"XNYS"} and set(table.get_column("currency")) == {"USD"}
    assert set(table.get_column("tick_size")) == {0.01} and set(table.get_column("lot_size")) == {0.0001}
    assert table.get_column("sector").n_unique() == 7


def test_another_name_is_refused() -> None:
    with pytest.raises(DataError, match="'us99' is not a bundled data set"):
        registration("us99")


@pytest.mark.slow
def test_us20_is_what_skfolio_loads() -> None:
    from skfolio.datasets import load_sp500_dataset

    theirs = load_sp500_dataset()
    ours = registration("us20").raw
    assert [str(d.date()) for d in theirs.index] == [str(d) for d in ours.get_column("Date")]
    for ticker in theirs.columns:
        assert theirs[ticker].to_list() == ours.get_column(ticker).to_list()
    assert len(theirs.columns) == len(FACTS["us20"])


@pytest.mark.slow
def test_us5_is_what_bokeh_ships() -> None:
    from bokeh_sampledata import stocks

    ours = registration("us5").raw
    for ticker in ("AAPL", "FB", "GOOG", "IBM", "MSFT"):
        theirs = getattr(stocks, ticker)
        mine = ours.filter(pl.col("Ticker") == ticker)
        pairs = {"date": "Date", "open": "Open", "close": "Close", "volume": "Volume", "adj_close": "Adj Close"}
        for key, column in pairs.items():
            values = mine.get_column(column)
            assert list(theirs[key]) == (values.cast(pl.String).to_list() if key == "date" else values.to_list())
