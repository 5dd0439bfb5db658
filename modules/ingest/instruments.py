"""The instruments table: what each symbol of a set is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from modules.calendars import UNKNOWN
from modules.canonical import canonical_json
from modules.contract import TIME

TICK_SIZE = 0.01
LOT_SIZE = 0.0001


class Instrument(BaseModel):
    """Facts on one symbol as the file writes it. `tick_size` and `lot_size` in currency and in shares (or coins)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(min_length=1)
    venue: str = UNKNOWN
    currency: str = "USD"
    calendar: str = UNKNOWN
    sector: str = UNKNOWN
    tick_size: float = Field(TICK_SIZE, gt=0.0)
    lot_size: float = Field(LOT_SIZE, gt=0.0)

    @property
    def canonical(self) -> str:
        """`AAPL.NASDAQ`, or the plain symbol where the venue is not known."""
        return self.symbol if self.venue == UNKNOWN else f"{self.symbol}.{self.venue}"


def to_text(instruments: Iterable[Instrument]) -> str:
    """Instruments as one canonical line of JSON, so that they fit in one scalar setting."""
    rows = sorted((i.model_dump() for i in instruments), key=lambda row: str(row["symbol"]))
    return canonical_json(rows) if rows else ""


def from_text(text: str) -> dict[str, Instrument]:
    """What `to_text` wrote, by symbol. Raises ValueError for anything else."""
    return {i.symbol: i for i in (Instrument.model_validate(row) for row in json.loads(text or "[]"))}


def with_instruments(
    records: pl.DataFrame, known: Mapping[str, Instrument], default: Instrument
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`(records with canonical symbols, instruments)`, an instrument for every symbol of the records.

    `default` fills in for symbols that `known` lacks; each holds from its first bar on.
    """
    firsts = records.group_by("symbol").agg(pl.col("event_time").min().alias("valid_from")).sort("symbol")
    facts = [known.get(s, default.model_copy(update={"symbol": s})) for s in firsts.get_column("symbol").to_list()]
    columns = ("venue", "currency", "calendar", "sector", "tick_size", "lot_size")
    table = pl.DataFrame(
        {"symbol": [f.canonical for f in facts], **{c: [getattr(f, c) for f in facts] for c in columns}},
        schema={
            "symbol": pl.String,
            **dict.fromkeys(columns[:4], pl.String),
            "tick_size": pl.Float64,
            "lot_size": pl.Float64,
        },
    ).with_columns(firsts.get_column("valid_from"), pl.lit(None, TIME).alias("valid_to"))
    if any(f.canonical != f.symbol for f in facts):
        names = {f.symbol: f.canonical for f in facts}
        records = records.with_columns(pl.col("symbol").replace_strict(names, return_dtype=pl.String))
    return records, table
