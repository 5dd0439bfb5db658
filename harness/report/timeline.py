"""Lines over time. Bars within a day stand side by side: drawn by the clock, nights would be most of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import dates, sparse_years, thin
from harness.report.theme import LIGHT
from modules.engine.metrics import bars_per_day
from modules.panel import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS = 7


class Timeline:
    """The horizontal axis of every picture over time of one page. `ts` are all its bars, ns UTC."""

    def __init__(self, ts: IntArray) -> None:
        self._ts = ts
        self._by_bar = bars_per_day(ts) > 1.0

    def places(self, ts: IntArray) -> np.ndarray:
        """Where bars stand: their times, or their numbers where there are several a day."""
        return np.searchsorted(self._ts, ts) if self._by_bar else dates(ts)

    def line(self, axes: Axes, ts: IntArray, values: FloatArray, colour: str, **options: object) -> None:
        """A line, thinned to what can be seen."""
        when, y = thin(ts, values)
        axes.plot(self.places(when), y, color=LIGHT[colour], **options)  # type: ignore[arg-type]

    def bars(self, axes: Axes, ts: IntArray, values: FloatArray, colour: str) -> None:
        """A stroke from zero to each value, thinned."""
        when, y = thin(ts, values)
        axes.vlines(self.places(when), 0.0, y, color=LIGHT[colour], linewidth=0.6)

    def label(self, axes: Axes) -> None:
        """Few and short labels of time, and the same margins everywhere."""
        axes.margins(x=0.01)
        if not self._by_bar:
            sparse_years(axes)
            return
        day = self._ts.astype("datetime64[ns]").astype("datetime64[D]")
        starts = np.flatnonzero(np.diff(day.astype(np.int64), prepend=-1))
        chosen = starts[:: max(1, -(-starts.size // TICKS))]
        years = np.unique(day.astype("datetime64[Y]")).size
        axes.set_xticks(chosen, [_day(day[i], years > 1) for i in chosen])


def _day(day: np.datetime64, year: bool) -> str:
    moment = day.astype(object)
    return f"{moment.day} {moment:%b %Y}" if year else f"{moment.day} {moment:%b}"
