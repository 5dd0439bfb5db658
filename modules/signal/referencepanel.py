"""A market of our own on which signals are compared: the same bits on every machine, and no data set needed.

Whole random numbers, sums and square roots only, so that no C library has a say. It has what makes signals behave
alike or apart in markets: a common and a sector factor, volatility that clusters, overnight gaps, ranges and volumes
that go with the size of moves. It is no forecast of anything, and no signal can earn on it.
"""

from __future__ import annotations

import functools

import numpy as np

from modules.panel import FloatArray, Panel

ROWS = 640
SYMBOLS = 60
SECTORS = 6
_DAY_NS = 86_400_000_000_000
_WEEK_DAYS = 5
_SEED = 20_240_101


@functools.cache
def reference_panel() -> Panel:
    """`[640, 60]` daily bars: open, high, low, close, volume, sector."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    sector = np.arange(SYMBOLS) % SECTORS
    volatility = 0.01 + 0.02 * rng.integers(0, 1_000, SYMBOLS) / 1_000
    beta = 0.5 + rng.integers(0, 1_000, SYMBOLS) / 1_000
    day = _shocks(rng, ROWS, SYMBOLS) + 0.6 * _shocks(rng, ROWS, SECTORS)[:, sector]
    day = (day + beta * _shocks(rng, ROWS, 1)) * volatility * _clusters(_shocks(rng, ROWS, 1))
    gap = 0.4 * _shocks(rng, ROWS, SYMBOLS) * volatility
    close, opened = np.empty((ROWS, SYMBOLS)), np.empty((ROWS, SYMBOLS))
    last = 20.0 + rng.integers(0, 100, SYMBOLS)
    for t in range(ROWS):
        opened[t] = last * (1.0 + gap[t])
        close[t] = opened[t] * (1.0 + np.maximum(day[t] - gap[t], -0.5))
        last = close[t]
    span = np.abs(_shocks(rng, 2 * ROWS, SYMBOLS)).reshape(2, ROWS, SYMBOLS) * 0.4 * volatility
    high = np.maximum(opened, close) * (1.0 + span[0])
    low = np.minimum(opened, close) * (1.0 - np.minimum(span[1], 0.5))
    busy = 0.4 + np.abs(day) / volatility + 0.5 * np.abs(_shocks(rng, ROWS, SYMBOLS))
    volume = np.floor((10_000.0 + rng.integers(0, 1_000_000, SYMBOLS)) * busy)
    days = np.arange(ROWS)
    ts = (days + 2 * (days // _WEEK_DAYS)) * _DAY_NS + 17_532 * _DAY_NS  # weekdays from Monday 2018-01-01
    fields = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    fields["sector"] = np.broadcast_to(sector.astype(np.float64), close.shape).copy()
    return Panel(ts, tuple(f"R{n:02d}.REF" for n in range(SYMBOLS)), fields)


def _shocks(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """`[rows, columns]` close to standard normal: sums of twelve whole uniforms, exact on every machine."""
    total = rng.integers(0, 1 << 20, (rows, columns, 12)).sum(axis=2)
    shocks: FloatArray = total / (1 << 20) - 6.0
    return shocks


def _clusters(shocks: FloatArray) -> FloatArray:
    """`[rows, 1]` around 1: volatility that stays high after a large shock and calms slowly (Bollerslev 1986)."""
    out = np.empty((shocks.shape[0], 1))
    variance = 1.0
    for t in range(out.shape[0]):
        out[t] = np.sqrt(variance)
        variance = 0.05 + 0.85 * variance + 0.10 * variance * float(shocks[t, 0]) ** 2
    return out
