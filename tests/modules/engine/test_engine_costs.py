"""Estimates and rates against direct computations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modules.engine.costs import impact_rate
from modules.engine.estimates import MOST_ROWS, estimates_at, made_as_needed, trailing_mean, trailing_sigma

RNG = np.random.default_rng(11)


def test_trailing_sigma_is_the_root_mean_square_of_known_returns() -> None:
    close = 100.0 * np.exp(np.cumsum(RNG.normal(0, 0.02, (60, 3)), axis=0))
    close[30, 1] = math.nan
    got = trailing_sigma(close, 20, 5)
    r = close[1:] / close[:-1] - 1.0
    for t in (5, 19, 20, 31, 59):
        window = r[max(0, t - 20) : t]
        np.testing.assert_allclose(got[t], np.sqrt(np.nanmean(window**2, axis=0)), rtol=1e-12)
    assert np.isnan(got[:5]).all(), "below five returns nothing is known"


def test_estimates_do_not_depend_on_where_history_began() -> None:
    close = 100.0 * np.exp(np.cumsum(RNG.normal(0, 0.02, (90, 4)), axis=0))
    late = slice(60, None)
    np.testing.assert_array_equal(trailing_sigma(close, 20, 5)[late], trailing_sigma(close[30:], 20, 5)[30:])
    np.testing.assert_array_equal(trailing_mean(close, 20, 5)[late], trailing_mean(close[30:], 20, 5)[30:])


def test_estimates_use_no_later_bar() -> None:
    close = 100.0 * np.exp(np.cumsum(RNG.normal(0, 0.02, (50, 2)), axis=0))
    np.testing.assert_array_equal(trailing_sigma(close, 20, 5)[:30], trailing_sigma(close[:30], 20, 5))


def test_trailing_mean_skips_what_is_missing() -> None:
    volume = np.array([[1.0], [math.nan], [3.0], [5.0]])
    np.testing.assert_array_equal(trailing_mean(volume, 3, 2)[:, 0], [math.nan, math.nan, 2.0, 4.0])


@pytest.mark.parametrize(
    ("sigma", "shares", "adv", "rate"),
    [
        (0.02, 100.0, 10_000.0, 0.5 * 0.02 * 0.1),
        (0.02, 10_000.0, 10_000.0, 0.01),
        (math.nan, 100.0, 10_000.0, 0.0),
        (0.02, 100.0, math.nan, 0.0),
        (0.02, 100.0, 0.0, 0.0),
    ],
)
def test_impact_is_the_square_root_law_and_never_guessed(sigma: float, shares: float, adv: float, rate: float) -> None:
    assert impact_rate(0.5, sigma, shares, adv) == pytest.approx(rate, rel=1e-12)


def test_a_narrow_panel_has_the_bits_of_its_columns_in_a_wide_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    close = np.exp(rng.normal(0.0, 0.1, (300, 40)))
    close[rng.random(close.shape) < 0.2] = math.nan
    sigma, mean = trailing_sigma(close, 20, 5), trailing_mean(close, 20, 5)
    monkeypatch.setattr("modules.engine.estimates.PART", 64)  # more parts than rows of a part reach
    for width in (1, 3):
        narrow = np.ascontiguousarray(close[:, :width])
        np.testing.assert_array_equal(trailing_sigma(narrow, 20, 5), sigma[:, :width])
        np.testing.assert_array_equal(trailing_mean(narrow, 20, 5), mean[:, :width])


@pytest.mark.parametrize("width", [1, 3])
def test_estimates_made_when_they_are_needed_are_those_made_ahead(width: int) -> None:
    rng = np.random.default_rng(4)
    close = np.exp(rng.normal(0.0, 0.1, (500, width)))
    close[rng.random(close.shape) < 0.2] = math.nan
    volume = rng.integers(0, 5, close.shape) * 100.0
    sigma, mean = trailing_sigma(close, 20, 5), trailing_mean(volume, 20, 5)
    one_by_one, now_and_then = range(500), np.cumsum(rng.integers(0, 9, 60))
    for rows in (one_by_one, now_and_then, [0, 19, 20, 21, 499, 498, 3]):
        made, unknown, longest = made_as_needed(close, volume), made_as_needed(close, np.empty((0, width))), 0
        for t in rows:
            for estimates, adv in ((made, mean[t]), (unknown, np.full(width, math.nan))):
                row = estimates_at(int(t), estimates)
                np.testing.assert_array_equal(estimates.sigma[row], sigma[t])
                np.testing.assert_array_equal(estimates.adv[row], adv)
                assert estimates.span[0] <= t < estimates.span[1] <= t + MOST_ROWS
            longest = max(longest, made.span[1] - made.span[0])
        assert longest == MOST_ROWS or rows is not one_by_one
