"""Group fields: what sorts symbols, such as their sector, as codes on the axes of a panel.

A label holds between two dates, so a symbol that changed its sector has at every bar the code that held then. Codes
are whole numbers in the order of the labels; what reads them compares them for equality and for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from modules.memory import zeros
from modules.panel import FloatArray, IntArray, Panel

UNKNOWN: Final = "UNKNOWN"
GROUP_FIELDS: Final = ("sector",)
"""The columns of the instruments table that become fields of the same name."""


@dataclass(frozen=True, eq=False)
class DatedLabels:
    """`codes[segment[t], i]` is the place in `names` of the label of symbol i at bar t; -1 where it is not known."""

    segment: IntArray  # [T]
    codes: IntArray  # [S, N]
    names: tuple[str, ...]


def dated_labels(instruments: pl.DataFrame, symbols: tuple[str, ...], ts: IntArray, column: str) -> DatedLabels:
    """The labels in `column` by bar. Both dates of a row belong to it; of two that overlap the later holds.

    Not known is: an empty label, UNKNOWN, a bar outside every row of a symbol, a symbol without a row.
    """
    table = instruments.filter(pl.col("symbol").is_in(list(symbols))).sort("symbol", "valid_from")
    names = tuple(sorted(set(table[column].to_list()) - {"", UNKNOWN}))
    code = {name: k for k, name in enumerate(names)}
    place = {s: i for i, s in enumerate(symbols)}
    spans: list[tuple[int, int, int, int]] = []
    edges = {0}
    for symbol, label, begins, ends in zip(
        table["symbol"].to_list(),
        table[column].to_list(),
        table["valid_from"].to_physical().to_list(),
        table["valid_to"].to_physical().to_list(),
        strict=True,
    ):
        first = int(np.searchsorted(ts, begins, side="left"))
        stop = ts.size if ends is None else int(np.searchsorted(ts, ends, side="right"))
        if first < stop:
            spans.append((first, stop, place[symbol], code.get(label, -1)))
            edges |= {first, stop}
    starts = np.array(sorted(e for e in edges if e < max(ts.size, 1)), dtype=np.int64)
    codes = np.full((starts.size, len(symbols)), -1, dtype=np.int64)
    for first, stop, i, k in spans:
        a, b = np.searchsorted(starts, [first, stop], side="left")
        codes[a:b, i] = k
    lengths = np.diff(starts, append=ts.size)
    segment = zeros((ts.size,)) if starts.size == 1 else np.repeat(np.arange(starts.size), lengths)
    return DatedLabels(segment=segment, codes=codes, names=names)


def with_groups(panel: Panel, instruments: pl.DataFrame) -> Panel:
    """The panel with the group fields of its symbols: `[T, N]` codes, NaN where the label is not known. A field of
    which no symbol has a label at any time is left out."""
    return panel.with_fields(**_codes(instruments, panel.symbols, panel.ts))


def groups_at(ts_ns: int, symbols: tuple[str, ...], instruments: pl.DataFrame) -> dict[str, FloatArray]:
    """The group fields of one bar, `[N]` each, as in `with_groups`: what a stream gets beside the bar's prices."""
    return {name: codes[0] for name, codes in _codes(instruments, symbols, np.array([ts_ns])).items()}


def _codes(instruments: pl.DataFrame, symbols: tuple[str, ...], ts: IntArray) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    for name in GROUP_FIELDS:
        labels = dated_labels(instruments, symbols, ts, name)
        if not labels.names:
            continue
        codes = np.where(labels.codes < 0, np.nan, labels.codes.astype(np.float64))
        found[name] = codes[labels.segment]
    return found
