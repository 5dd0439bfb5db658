"""Almgren and Chriss: the trajectory against the paper's closed form, against a solver, and against itself.

1. x_j is X sinh(kappa (T - t_j)) / sinh(kappa T) with 2 (cosh(kappa tau) - 1) = tau^2 lambda sigma^2 / eta~.
2. It is the least of E + lambda V: a linear solver that knows nothing of sines finds the same one.
3. No shift of lots between two intervals makes E + lambda V smaller.
4. lambda 0 is a straight line; more lambda never holds more; it falls from 1 to 0.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.algorithms.almgren import Expected, Impact, expected, held, impact_of
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.settings import Shortfall, build

# The paper's own example (section 3.4): 1 m shares at 50 USD, 5 days, 30 % volatility a year.
PAPER = Impact(sigma=0.95, eta=2.5e-6, gamma=2.5e-7, epsilon=0.0625)
impacts = st.builds(Impact, st.floats(0.01, 5.0), st.floats(1e-7, 1e-4), st.floats(0.0, 1e-8), st.floats(0.0, 0.1))


def objective(x: np.ndarray, tau: float, impact: Impact, risk: float, shares: float) -> float:
    found = expected(shares, tuple(x), tau, impact)
    return found.cost + risk * found.variance


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.floats(0.001, 1.0), impacts, st.floats(0.0, 1e-4))
def test_the_closed_form(count: int, tau: float, impact: Impact, risk: float) -> None:
    """1."""
    left = held(count, tau, impact, risk)
    step = risk * impact.sigma**2 * tau * tau / (impact.eta - 0.5 * impact.gamma * tau)
    kappa = 2.0 * math.asinh(math.sqrt(step) / 2.0)
    if kappa * count > 600.0:
        return
    if kappa * count < 1e-6:
        oracle = [1.0 - j / count for j in range(count + 1)]
    else:
        oracle = [math.sinh(kappa * (count - j)) / math.sinh(kappa * count) for j in range(count + 1)]
    assert left == pytest.approx(oracle, rel=1e-9, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.floats(0.01, 1.0), impacts, st.floats(0.0, 1e-5))
def test_a_solver_finds_the_same(count: int, tau: float, impact: Impact, risk: float) -> None:
    """2: the gradient of E + lambda V over x_1..x_{N-1} is linear; its root, by elimination."""
    a = (impact.eta - 0.5 * impact.gamma * tau) / tau
    b = risk * impact.sigma**2 * tau
    matrix, right = np.zeros((count - 1, count - 1)), np.zeros(count - 1)
    for j in range(count - 1):
        matrix[j, j] = 2.0 * a + b
        if j:
            matrix[j, j - 1] = matrix[j - 1, j] = -a
    right[0] = a
    inner = np.linalg.solve(matrix, right)
    assert held(count, tau, impact, risk)[1:-1] == pytest.approx(inner.tolist(), rel=1e-7, abs=1e-10)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 12), impacts, st.floats(0.0, 1e-5), st.integers(0, 10**6), st.floats(-0.05, 0.05))
def test_no_shift_is_better(count: int, impact: Impact, risk: float, at: int, by: float) -> None:
    """3."""
    left = np.array(held(count, 0.1, impact, risk))
    moved = left.copy()
    moved[1 + at % (count - 1)] += by
    best = objective(left, 0.1, impact, risk, 1e5)
    assert objective(moved, 0.1, impact, risk, 1e5) >= best - 1e-9 * abs(best)


def test_straight_line_without_risk_aversion() -> None:
    """4."""
    assert held(5, 1.0, PAPER, 0.0) == pytest.approx((1.0, 0.8, 0.6, 0.4, 0.2, 0.0))
    before = held(5, 1.0, PAPER, 0.0)
    for risk in (1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1.0):
        now = held(5, 1.0, PAPER, risk)
        assert now[0] == 1.0 and now[-1] == 0.0 and list(now) == sorted(now, reverse=True)
        assert all(a <= b for a, b in zip(now, before, strict=True))
        before = now


def test_the_papers_figures() -> None:
    """Section 4.2: lambda = 1e-6 a USD gives kappa of about 0.6 a day."""
    left = held(5, 1.0, PAPER, 1e-6)
    assert math.asinh(math.sqrt(1e-6 * 0.95**2 / (2.5e-6 - 1.25e-7)) / 2) * 2 == pytest.approx(0.608, abs=0.01)
    assert 1.0 - left[1] == pytest.approx(0.46, abs=0.02)


def test_expected_costs_by_hand() -> None:
    """100 shares in two intervals of 60 and 40: every term on paper."""
    found = expected(100.0, (1.0, 0.4, 0.0), 0.5, Impact(sigma=2.0, eta=0.01, gamma=0.001, epsilon=0.05))
    permanent = 0.001 * (60 * 40 + 40 * 0)
    temporary = 0.05 * 100 + 0.01 / 0.5 * (60**2 + 40**2)
    assert found == Expected(pytest.approx(permanent + temporary), pytest.approx(4.0 * 0.5 * 40**2))


def test_no_overflow_however_impatient() -> None:
    left = held(2_000, 0.01, Impact(1.0, 1e-7), 1.0)
    assert left[0] == 1.0 and left[1] < 1e-2 and left[-1] == 0.0
    assert all(math.isfinite(v) and 0.0 <= v <= 1.0 for v in left)


def test_early_and_whole() -> None:
    order = Parent("p", "a", "s", "A.XNAS", -1_000, 0, 3_600_000_000_000, ("sim",))
    asked = Shortfall(slice_s=360.0, price=50.0, sigma_day=0.02, adv_lots=100_000, spread=0.05, risk_aversion=1e-2)
    targets = build(order, asked).targets  # type: ignore[attr-defined]
    sizes = np.diff((0, *targets))
    assert targets[-1] == 1_000 and sizes[0] > sizes[-1] and (np.diff(sizes) <= 1).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Impact(1.0, 0.0), "eta = 0.0"),
        (lambda: Impact(math.nan, 1.0), "sigma = nan"),
        (lambda: held(0, 1.0, PAPER, 0.0), "0 intervals"),
        (lambda: held(5, 1.0, PAPER, -1.0), "risk_aversion = -1.0"),
        (lambda: held(5, 1.0, Impact(1.0, 1e-9, 1e-8), 0.0), "give shorter slices"),
        (lambda: held(5, 1.0, Impact(1e200, 1e-9), 1.0), "beyond all numbers"),
        (lambda: impact_of(50.0, 0.02, 0.0, 0.01), "adv_shares = 0.0"),
    ],
)
def test_what_is_refused(make: object, says: str) -> None:
    with pytest.raises(AlgorithmError, match=says):
        make()  # type: ignore[operator]
