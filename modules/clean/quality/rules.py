"""The rules. Each looks at bars up to t only, so what it does to bar t never changes when later bars arrive."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.calendars import DAY_NS, Sessions, sessions
from modules.clean.quality.grid import PRICES, Action, Grid, Mask, Sequence, cells, listed
from modules.clean.quality.settings import Settings
from modules.contract import TIME
from modules.panel import FloatArray, IntArray

RULES = (
    "duplicate",
    "non_positive_price",
    "negative_volume",
    "ohlc_order",
    "mixed_adjustment",
    "off_calendar",
    "spike",
    "spike_suspect",
    "stale_run",
    "gap",
    "fill",
)

# The median absolute deviation of a normal variable is 0.6745 sigma (Rousseeuw and Croux, 1993).
_SIGMA_PER_MAD = 1.4826
_MIN_RETURNS = 20


def duplicates(grid: Grid, superseded: pl.DataFrame) -> pl.DataFrame:
    """Records of a bar that has a later version: the later one stands."""
    found = cells("duplicate", grid, np.zeros((0, 0), dtype=np.bool_), "close", "dropped", "")
    if superseded.is_empty():
        return found
    return superseded.select(
        pl.lit("duplicate").alias("rule"),
        "symbol",
        "event_time",
        pl.lit("close").alias("field"),
        pl.col("close").alias("value"),
        pl.lit("dropped").cast(found.schema["action"]).alias("action"),
        pl.lit("a later version of this bar is in the records").alias("detail"),
    )


def impossible_values(grid: Grid) -> list[pl.DataFrame]:
    """Prices that are not positive and finite, volumes below zero: the cell is dropped, without a close the bar."""
    found = []
    for name in (*PRICES, "adj_close"):
        values = grid.fields[name]
        bad = (values <= 0.0) | np.isinf(values)
        if bad.any():
            found.append(cells("non_positive_price", grid, bad, name, "dropped", "not a positive finite price", values))
            values[bad] = np.nan
    volume = grid.fields["volume"]
    bad = (volume < 0.0) | np.isinf(volume)
    if bad.any():
        found.append(cells("negative_volume", grid, bad, "volume", "dropped", "not a finite volume >= 0", volume))
        volume[bad] = np.nan
    blank(grid, np.isnan(grid.fields["close"]))
    return found


def blank(grid: Grid, mask: Mask) -> None:
    """Make whole bars missing."""
    for values in grid.fields.values():
        values[mask] = np.nan


def ohlc_order(grid: Grid, tolerance_bps: float) -> pl.DataFrame:
    """Open or close outside high-low by more than the tolerance: flagged, for no price says which one is wrong."""
    slack = tolerance_bps / 10_000.0
    opened, high, low, close = (grid.fields[n] for n in PRICES)
    bad = (np.fmax(opened, close) > high * (1.0 + slack)) | (np.fmin(opened, close) < low * (1.0 - slack))
    return cells("ohlc_order", grid, bad, "close", "flagged", "open or close outside high-low", close)


def adjust(grid: Grid) -> pl.DataFrame:
    """Total-return prices in place: open, high, low, close times adj_close / close; volume divided by it, so that
    close x volume (money traded) stays what it was. Taken as (price / close) x adj_close, which keeps a high that
    equals the close equal to it, and the order of prices. A bar without adj_close in a symbol that had one before would
    break the series and is dropped."""
    close, adjusted = grid.fields["close"], grid.fields["adj_close"]
    has = ~np.isnan(adjusted) & ~np.isnan(close)
    before = np.logical_or.accumulate(has, axis=0)
    broken = ~has & ~np.isnan(close) & before
    found = cells(
        "mixed_adjustment", grid, broken, "adj_close", "dropped", "no adjusted close after bars that had one", close
    )
    blank(grid, broken)
    if has.any():
        for name in ("open", "high", "low"):
            grid.fields[name] = np.where(has, grid.fields[name] / close * adjusted, grid.fields[name])
        grid.fields["volume"] = np.where(has, grid.fields["volume"] * close / adjusted, grid.fields["volume"])
        grid.fields["close"] = np.where(has, adjusted, close)
    return found


def spikes(grid: Grid, seq: Sequence, settings: Settings) -> list[pl.DataFrame]:
    """Moves beyond `spike_sigmas` robust sigmas of the past.

    `spike`: the next bar took the move back. That is known only then, so it is flagged at that next bar and
    never repaired: repairing the bar before it would be a look into the future.
    `spike_suspect`: with `spike_action: mask`, the suspect bar itself is missing, by what was known at its close.
    """
    price = grid.fields["close"][seq.rows, seq.columns]
    ratio = np.full(price.size, np.nan)
    ratio[1:] = price[1:] / price[:-1]
    ratio[seq.first] = np.nan
    size = _size(ratio)
    sigma = _robust_sigma(size, seq, settings.spike_window_bars)
    suspect = size > np.fmax(settings.spike_sigmas * sigma, settings.spike_min_return_bps / 10_000.0)
    suspect &= ~np.isnan(sigma)
    left = np.full(price.size, np.nan)
    left[2:] = price[2:] / price[:-2]
    reverted = np.zeros(price.size, dtype=np.bool_)
    limit = (1.0 - settings.spike_reversion_share) * size[:-1]
    reverted[1:] = suspect[:-1] & ~seq.first[1:] & (_size(left[1:]) <= limit)
    at = np.flatnonzero(reverted)
    spiked = pl.Series(grid.ts[seq.rows[at - 1]]).cast(TIME).dt.to_string("%Y-%m-%dT%H:%M")
    percent = pl.Series(np.round((ratio[at - 1] - 1.0) * 100.0, 2)).cast(pl.String)
    detail = pl.select(pl.format("spike of {} % at {}, taken back", percent, spiked)).to_series() if at.size else ""
    last = grid.fields["close"][seq.rows[at - 1], seq.columns[at - 1]]
    found = [listed("spike", grid, seq.rows[at], seq.columns[at], "close", "flagged", detail, last)]
    if settings.spike_action == "mask":
        mask = _mask(grid, seq, suspect)
        close = grid.fields["close"]
        found.append(cells("spike_suspect", grid, mask, "close", "repaired", "masked by its move alone", close))
        blank(grid, mask)
    return found


def _size(ratio: FloatArray) -> FloatArray:
    """Size of a move, the same up and down: doubling and halving are both 1.0. No logarithm, whose last bit differs
    between processors."""
    size: FloatArray = np.maximum(ratio, 1.0 / ratio) - 1.0
    return size


def _robust_sigma(size: FloatArray, seq: Sequence, window: int) -> FloatArray:
    """1.4826 x the median size of the last `window` moves before each bar, within a symbol."""
    table = pl.DataFrame({"symbol": seq.columns, "size": pl.Series(size).fill_nan(None)})
    median = pl.col("size").rolling_median(window, min_samples=_MIN_RETURNS).shift(1).over("symbol")
    sigma: FloatArray = table.select(median).to_series().fill_null(np.nan).to_numpy() * _SIGMA_PER_MAD
    return sigma


def stale_runs(grid: Grid, seq: Sequence, delivered: FloatArray, settings: Settings) -> pl.DataFrame:
    """Bars whose delivered close has stood still for `stale_run_bars` bars or more."""
    price = delivered[seq.rows, seq.columns]
    at = np.arange(price.size)
    starts = seq.first.copy()
    starts[1:] |= price[1:] != price[:-1]
    length = at - np.maximum.accumulate(np.where(starts, at, 0)) + 1
    mask = _mask(grid, seq, length >= settings.stale_run_bars)
    action: Action = "repaired" if settings.stale_action == "mask" else "flagged"
    detail = f"close unchanged for {settings.stale_run_bars} bars or more"
    found = cells("stale_run", grid, mask, "close", action, detail, delivered)
    if settings.stale_action == "mask":
        blank(grid, mask)
    return found


def off_calendar(grid: Grid, calendars: dict[str, IntArray], action: str) -> pl.DataFrame:
    """Bars on days without a session (intraday: outside every session) of the symbol's calendar."""
    close = grid.fields["close"]
    mask = np.zeros(close.shape, dtype=np.bool_)
    for name, columns in calendars.items():
        known = sessions(name)
        if known is not None:
            mask[:, columns] = ~np.isnan(close[:, columns]) & _outside(grid.ts, known)[:, None]
    dropped = action == "drop"
    found = cells("off_calendar", grid, mask, "close", "dropped" if dropped else "flagged", "no session then", close)
    if dropped:
        blank(grid, mask)
    return found


