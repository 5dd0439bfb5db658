"""TA-Lib on frames: it takes one column at a time, and of the missing it knows only those before the start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modules.panel import FloatArray
from tests.modules.signal.oracles import Frame, Frames, Oracle

Columns = dict[str, FloatArray]
Chart = Callable[[Columns], FloatArray]


def columns(chart: Chart) -> Oracle:
    """The chart of every symbol, from all its rows."""
    return lambda f: _each(f, chart)


def columns_seen(chart: Chart, *fields: str) -> Oracle:
    """The chart of every symbol, from the bars on which all `fields` (default: close) are present, as if there were no
    others: what a memory that skips a bar with NaN must give."""

    def seen(bars: Columns) -> FloatArray:
        present = ~np.isnan(sum(bars[name] for name in fields or ("close",)))
        out = np.full(present.size, np.nan)
        out[present] = chart({name: np.ascontiguousarray(values[present]) for name, values in bars.items()})
        return out

    return lambda f: _each(f, seen)


def _each(f: Frames, chart: Chart) -> Frame:
    symbols = next(iter(f.values())).shape[1]
    bars = [{name: np.ascontiguousarray(frame.to_numpy()[:, n]) for name, frame in f.items()} for n in range(symbols)]
    return Frame(np.column_stack([chart(b) for b in bars]))
