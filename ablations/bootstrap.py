"""The stationary block bootstrap (Politis and Romano 1994) of a suite's mean Sharpe difference, compiled.

The law is that of `arch.bootstrap.StationaryBootstrap`: blocks start uniformly, lengths are geometric, time
wraps around (tests compare the two). What differs is speed: a block's sums are differences of prefix sums, so a
draw costs two look-ups a block instead of one a bar, and a p-value of 1e-5 is affordable.

All tasks share the blocks of a draw, so their dependence survives. Sums run in a fixed order; the only random
input is `rng.random()`; equal seeds give equal bits.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from modules.jit import kernel
from modules.panel import FloatArray

MOMENTS = 4
"""Columns a task: baseline, its square, patched, its square. The influences of all tasks follow."""


STILL = 1e-18
"""Variance of a bar's return below which a series does not move; its Sharpe ratio is taken as 0."""


@kernel
def sharpe_and_influence(returns: FloatArray, annual: float) -> tuple[FloatArray, FloatArray]:
    """Annualised Sharpe ratio `[K]` of each row of `returns` [K, T], and the influence `[K, T]` of each bar on it.

    Influence: u - (S/2)(u^2 - 1), u the standardised return, S the ratio a bar: the delta method, Lo (2002), Ledoit
    and Wolf (2008). `annual` = square root of bars a year.
    """
    tasks, bars = returns.shape
    ratio = np.zeros(tasks)
    influence = np.zeros((tasks, bars))
    for k in range(tasks):
        mean = 0.0
        for t in range(bars):
            mean += returns[k, t]
        mean /= bars
        variance = 0.0
        for t in range(bars):
            variance += (returns[k, t] - mean) * (returns[k, t] - mean)
        variance /= bars
        if variance <= STILL:
            continue
        scale = np.sqrt(variance)
        ratio[k] = annual * (mean / scale)
        for t in range(bars):
            u = (returns[k, t] - mean) / scale
            influence[k, t] = annual * (u - 0.5 * (mean / scale) * (u * u - 1.0))
    return ratio, influence


@kernel
def pool(values: FloatArray) -> FloatArray:
    """Mean over rows of `[K, T]`, first row first."""
    tasks, bars = values.shape
    out = np.zeros(bars)
    for k in range(tasks):
        for t in range(bars):
            out[t] += values[k, t]
    for t in range(bars):
        out[t] /= tasks
    return out


@kernel
def prefix_sums(baseline: FloatArray, patched: FloatArray, influence: FloatArray) -> FloatArray:
    """`[2T + 1, 5 K]` running sums over time laid end to end twice, so that a wrapped block is one piece.

    Inputs are `[K, T]`. Columns: K times baseline, its square, patched, its square; then K influences.
    """
    tasks, bars = baseline.shape
    sums = np.zeros((2 * bars + 1, (MOMENTS + 1) * tasks))
    for i in range(2 * bars):
        t = i % bars
        for k in range(tasks):
            x, y = baseline[k, t], patched[k, t]
            c = MOMENTS * k
            sums[i + 1, c] = sums[i, c] + x
            sums[i + 1, c + 1] = sums[i, c + 1] + x * x
            sums[i + 1, c + 2] = sums[i, c + 2] + y
            sums[i + 1, c + 3] = sums[i, c + 3] + y * y
            e = MOMENTS * tasks + k
            sums[i + 1, e] = sums[i, e] + influence[k, t]
    return sums


@kernel
def length_table(mean_length: float, longest: int) -> FloatArray:
    """`[longest]` P(length <= l + 1) of the geometric law, by repeated multiplication only (no libm)."""
    table = np.empty(longest)
    survive = 1.0
    for i in range(longest):
        survive *= 1.0 - 1.0 / mean_length
        table[i] = 1.0 - survive
    table[longest - 1] = 1.0
    return table