def _outside(ts: IntArray, known: Sessions) -> Mask:
    inside_range = (ts >= known.date_ns[0]) & (ts < known.date_ns[-1] + DAY_NS)
    if is_daily(ts):
        at = np.minimum(np.searchsorted(known.date_ns, ts), known.date_ns.size - 1)
        on = known.date_ns[at] == ts
    else:
        at = np.minimum(np.searchsorted(known.close_ns, ts), known.close_ns.size - 1)
        on = known.open_ns[at] <= ts
    out: Mask = inside_range & ~on
    return out


def gaps(grid: Grid, seq: Sequence, calendars: dict[str, IntArray], min_sessions: int) -> pl.DataFrame:
    """Missing sessions (intraday: missing bars within a session) before a bar: flagged at the bar that ends the gap,
    because a symbol that stays away has not gapped but gone."""
    missing = np.zeros(seq.rows.size, dtype=np.int64)
    for name, columns in calendars.items():
        mine = np.isin(seq.columns, columns)
        stamps = grid.ts[seq.rows[mine]]
        step = np.zeros(stamps.size, dtype=np.int64)
        step[1:] = _steps(grid.ts, stamps, sessions(name)) - 1
        step[seq.first[mine]] = 0
        missing[mine] = step
    at = np.flatnonzero(missing >= min_sessions)
    count = pl.Series(missing[at])
    unit = "sessions" if is_daily(grid.ts) else "bars"
    detail = pl.select(pl.format(f"{{}} {unit} missing before this bar", count)).to_series() if at.size else ""
    return listed(
        "gap", grid, seq.rows[at], seq.columns[at], "close", "flagged", detail, missing[at].astype(np.float64)
    )


