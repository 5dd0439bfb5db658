"""The two data sets that come with the installed packages, read without network and without importing them.

`us20`  20 US large caps, adjusted close, 1990-2022: skfolio's packaged S&P 500 sample (BSD-3).
`us5`   5 US stocks, raw OHLCV and adjusted close, 2000-2013: bokeh_sampledata (BSD-3; Quandl WIKI, public domain).
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from modules.contract import TIME
from modules.dataversion import DataError, Registration


@dataclass(frozen=True)
class InstrumentFact:
    """Listing venue and GICS sector as they stood when the set ends (us20: 2022, us5: 2013)."""

    ticker: str
    venue: str
    sector: str

    @property
    def symbol(self) -> str:
        """Canonical symbol, `AAPL.NASDAQ`."""
        return f"{self.ticker}.{self.venue}"


def _facts(rows: str) -> tuple[InstrumentFact, ...]:
    return tuple(InstrumentFact(*(part.strip() for part in line.split("|"))) for line in rows.strip().splitlines())


FACTS: dict[str, tuple[InstrumentFact, ...]] = {
    "us20": _facts(
        """
        AAPL | NASDAQ | Information Technology
        AMD  | NASDAQ | Information Technology
        BAC  | NYSE   | Financials
        BBY  | NYSE   | Consumer Discretionary
        CVX  | NYSE   | Energy
        GE   | NYSE   | Industrials
        HD   | NYSE   | Consumer Discretionary
        JNJ  | NYSE   | Health Care
        JPM  | NYSE   | Financials
        KO   | NYSE   | Consumer Staples
        LLY  | NYSE   | Health Care
        MRK  | NYSE   | Health Care
        MSFT | NASDAQ | Information Technology
        PEP  | NASDAQ | Consumer Staples
        PFE  | NYSE   | Health Care
        PG   | NYSE   | Consumer Staples
        RRC  | NYSE   | Energy
        UNH  | NYSE   | Health Care
        WMT  | NYSE   | Consumer Staples
        XOM  | NYSE   | Energy
        """
    ),
    # GICS moved Facebook and Google to Communication Services in 2018, after this set ends
    "us5": _facts(
        """
        AAPL | NASDAQ | Information Technology
        FB   | NASDAQ | Information Technology
        GOOG | NASDAQ | Information Technology
        IBM  | NYSE   | Information Technology
        MSFT | NASDAQ | Information Technology
        """
    ),
}


def registration(name: str) -> Registration:
    """The bundled set `us20` or `us5`, ready for `DataStore.register`. Raises DataError for another name."""
    if name == "us20":
        raw = _us20()
        values = raw.select(fact.ticker for fact in FACTS[name])
        rows = sum(values.height - n for n in values.null_count().row(0))
        symbols = values.width
    elif name == "us5":
        raw = _us5()
        rows = raw.height
        symbols = raw.get_column("Ticker").n_unique()
    else:
        raise DataError(f"{name!r} is not a bundled data set", f"choose one of {', '.join(FACTS)}")
    provenance = raw.with_row_index("source_row").with_columns(
        pl.col("source_row").cast(pl.Int64),
        pl.lit(f"{name}.csv.gz").alias("source_file"),
        pl.col("Date").cast(TIME).alias("source_event_time"),
    )
    return Registration(
        name=name,
        raw=provenance,
        ingest="sample",
        ingest_settings={"dataset": name},
        time_column="Date",
        rows=rows,
        symbols=symbols,
        cells=_cells(name, provenance),
    )


def _cells(name: str, raw: pl.DataFrame) -> pl.DataFrame:
    """Symbol, day and adjusted close of each row, by which it is known again in another set."""
    time = pl.col("source_event_time").alias("event_time")
    if name == "us5":
        return raw.select(pl.col("Ticker").alias("symbol"), time, pl.col("Adj Close").alias("value"))
    wide = raw.select(time, *(fact.ticker for fact in FACTS[name]))
    return (
        wide.unpivot(index="event_time", variable_name="symbol")
        .drop_nulls("value")
        .select("symbol", "event_time", "value")
    )


def _us20() -> pl.DataFrame:
    tickers = [fact.ticker for fact in FACTS["us20"]]
    schema: dict[str, pl.DataType] = {"Date": pl.Date(), **{t: pl.Float64() for t in tickers}}
    return _read("skfolio", "datasets/data/sp500_dataset.csv.gz", schema)


def _us5() -> pl.DataFrame:
    prices: dict[str, pl.DataType] = {n: pl.Float64() for n in ("Open", "High", "Low", "Close")}
    schema = {"Ticker": pl.String(), "Date": pl.Date(), **prices, "Volume": pl.Int64(), "Adj Close": pl.Float64()}
    return _read("bokeh_sampledata", "_data/stocks.csv.gz", schema)


def _read(package: str, file: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    spec = importlib.util.find_spec(package)  # finds the folder without running the package (skfolio costs 4 s)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = next((p for p in (Path(f) / file for f in folders) if p.is_file()), None)
    if path is None:
        raise DataError(f"package {package} does not hold {file}", "install the pinned set of packages (`make setup`)")
    with gzip.open(path) as handle:
        text = handle.read()
    header = text.split(b"\n", 1)[0].decode().strip().split(",")
    if header != list(schema):
        raise DataError(
            f"{package}/{file} has columns {header}; expected {list(schema)}", "install the pinned set of packages"
        )
    return pl.read_csv(text, schema=schema)
