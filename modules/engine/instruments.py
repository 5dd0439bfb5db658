"""Instruments on the axes of a panel: lot sizes, and the sector in force at each bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.engine.accounting import EngineError
from modules.groups import UNKNOWN, dated_labels
from modules.panel import FloatArray, IntArray


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
    lot_size = np.full(len(symbols), np.nan)
    place = {s: i for i, s in enumerate(symbols)}
    for symbol, lot in zip(table["symbol"].to_list(), table["lot_size"].to_list(), strict=True):
        i = place[symbol]
        if lot_size[i] == lot_size[i] and lot_size[i] != lot:
            raise EngineError(
                f"lot_size of {symbol} changes from {lot_size[i]} to {lot}; lots held would change their meaning: "
                "give one lot_size per symbol"
            )
        lot_size[i] = lot
    labels = dated_labels(table, symbols, ts, "sector")
    return InstrumentAxes(
        lot_size=lot_size, segment=labels.segment, sectors=labels.codes + 1, names=(UNKNOWN, *labels.names)
    )