def _steps(ts: IntArray, stamps: IntArray, known: Sessions | None) -> IntArray:
    """Sessions (or bars) from each stamp to the next; 1 = adjacent."""
    if is_daily(ts):
        days = ts if known is None else known.date_ns
        place = np.searchsorted(days, stamps, side="right")
        step: IntArray = np.diff(place)
        return step
    bar = _bar_length(ts)[np.searchsorted(ts, stamps[1:])]
    group = stamps // DAY_NS if known is None else np.searchsorted(known.close_ns, stamps)
    within: IntArray = np.where(np.diff(group) == 0, np.rint(np.diff(stamps) / bar).astype(np.int64), 1)
    return within


def _bar_length(ts: IntArray) -> IntArray:
    """Commonest step up to each time, the shorter of two: the length of a bar as it was known then."""
    out = np.ones(ts.size, dtype=np.int64)
    seen: dict[int, int] = {}
    best = 0
    for i, step in enumerate(np.diff(ts).tolist(), start=1):
        count = seen[step] = seen.get(step, 0) + 1
        leading = seen.get(best, 0)
        if count > leading or (count == leading and step < best):
            best = step
        out[i] = best
    return out


def fill(grid: Grid, max_bars: int) -> pl.DataFrame:
    """Carry the last close forward over at most `max_bars` missing bars; no volume is made up."""
    close = grid.fields["close"]
    at = np.arange(grid.ts.size)[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(close), -1, at), axis=0)
    mask = np.isnan(close) & (last >= 0) & (at - last <= max_bars)
    carried = np.take_along_axis(close, np.maximum(last, 0), axis=0)
    for name in PRICES:
        had = ~np.isnan(np.take_along_axis(grid.fields[name], np.maximum(last, 0), axis=0))
        grid.fields[name] = np.where(mask & had, carried, grid.fields[name])
    return cells(
        "fill", grid, mask, "close", "repaired", f"last close carried forward, at most {max_bars} bars", carried
    )


def is_daily(ts: IntArray) -> bool:
    """Bars labelled by date."""
    return bool((ts % DAY_NS == 0).all())


def _mask(grid: Grid, seq: Sequence, hit: Mask) -> Mask:
    mask = np.zeros((grid.ts.size, len(grid.symbols)), dtype=np.bool_)
    mask[seq.rows[hit], seq.columns[hit]] = True
    return mask
