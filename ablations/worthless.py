"""Patches known to be worthless, made from a suite's real series; and improvements of a known size.

Each generator gives paired series whose true difference is zero (or `size`), with the autocorrelation, the fat
tails and the dependence between tasks that the real ones have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.random import Generator

from ablations.floor import Series
from modules.panel import FloatArray

Kind = Literal["identical", "relabelled", "leverage", "swapped", "noise", "mined"]
KINDS: tuple[Kind, ...] = ("identical", "relabelled", "leverage", "swapped", "noise", "mined")

SWAP_BARS = 20.0
"""Mean length of the blocks in which arms change places: longer than what the differences remember."""

CANDIDATES = 20
"""Noise settings that the mined kind chooses from, on mining data."""


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


def worthless(kind: Kind, material: Material, count: int, rng: Generator) -> Iterator[Series]:
    """`count` worthless patches of one kind."""
    for i in range(count):
        yield _one(kind, material, i, rng)


def _one(kind: Kind, m: Material, i: int, rng: Generator) -> Series:
    if kind == "identical":
        return _pair(m, m.baseline)
    if kind == "relabelled":
        order = rng.permutation(m.baseline.shape[0])
        return Series(m.baseline[order], m.baseline[order], m.bars_per_year)
    if kind == "leverage":
        return _pair(m, m.baseline * rng.uniform(0.3, 3.0))
    if kind == "swapped":
        return swapped(m, m.arms[i % len(m.arms)], rng)
    spread = (0.02, 0.1, 0.3)[i % 3]
    if kind == "noise":
        noise = trading_noise(m.market, m.baseline.shape[0], spread, rng)
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
    scaled = arm * (m.baseline.std(axis=1, keepdims=True) / arm.std(axis=1, keepdims=True))
    level = equal_sharpe(m.baseline, scaled)
    bars = m.baseline.shape[1]
    starts = np.asarray(rng.random(bars) < 1.0 / SWAP_BARS)
    starts[0] = True
    sides = np.asarray(rng.random(int(starts.sum())) < 0.5)
    change = sides[np.cumsum(starts) - 1]
    before = np.where(change, level, m.baseline)
    after = np.where(change, m.baseline, level)
    return Series(before, after, m.bars_per_year)


def trading_noise(market: FloatArray, tasks: int, gross: float, rng: Generator) -> FloatArray:
    """`[K, T]` returns of random dollar-neutral weights on the real market, half common to all tasks.

    Each symbol's returns are centred, so the expectation is zero net of cost.
    """
    bars, symbols = market.shape
    centred = market - market.mean(axis=0)
    hold = int(rng.choice([1, 5, 20]))
    rows = -(-bars // hold)
    weights = rng.normal(size=(tasks, rows, symbols)) + rng.normal(size=(1, rows, symbols))
    weights -= weights.mean(axis=2, keepdims=True)
    weights *= gross / np.abs(weights).sum(axis=2, keepdims=True)
    held = np.repeat(weights, hold, axis=1)[:, :bars]
    return np.asarray((held * centred[None]).sum(axis=2))


def _mined(m: Material, gross: float, rng: Generator) -> Series:
    """The best of several noise patches on mining data, as it fares on judging data."""
    tasks, mining = m.baseline.shape[0], m.mining_market.shape[0]
    both = np.vstack([m.mining_market, m.market])
    best: tuple[float, FloatArray] | None = None
    for _ in range(CANDIDATES):
        noise = trading_noise(both, tasks, gross, rng)
        tried = neutral(m.mining_baseline, noise[:, :mining])
        gain = float((tried.mean(axis=1) / tried.std(axis=1)).mean())
        if best is None or gain > best[0]:
            best = gain, noise[:, mining:]
    assert best is not None
    return _pair(m, neutral(m.baseline, best[1]))


def equal_sharpe(baseline: FloatArray, arm: FloatArray) -> FloatArray:
    """`arm` moved by a constant a task, so that each task has the baseline's Sharpe ratio."""
    ratio = baseline.mean(axis=1, keepdims=True) / baseline.std(axis=1, keepdims=True)
    return np.asarray(arm - arm.mean(axis=1, keepdims=True) + ratio * arm.std(axis=1, keepdims=True))


def neutral(baseline: FloatArray, noise: FloatArray) -> FloatArray:
    """Baseline plus noise that is worthless in expectation, not in the sample.

    Noise without mean brings any Sharpe ratio closer to 0, which lifts a losing baseline's; the constant that
    undoes this in expectation is added.
    """
    mean, variance = baseline.mean(axis=1, keepdims=True), baseline.var(axis=1, keepdims=True)
    wider = np.sqrt(variance + noise.var(axis=1, keepdims=True))
    return np.asarray(baseline + noise + mean / np.sqrt(variance) * wider - mean)


def _pair(m: Material, patched: FloatArray) -> Series:
    return Series(m.baseline, patched, m.bars_per_year)
