"""Whether evidence has decayed, on returns with a known break.

1. Earned before and not after, by more than luck: decayed. Any of the three missing: not.
2. Too little, or nothing that moves, says nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

from supervisor.night.decay import LEAST_BARS, decay, late_from

BARS = 3_000


def returns(early: float, late: float, seed: int = 0, bars: int = BARS) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Daily, volatility 1 %, with these annual Sharpe ratios before and after."""
    rng = np.random.Generator(np.random.PCG64(seed))
    mean = np.where(np.arange(bars) < late_from(bars), early, late) * 0.01 / np.sqrt(252.0)
    noise = rng.normal(0.0, 0.01, bars)
    return np.asarray(mean + noise - noise.mean())


@pytest.mark.parametrize(
    ("early", "late", "decayed"),
    [
        (2.0, -1.0, True),
        (4.0, 0.8, False),
        (2.0, 1.5, False),
        (-1.0, -2.0, False),
        (0.1, -0.05, False),
        (1.5, 3.0, False),
    ],
)
def test_1_what_decayed(early: float, late: float, decayed: bool) -> None:
    votes = [found.decayed for s in range(20) if (found := decay(returns(early, late, s), 252.0)) is not None]
    assert len(votes) == 20 and (sum(votes) >= 18 if decayed else sum(votes) <= 3)


def test_1_figures() -> None:
    found = decay(returns(2.0, -1.0), 252.0)
    assert found is not None and found.early == pytest.approx(2.0, abs=0.8) and found.late < 0.0
    assert found.bars == BARS and found.errors > 2.0


@pytest.mark.parametrize("short", [1, LEAST_BARS, 3 * LEAST_BARS - 3])
def test_2_too_little(short: int) -> None:
    assert decay(returns(2.0, -1.0, bars=short), 252.0) is None


def test_2_nothing_moves() -> None:
    assert decay(np.zeros(BARS), 252.0) is None
    broken = returns(2.0, -1.0)
    broken[5] = np.nan
    assert decay(broken, 252.0) is None
