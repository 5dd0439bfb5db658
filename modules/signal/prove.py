"""No look-ahead, shown and not assumed: the same signal on less data, and fed bar by bar, must give the same bits."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np

from modules.facts.fields import FACT_FIELDS
from modules.panel import FloatArray, Panel, iso
from modules.signal.batch import compute, evaluate
from modules.signal.canonical import warmup
from modules.signal.nodes import Node
from modules.signal.stream import Stream
from modules.signal.units import AS_TRADED, FIELD_UNITS, PRICE, Measure, Unit

_AS_FILED = frozenset(FACT_FIELDS) | AS_TRADED
LEVEL_ROWS = 250
LEVEL_TOLERANCE = 1e-2
LEVEL_SHARE = 0.01
LEVEL_RULE = (
    "depends on the level of prices or volumes: it changes when histories are restated for a split, so on adjusted "
    "data it reads later splits and dividends; compare a price with another of the same symbol, as in "
    "close / delay(close, 20), and take close * volume for size"
)


@dataclass(frozen=True)
class Difference:
    """The first cell where two computations differ; None is NaN. `against` says which: `stream`, `truncated` or
    `restated`."""

    row: int
    ts: str
    symbol: str
    batch: float | None
    other: float | None
    against: str


@dataclass(frozen=True)
class Proof:
    """What was found, and on how much: rows compared with the stream, and rows at which history was cut."""

    batch_equals_stream: bool
    truncation_equal: bool
    first_difference: Difference | None
    rows: int
    cuts: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Both comparisons are equal to the last bit."""
        return self.batch_equals_stream and self.truncation_equal


def prove(node: Node, panel: Panel, *, seed: int, samples: int = 16) -> Proof:
    """Compare the batch values with the stream at every row, and with the values on history cut at `samples` rows.

    Raises SignalError where `evaluate` does.
    """
    full = evaluate(node, panel)
    streamed = stream_all(node, panel)
    by_stream = _first_difference(full, streamed, panel, "stream")
    cuts = sample_rows(panel.shape[0], warmup(node), seed, samples)
    by_cut = truncation_difference(node, panel, full, cuts)
    found = [d for d in (by_stream, by_cut) if d is not None]
    return Proof(by_stream is None, by_cut is None, min(found, key=lambda d: d.row, default=None), panel.shape[0], cuts)


def stream_all(node: Node, panel: Panel) -> FloatArray:
    """`[T, N]`: every row of the panel pushed through a stream."""
    stream = Stream(node, panel.symbols)
    out = np.empty(panel.shape)
    for t in range(panel.shape[0]):
        out[t] = stream.push(int(panel.ts[t]), {name: values[t] for name, values in panel.fields.items()})
    return out


def sample_rows(rows: int, first: int, seed: int, samples: int) -> tuple[int, ...]:
    """Rows to cut after, ascending: drawn from the first row with a value to the last but one."""
    pool = range(min(first, rows - 1), max(rows - 1, 1))
    return tuple(sorted(random.Random(seed).sample(pool, min(samples, len(pool)))))


def truncation_difference(node: Node, panel: Panel, full: FloatArray, cuts: tuple[int, ...]) -> Difference | None:
    """The first cell of `full` that changes when the rows after a cut are not there."""
    for cut in cuts:
        short = panel.rows(0, cut + 1)
        (values,) = compute([node], short)
        found = _first_difference(full[: cut + 1], values, short, "truncated")
        if found is not None:
            return found
    return None


def restated(panel: Panel) -> Panel:
    """The panel as it would stand after a split of every symbol, each by a power of two of its own: a price times it,
    a number of shares divided by it, and what is neither, as money, counts and groups, left alone. Of a field that
    nobody declared a price is assumed. Powers of two are exact, so returns and money traded keep their bits.

    What companies filed and the close as it was traded stay as they are: nobody restates those for a later split, so
    an adjusted price times shares outstanding is a level."""
    k: FloatArray = np.ldexp(1.0, np.arange(panel.shape[1]) * 5 % 13 - 6)
    fields = {n: v if n in _AS_FILED else _split(v, FIELD_UNITS.get(n, PRICE), k) for n, v in panel.fields.items()}
    return Panel(panel.ts, panel.symbols, fields)


def _split(values: FloatArray, unit: Measure, k: FloatArray) -> FloatArray:
    """Values after a split of one share into 1 / k: as many shares more, each worth k times as much."""
    power = -unit.shares if isinstance(unit, Unit) else 0
    return values * k ** float(power) if power else values


def level_difference(node: Node, panel: Panel) -> Difference | None:
    """The first cell of a signal that changes when histories are restated for splits; None where hardly any does.

    The level of a back-adjusted price tells what was split and paid out *later*: the cheapest adjusted price of 1990
    belongs to the stock that rose most until 2022. Such a signal passes every test by truncation, for the adjusted past
    does not change within one file, and reads the future all the same. Judged on the last rows; cells count
    from a difference of a hundredth of their row's largest on, so that log(volume + 1) is no level.
    """
    rows = min(panel.shape[0], warmup(node) + LEVEL_ROWS)
    short = panel.rows(panel.shape[0] - rows, panel.shape[0])
    (values,), (other,) = compute([node], short), compute([node], restated(short))
    size = np.nan_to_num(np.abs(values)).max(axis=1, keepdims=True)
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        differs = (missing != np.isnan(other)) | (np.abs(values - other) > LEVEL_TOLERANCE * size)
    if np.count_nonzero(differs) <= LEVEL_SHARE * max(1, int(np.count_nonzero(~missing))):
        return None
    row = int(np.argmax(differs.any(axis=1)))
    column = int(np.argmax(differs[row]))
    return Difference(
        row, iso(int(short.ts[row])), short.symbols[column],
        _plain(values[row, column]), _plain(other[row, column]), "restated",
    )  # fmt: skip


def _first_difference(batch: FloatArray, other: FloatArray, panel: Panel, against: str) -> Difference | None:
    differs = batch.view(np.uint64) != other.view(np.uint64)
    if not differs.any():
        return None
    row = int(np.argmax(differs.any(axis=1)))
    column = int(np.argmax(differs[row]))
    return Difference(
        row, iso(int(panel.ts[row])), panel.symbols[column],
        _plain(batch[row, column]), _plain(other[row, column]), against,
    )  # fmt: skip


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
