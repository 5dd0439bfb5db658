"""Patches known to be worthless, made from a suite's real series; and improvements of a known size.

Each generator gives paired series whose true difference is zero (or `size`), with the autocorrelation, the fat
tails and the dependence between tasks that the real ones have.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ablations.floor import Series
from modules.panel import FloatArray

Kind = Literal["identical", "relabelled", "leverage", "swapped", "flipped", "noise", "mined"]
KINDS: tuple[Kind, ...] = ("identical", "relabelled", "leverage", "swapped", "flipped", "noise", "mined")
MOVING: tuple[Kind, ...] = ("swapped", "flipped", "noise", "mined")
"""Kinds whose arms differ in the sample, so that luck can speak for them."""

SWAP_BARS = 20.0
"""Mean length of the blocks in which arms change places: longer than what the differences remember."""

CANDIDATES = 20
"""Noise settings that the mined kind chooses from, on mining data."""

SPREADS = (0.02, 0.1, 0.3)
"""Gross exposure of trading noise, as a share of NAV."""

HOLDS = (1, 5, 20)
"""Bars for which trading noise holds its weights."""


@dataclass(frozen=True)
class Material:
    """What worthless patches are made of: the suite's baseline and real patched arms on the judging part, and
    baseline and market returns `[T, N]` of both parts. All arms are `[K, T]`."""

    baseline: FloatArray
    arms: tuple[FloatArray, ...]
    market: FloatArray
    mining_baseline: FloatArray
    mining_market: FloatArray
    bars_per_year: float


def one_worthless(kind: Kind, m: Material, i: int, rng: Generator) -> Series:
    """The `i`-th worthless patch of one kind; arms and spreads take turns with `i`."""
    if kind == "identical":
        return _pair(m, m.baseline)
    if kind == "relabelled":
        order = rng.permutation(m.baseline.shape[0])
        before = m.baseline[order] if i % 2 else m.baseline  # the labels of both arms, or of one
        return Series(before, m.baseline[order], m.bars_per_year)
    if kind == "leverage":
        return _pair(m, m.baseline * rng.uniform(0.3, 3.0))
    arm, spread = m.arms[i % len(m.arms)], SPREADS[i % len(SPREADS)]
    if kind == "swapped":
        return swapped(m, arm, rng)
    if kind == "flipped":
        return flipped(m, arm, rng)
    if kind == "noise":
        noise = trading_noise(m.market, m.baseline.shape[0], spread, int(rng.choice(HOLDS)), rng)
        return _pair(m, neutral(m.baseline, noise))
    return _mined(m, spread, rng)


def planted(m: Material, arm: FloatArray, size: float, rng: Generator) -> Series:
    """A worthless difference as real arms have it, plus `size` Sharpe a year for every task."""
    null = swapped(m, arm, rng)
    lift = size / sqrt(m.bars_per_year) * null.patched.std(axis=1, keepdims=True)
    return Series(null.baseline, null.patched + lift, m.bars_per_year)


def swapped(m: Material, arm: FloatArray, rng: Generator) -> Series:
    """Baseline and a real patched arm of equal volatility and Sharpe ratio, changing places in random blocks of time.

    The blocks are common to all tasks. By symmetry neither arm is better, whatever the patch did. Unequal volatility
    would make the swaps a leverage that is timed at random, which for a strongly losing baseline is no noise.
    """
    level = equal_sharpe(m.baseline, _as_volatile(m.baseline, arm))
    change = _sides(m.baseline.shape[1], rng)
    before = np.where(change, level, m.baseline)
    after = np.where(change, m.baseline, level)
    return Series(before, after, m.bars_per_year)


def flipped(m: Material, arm: FloatArray, rng: Generator) -> Series:
    """Baseline, and baseline plus what a real patch does to it with a sign that changes at random from block to block.

    What the patch does on average is taken out first, so that the signs have nothing to work on.
    """
    effect = _as_volatile(m.baseline, arm) - m.baseline
    effect -= effect.mean(axis=1, keepdims=True)
    sign = np.where(_sides(m.baseline.shape[1], rng), 1.0, -1.0)
    return _pair(m, neutral(m.baseline, effect * sign))


def _sides(bars: int, rng: Generator) -> NDArray[np.bool_]:
    """`[T]` a fair coin for each of blocks of random length, common to all tasks."""
    starts = np.asarray(rng.random(bars) < 1.0 / SWAP_BARS)
    starts[0] = True
    coins = np.asarray(rng.random(int(starts.sum())) < 0.5)
    return np.asarray(coins[np.cumsum(starts) - 1])


def _as_volatile(baseline: FloatArray, arm: FloatArray) -> FloatArray:
    """`arm` at the baseline's volatility, task by task; a task that does not move stays as it is."""
    return np.asarray(arm * _ratio(baseline.std(axis=1, keepdims=True), arm.std(axis=1, keepdims=True), 1.0))


def trading_noise(market: FloatArray, tasks: int, gross: float, hold: int, rng: Generator) -> FloatArray:
    """`[K, T]` returns of random dollar-neutral weights on the real market, half common to all tasks.

    Each symbol's returns are centred, so the expectation is zero net of cost.
    """
    from ablations.noise import trading

    return trading(np.ascontiguousarray(market - market.mean(axis=0)), tasks, gross, hold, rng)


def _mined(m: Material, gross: float, rng: Generator) -> Series:
    """The best of several noise patches on mining data, as it fares on judging data.

    What noise does after the mining years is as random for the best as for any other, and drawn only for it.
    """
    tasks = m.baseline.shape[0]
    best: tuple[float, int] | None = None
    for _ in range(CANDIDATES):
        hold = int(rng.choice(HOLDS[1:]))  # weights anew each bar cost most and differ least
        tried = neutral(m.mining_baseline, trading_noise(m.mining_market, tasks, gross, hold, rng))
        gain = float((tried.mean(axis=1) / tried.std(axis=1)).mean())
        if best is None or gain > best[0]:
            best = gain, hold
    assert best is not None
    return _pair(m, neutral(m.baseline, trading_noise(m.market, tasks, gross, best[1], rng)))


def equal_sharpe(baseline: FloatArray, arm: FloatArray) -> FloatArray:
    """`arm` moved by a constant a task, so that each task has the baseline's Sharpe ratio."""
    ratio = _ratio(baseline.mean(axis=1, keepdims=True), baseline.std(axis=1, keepdims=True), 0.0)
    return np.asarray(arm - arm.mean(axis=1, keepdims=True) + ratio * arm.std(axis=1, keepdims=True))


def neutral(baseline: FloatArray, noise: FloatArray) -> FloatArray:
    """Baseline plus noise that is worthless in expectation, not in the sample.

    Noise without mean brings any Sharpe ratio closer to 0, which lifts a losing baseline's; the constant that
    undoes this in expectation is added.
    """
    mean, variance = baseline.mean(axis=1, keepdims=True), baseline.var(axis=1, keepdims=True)
    wider = np.sqrt(variance + noise.var(axis=1, keepdims=True))
    return np.asarray(baseline + noise + _ratio(mean, np.sqrt(variance), 0.0) * wider - mean)


def _ratio(above: FloatArray, below: FloatArray, otherwise: float) -> FloatArray:
    """`above / below`, and `otherwise` where `below` is 0."""
    return np.divide(above, below, out=np.full_like(above, otherwise), where=below > 0.0)


def _pair(m: Material, patched: FloatArray) -> Series:
    return Series(m.baseline, patched, m.bars_per_year)
