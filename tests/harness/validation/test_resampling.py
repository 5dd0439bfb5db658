"""Surrogates and bootstrap.

Invariants:
1. Shuffled blocks are a permutation of the rows, and most neighbours stay neighbours.
2. A phase surrogate keeps means, variances, autocorrelation and cross-correlation of its panel.
3. Holdings that know nothing, though made from past returns, reach p <= 0.05 in about 5 % of panels; ones that know
   something reach it.
4. Equal seeds give equal bits; another seed gives others.
5. The stationary bootstrap has the law of `arch`.
"""

from __future__ import annotations

import numpy as np
import pytest

from harness.validation.permutation import block_permutation, phase_permutation, phase_surrogate
from harness.validation.resample import block_bars, outcomes, quantile, shuffled_blocks
from modules.panel import FloatArray


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize(("count", "block"), [(1, 5.0), (2, 1.0), (500, 20.0), (501, 3.0)])
def test_1_shuffled_blocks(count: int, block: float) -> None:
    rows = shuffled_blocks(count, block, rng(1))
    assert sorted(rows.tolist()) == list(range(count))
    if block > 1.0 and count > 100:
        kept = np.mean((np.diff(rows) % count) == 1)
        assert kept == pytest.approx(1.0 - 1.0 / block, abs=0.06)


@pytest.mark.parametrize("bars", [1000, 1001])
def test_2_phase_surrogate_keeps_the_linear_structure(bars: int) -> None:
    g = rng(2)
    common = g.standard_normal(bars)
    noise = g.standard_normal((bars, 3)) + common[:, None]
    x = np.zeros((bars, 3))
    for t in range(1, bars):
        x[t] = 0.6 * x[t - 1] + noise[t]
    x = x * 0.01 + 0.001
    made = [phase_surrogate(x, rng(k)) for k in range(40)]
    for got in made:
        assert got.shape == x.shape and np.allclose(got.mean(axis=0), x.mean(axis=0))

    def lag(values: FloatArray) -> float:
        return float(np.corrcoef(values[1:, 0], values[:-1, 0])[0, 1])

    def cross(values: FloatArray) -> float:
        return float(np.corrcoef(values[:, 0], values[:, 1])[0, 1])

    assert np.mean([lag(s) for s in made]) == pytest.approx(lag(x), abs=0.03)
    assert np.mean([cross(s) for s in made]) == pytest.approx(cross(x), abs=0.03)
    assert np.mean([s.std() for s in made]) == pytest.approx(x.std(), rel=0.05)
    assert abs(np.corrcoef(made[0][:, 0], x[:, 0])[0, 1]) < 0.2


def _panel(seed: int, strength: float) -> tuple[FloatArray, FloatArray]:
    """Reversal holdings of correlated returns, and the returns that follow; these revert by `strength`."""
    g = rng(seed)
    x = g.standard_normal((402, 6)) * 0.01 + g.standard_normal((402, 1)) * 0.01
    for t in range(2, 402):
        x[t] -= strength * (x[t - 1] - x[t - 1].mean())
    held = -(x[:-1] - x[:-1].mean(axis=1, keepdims=True))
    return np.ascontiguousarray(held), np.ascontiguousarray(x[1:])


@pytest.mark.slow
def test_3_size_and_power() -> None:
    noise = [_panel(seed, 0.0) for seed in range(200)]
    for test in (
        lambda w, x, s: block_permutation(w, x, 10.0, 99, s),
        lambda w, x, s: phase_permutation(w, x, 99, s),
    ):
        low = sum(test(w, x, seed).p_value <= 0.05 for seed, (w, x) in enumerate(noise))
        assert 2 <= low <= 20, f"{low} of 200; 10 are expected, and 20 come up once in a thousand"
        assert all(test(*_panel(900 + k, 0.2), k).p_value == 0.01 for k in range(5))


def test_4_seeds() -> None:
    w, x = _panel(5, 0.02)
    for test in (lambda s: block_permutation(w, x, 10.0, 200, s), lambda s: phase_permutation(w, x, 200, s)):
        assert test(1) == test(1)
        assert len({test(s).reached for s in range(6)}) > 1  # type: ignore[union-attr]
    first = outcomes(x[:, 0], 10.0, 50, rng(1))
    assert first.tobytes() == outcomes(x[:, 0], 10.0, 50, rng(1)).tobytes()
    assert first.tobytes() != outcomes(x[:, 0], 10.0, 50, rng(2)).tobytes()


def test_5_bootstrap_has_the_law_of_arch() -> None:
    from arch.bootstrap import StationaryBootstrap

    g = rng(9)
    x = np.zeros(600)
    for t in range(1, 600):
        x[t] = 0.5 * x[t - 1] + g.standard_normal() * 0.01
    x += 0.0005
    ours = outcomes(x, 15.0, 4000, rng(3))
    theirs = StationaryBootstrap(15, x, seed=rng(4)).apply(lambda r: np.array([r.mean() / r.std(ddof=1)]), 4000)[:, 0]
    assert ours[:, 0].mean() == pytest.approx(theirs.mean(), abs=0.004)
    assert ours[:, 0].std() == pytest.approx(theirs.std(), rel=0.06)
    one = outcomes(x, 1e18, 2, rng(5))  # a block that never ends is the series itself, begun elsewhere
    assert one[:, 1] == pytest.approx(np.prod(1.0 + x))


def test_nothing_held_is_no_evidence() -> None:
    _, x = _panel(1, 0.0)
    assert block_permutation(np.zeros_like(x), x, 10.0, 9, 0) is None
    assert phase_permutation(np.zeros_like(x), x, 9, 0) is None
    assert phase_permutation(x[:1], x[:1], 9, 0) is None


def test_missing_returns_earn_nothing() -> None:
    w, x = _panel(1, 0.3)
    x = x.copy()
    x[::7, 2] = np.nan
    for found in (block_permutation(w, x, 10.0, 99, 0), phase_permutation(w, x, 99, 0)):
        assert found is not None and found.p_value == 0.01


@pytest.mark.parametrize(("bars", "expected"), [(100, 12), (64, 8), (4000, 20)])
def test_block_length_is_a_month_and_at_most_an_eighth(bars: int, expected: int) -> None:
    assert block_bars(rng(1).standard_normal(bars)) == expected


def test_block_length_of_what_does_not_move() -> None:
    assert block_bars(np.zeros(400)) == 20


@pytest.mark.parametrize(("p", "value"), [(0.0, 1.0), (0.25, 1.0), (0.5, 2.0), (0.51, 3.0), (1.0, 4.0)])
def test_quantile_is_a_draw(p: float, value: float) -> None:
    assert quantile(np.array([1.0, 2.0, 3.0, 4.0]), p) == value
