"""A planted market as a registration: the rows that a file of it would hold."""

from __future__ import annotations

import numpy as np
import polars as pl

from ablations.planted.markets import LETTERS, SECTORS, VENUE, Market
from ablations.planted.simulate import Simulated, simulate
from modules.contract import TIME
from modules.dataversion import Registration
from modules.ingest.files.settings import Settings
from modules.ingest.instruments import Instrument, to_text
from modules.ingest.normalise import normalise, refuse_if_too_many

_FIELDS = ("open", "high", "low", "close", "volume")


def registration(market: Market) -> Registration:
    """`market` as `DataStore.register` takes it."""
    raw = table(simulate(market)).with_columns(
        pl.lit(f"{market.name}.simulated").alias("source_file"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("source_row"),
    )
    settings = Settings.model_validate(
        {
            **{f"{name}_column": name for name in _FIELDS},
            "venue": VENUE,
            "instruments": to_text(_instrument(s) for s in raw.get_column("symbol").unique().to_list()),
        }
    )
    result = normalise(raw, settings)
    refuse_if_too_many(result, 0.0, f"planted market {market.name}")
    return Registration(
        name=market.name,
        raw=raw.with_columns(result.row_times.cast(TIME).alias("source_event_time")),
        ingest="files",
        ingest_settings=settings.stored(),
        time_column="date",
        rows=result.records.height,
        symbols=result.records.get_column("symbol").n_unique(),
        refused=result.refused,
    )


def table(simulated: Simulated) -> pl.DataFrame:
    """A row a symbol and day, in order of time; cells that were not delivered have none."""
    bars, symbols = len(simulated.days), len(simulated.symbols)
    rows = pl.DataFrame(
        {
            "date": np.repeat(np.datetime_as_string(simulated.days, unit="D"), symbols),
            "symbol": list(simulated.symbols) * bars,
            **{name: simulated.fields[name].reshape(-1) for name in _FIELDS},
        }
    )
    return rows.filter(pl.col("close").is_not_nan())


def _instrument(symbol: str) -> Instrument:
    """The first half of a group's letters is one sector, the second the other; sectors of groups are apart."""
    half = LETTERS.index(symbol[-1]) * len(SECTORS) // len(LETTERS)
    return Instrument(symbol=symbol, venue=VENUE, sector=f"{SECTORS[half]} {symbol[:2]}")
