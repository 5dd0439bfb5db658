"""What must hold of any output of clean/quality."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.clean.quality.contract import Inputs, Outputs
from modules.clean.quality.settings import Settings
from modules.contract import TIME, Violation, first_cells


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """No bar at a time or of a symbol that was not delivered; none without a record unless filling is declared;
    nothing repaired that is not in the quality table."""
    bars = outputs.bars
    found = []
    delivered = inputs.records.get_column("event_time").unique()
    new_times = int((~pl.Series(bars.ts).cast(TIME).is_in(delivered.implode())).sum())
    if new_times:
        found.append(Violation("bars", "time that no record has", new_times))
    strangers = sorted(set(bars.symbols) - set(inputs.records.get_column("symbol").unique().to_list()))
    if strangers:
        found.append(Violation("bars", "symbol that no record has", len(strangers), tuple(strangers[:5])))
    cells = int(np.sum(~np.isnan(bars["close"])))
    keys = inputs.records.select("symbol", "event_time").n_unique()
    filled = int(outputs.metrics["repaired_fill"])
    if cells > keys + filled or (filled and settings.max_fill_bars == 0):
        found.append(Violation("bars", "more closes than records and declared fills", cells - keys))
    if "high" in bars and "low" in bars:
        crossed = bars["high"] < bars["low"]
        if crossed.any():
            found.append(
                Violation("bars", "high below low", int(crossed.sum()), first_cells(bars, bars["high"], crossed))
            )
    touched = int((outputs.quality.get_column("action") != "flagged").sum())
    claimed = int(sum(v for k, v in outputs.metrics.items() if k.startswith("repaired_")))
    if touched != claimed:
        found.append(Violation("quality", "repairs counted differ from repairs listed", abs(touched - claimed)))
    return found