@kernel
def long_run_variance(influence: FloatArray, mean_length: float) -> float:
    """Variance of the mean of `influence` [T] that the stationary bootstrap implies, in closed form.

    Politis and Romano (1994), section 4: circular autocovariances weighted by
    (1 - l/T) q^l + (l/T) q^(T-l), q = 1 - 1/mean_length.
    """
    bars = influence.size
    mean = 0.0
    for t in range(bars):
        mean += influence[t]
    mean /= bars
    q = 1.0 - 1.0 / mean_length
    total = 0.0
    weight = 1.0
    for lag in range(bars):
        if lag > 0:
            weight *= q
            if weight < 1e-12:
                break
        covariance = 0.0
        for t in range(bars - lag):
            covariance += (influence[t] - mean) * (influence[t + lag] - mean)
        covariance /= bars
        total += covariance if lag == 0 else 2.0 * weight * covariance
    return total / bars


@kernel
def draw(
    sums: FloatArray,
    bars: int,
    lengths: FloatArray,
    draws: int,
    annual: float,
    rng: Generator,
) -> FloatArray:
    """`[draws, 4]`: mean Sharpe difference and its standard error with the suite's tasks held fixed, then both
    again with the tasks resampled as clusters. `annual` = square root of bars a year.

    Standard errors are those within the draw: from its own blocks (Goetze and Kuensch 1996), plus, for
    clusters, the spread between its tasks.
    """
    columns = sums.shape[1]
    tasks = columns // (MOMENTS + 1)
    first = MOMENTS * tasks
    out = np.empty((draws, 4))
    total = np.empty(columns)
    block = np.empty((bars, tasks))
    size = np.empty(bars)
    weight = np.empty(tasks)
    effect = np.empty(tasks)
    for d in range(draws):
        total[:] = 0.0
        blocks = 0
        filled = 0
        while filled < bars:
            start = int(rng.random() * bars)
            u = rng.random()
            length = 1
            while lengths[length - 1] <= u:
                length += 1
            if length > bars - filled:
                length = bars - filled
            stop = start + length
            for c in range(columns):
                total[c] += sums[stop, c] - sums[start, c]
            for k in range(tasks):
                block[blocks, k] = sums[stop, first + k] - sums[start, first + k]
            size[blocks] = length
            blocks += 1
            filled += length
        for k in range(tasks):
            c = MOMENTS * k
            effect[k] = annual * (_sharpe(total[c + 2], total[c + 3], bars) - _sharpe(total[c], total[c + 1], bars))
        weight[:] = 1.0
        out[d, 0], out[d, 1], _ = _moments(effect, weight, total, block, size, blocks, bars)
        weight[:] = 0.0
        for _ in range(tasks):
            weight[int(rng.random() * tasks)] += 1.0
        mean, error, spread = _moments(effect, weight, total, block, size, blocks, bars)
        out[d, 2] = mean
        out[d, 3] = np.sqrt(error * error + spread)
    return out


@kernel
def _sharpe(total: float, squares: float, bars: int) -> float:
    mean = total / bars
    variance = squares / bars - mean * mean
    return mean / np.sqrt(variance) if variance > STILL else 0.0


@kernel
def _moments(
    effect: FloatArray,
    weight: FloatArray,
    total: FloatArray,
    block: FloatArray,
    size: FloatArray,
    blocks: int,
    bars: int,
) -> tuple[float, float, float]:
    """Weighted mean effect, its standard error over time, and the variance of the mean between tasks."""
    tasks = effect.size
    mean = 0.0
    square = 0.0
    drift = 0.0
    for k in range(tasks):
        mean += weight[k] * effect[k]
        square += weight[k] * effect[k] * effect[k]
        drift += weight[k] * total[MOMENTS * tasks + k]
    mean /= tasks
    drift /= tasks * bars
    variance = 0.0
    for b in range(blocks):
        sum_b = 0.0
        for k in range(tasks):
            sum_b += weight[k] * block[b, k]
        sum_b = sum_b / tasks - size[b] * drift
        variance += sum_b * sum_b
    spread = max(square / tasks - mean * mean, 0.0) / (tasks - 1) if tasks > 1 else 0.0
    return mean, np.sqrt(variance) / bars, spread
