"""What must hold of any evidence: it covers the bars, and the judgement follows from its figures."""

from __future__ import annotations

import polars as pl

from modules.backtest.bars.contract import Inputs, Outputs
from modules.backtest.bars.settings import Settings
from modules.contract import Violation


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule broken."""
    found: list[Violation] = []
    evidence, judgement = outputs.evidence, outputs.judgement
    times = evidence["event_time"].to_physical().to_numpy()
    bars = inputs.bars.ts[inputs.bars.ts.size - times.size :]
    strange = int((times != bars).sum()) if times.size == bars.size else times.size
    if strange:
        found.append(Violation("evidence", "rows are not the last bars", strange))
    free = evidence.filter(pl.col("net_return") > pl.col("gross_return") + 1e-12)
    if free.height:
        found.append(Violation("evidence", "net return above gross return", free.height))
    wrong = judgement.filter(pl.col("passed") != (pl.col("value") >= pl.col("threshold")).fill_null(False))
    if wrong.height:
        found.append(Violation("judgement", "passed does not follow from value and threshold", wrong.height))
    return found
