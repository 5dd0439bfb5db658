"""Instruments on the axes of a panel: lot sizes, and the sector in force at each bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from modules.engine.accounting import EngineError
from modules.panel import FloatArray, IntArray

UNKNOWN_SECTOR: Final = "UNKNOWN"


@dataclass(frozen=True, eq=False)
class InstrumentAxes:
    """`sectors[segment[t], i]` is the sector number of symbol i at bar t; number 0 is UNKNOWN."""

    lot_size: FloatArray  # [N]
    segment: IntArray  # [T]
    sectors: IntArray  # [S, N]
    names: tuple[str, ...]


def align_instruments(instruments: pl.DataFrame, symbols: tuple[str, ...], ts: IntArray) -> InstrumentAxes:
    """Lot sizes and dated sectors for `symbols`.

    An empty sector, and a bar outside every dated row of a symbol, count as the one sector UNKNOWN: what is not
    known is taken to be alike. Raises EngineError for a symbol without a row and for a lot size that changes.
    """
    table = instruments.filter(pl.col("symbol").is_in(list(symbols))).sort("symbol", "valid_from")
    known = set(table["symbol"].to_list())
    missing = [s for s in symbols if s not in known]
    if missing:
        raise EngineError(
            f"instruments has no row for {', '.join(missing[:5])} ({len(missing)} symbols); "
            "add them to the instruments of the data set"
        )
    column = {s: i for i, s in enumerate(symbols)}
    lot_size = np.full(len(symbols), np.nan)
    labels = {s if s else UNKNOWN_SECTOR for s in table["sector"].to_list()} - {UNKNOWN_SECTOR}
    names = (UNKNOWN_SECTOR, *sorted(labels))
    number = {name: k for k, name in enumerate(names)}
    spans: list[tuple[int, int, int, int]] = []
    edges = {0}
    for symbol, sector, lot, begins, ends in zip(
        table["symbol"].to_list(),
        table["sector"].to_list(),
        table["lot_size"].to_list(),
        table["valid_from"].to_physical().to_list(),
        table["valid_to"].to_physical().to_list(),
        strict=True,
    ):
        i = column[symbol]
        if lot_size[i] == lot_size[i] and lot_size[i] != lot:
            raise EngineError(
                f"lot_size of {symbol} changes from {lot_size[i]} to {lot}; lots held would change their meaning: "
                "give one lot_size per symbol"
            )
        lot_size[i] = lot
        lo = int(np.searchsorted(ts, begins, side="left"))
        hi = ts.size if ends is None else int(np.searchsorted(ts, ends, side="right"))
        if lo < hi:
            spans.append((lo, hi, i, number.get(sector, 0)))
            edges |= {lo, hi}
    starts = np.array(sorted(e for e in edges if e < max(ts.size, 1)), dtype=np.int64)
    sectors = np.zeros((starts.size, len(symbols)), dtype=np.int64)
    for lo, hi, i, sector_number in spans:
        a, b = np.searchsorted(starts, [lo, hi], side="left")
        sectors[a:b, i] = sector_number
    segment = np.searchsorted(starts, np.arange(ts.size), side="right").astype(np.int64) - 1
    return InstrumentAxes(lot_size=lot_size, segment=segment, sectors=sectors, names=names)
