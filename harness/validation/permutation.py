"""Does what is held have anything to do with what comes next?

The holdings stay as they were; the returns of all symbols are rearranged together, so that both keep their own
dependence over time and across symbols and only the link between them is cut. A signal that reads prices is therefore
not computed again: on rearranged prices it would find the same short-term patterns, which these surrogates keep by
design. Two null hypotheses:

* blocks: the returns came in another order of months. Keeps each block's dependence of any kind.
* phases: the returns are another draw of the same linear process. Phases are new, and common to all symbols, which
  keeps the cross-spectra (J. Theiler et al., "Testing for nonlinearity in time series", 1992; D. Prichard, J. Theiler,
  "Generating surrogate data for time series with several simultaneously measured variables", 1994); amplitudes are
  those of a frequency nearby, all symbols together (C. Kirch, D. Politis, "TFT-bootstrap", 2011). New phases alone are
  one filter for all symbols, so returns would stay in step with holdings that were made from them, and the test would
  see next to nothing (measured: three times too wide on `us20`).

The statistic is the Sharpe ratio of what is held, before costs: costs belong to the holdings, which do not change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from harness.validation.resample import shuffled_blocks
from modules.jit import kernel
from modules.panel import FloatArray, IntArray

Spectrum = NDArray[np.complex128]

NEIGHBOURS = 10
"""Frequencies to each side from which an amplitude may be taken."""


@dataclass(frozen=True)
class Permutation:
    """`p_value` = (r + 1) / (n + 1) with r of n surrogates at least as good (B. Phipson, G. Smyth 2010)."""

    observed: float
    reached: int
    draws: int

    @property
    def p_value(self) -> float:
        """One-sided."""
        return (self.reached + 1) / (self.draws + 1)


@kernel
def _sharpe(weights: FloatArray, returns: FloatArray, rows: IntArray) -> float:
    """Ratio a bar of holding `weights[t]` over `returns[rows[t]]`; missing ones earn nothing; 0 if nothing moves."""
    bars, symbols = weights.shape
    total = 0.0
    square = 0.0
    for t in range(bars):
        row = rows[t]
        earned = 0.0
        for i in range(symbols):
            r = returns[row, i]
            if r == r:
                earned += weights[t, i] * r
        total += earned
        square += earned * earned
    mean = total / bars
    variance = (square - bars * mean * mean) / (bars - 1)
    return float(mean / np.sqrt(variance)) if variance > 1e-24 else 0.0


@kernel
def _count_blocks(
    weights: FloatArray, returns: FloatArray, observed: float, mean_block: float, draws: int, rng: Generator
) -> int:
    reached = 0
    for _ in range(draws):
        if _sharpe(weights, returns, shuffled_blocks(weights.shape[0], mean_block, rng)) >= observed:
            reached += 1
    return reached


def block_permutation(
    weights: FloatArray, returns: FloatArray, mean_block: float, draws: int, seed: int
) -> Permutation | None:
    """`weights[t]` earn `returns[t]`, both `[T, N]`. None where nothing held ever moved."""
    observed = _observed(weights, returns)
    if observed is None:
        return None
    rng = np.random.Generator(np.random.PCG64(seed))
    return Permutation(observed, _count_blocks(weights, returns, observed, mean_block, draws, rng), draws)


def phase_permutation(weights: FloatArray, returns: FloatArray, draws: int, seed: int) -> Permutation | None:
    """As `block_permutation`. A missing return counts as the symbol's mean in the transform and as nothing earned."""
    observed = _observed(weights, returns)
    if observed is None:
        return None
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = np.arange(weights.shape[0], dtype=np.int64)
    spectrum, means = _spectrum(returns)
    reached = 0
    for _ in range(draws):
        surrogate = _surrogate(spectrum, means, returns.shape[0], rng)
        if _sharpe(weights, surrogate, rows) >= observed:
            reached += 1
    return Permutation(observed, reached, draws)


def phase_surrogate(returns: FloatArray, rng: Generator) -> FloatArray:
    """One surrogate `[T, N]`: the same means, auto- and cross-spectra up to neighbours, other phases."""
    spectrum, means = _spectrum(returns)
    return _surrogate(spectrum, means, returns.shape[0], rng)


def _observed(weights: FloatArray, returns: FloatArray) -> float | None:
    if weights.shape[0] < 2:
        return None
    observed = _sharpe(weights, returns, np.arange(weights.shape[0], dtype=np.int64))
    return observed if observed != 0.0 else None


def _spectrum(returns: FloatArray) -> tuple[Spectrum, FloatArray]:
    known = ~np.isnan(returns)
    count = np.maximum(known.sum(axis=0), 1)
    means: FloatArray = np.where(known, returns, 0.0).sum(axis=0) / count
    return np.fft.rfft(np.where(known, returns - means, 0.0), axis=0), means


def _surrogate(spectrum: Spectrum, means: FloatArray, bars: int, rng: Generator) -> FloatArray:
    inner = (bars - 1) // 2  # frequencies 1 .. inner are complex; the mean, and the highest of an even length, stay
    reach = max(1, min(NEIGHBOURS, inner - 1))
    step = np.floor(rng.random(inner) * (2 * reach)).astype(np.int64) - reach
    source = np.arange(inner) + np.where(step < 0, step, step + 1)
    source = np.abs(source)
    source = np.where(source >= inner, 2 * (inner - 1) - source, source)
    turned = spectrum.copy()
    phases = np.exp(2j * np.pi * rng.random(inner))
    turned[1 : inner + 1] = spectrum[1 + source] * phases[:, None]
    return np.ascontiguousarray(np.fft.irfft(turned, n=bars, axis=0) + means)
