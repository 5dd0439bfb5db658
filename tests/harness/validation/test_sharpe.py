"""Sharpe ratios and their luck: the numbers that the papers print."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.validation.sharpe import (
    Moments,
    deflated_sharpe,
    expected_maximum,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)

# Bailey and Lopez de Prado (2014), numerical example: Sharpe 2.5 a year over 1,250 days, skew -3, kurtosis 10, 100
# trials whose yearly ratios have variance 1/2. They print 0.1132 a day for the luck, and a DSR of 0.9004.
PAPER = Moments(1250, 2.5 / math.sqrt(250), -3.0, 10.0)
SPREAD = math.sqrt(0.5 / 250)


def test_deflated_sharpe_of_the_paper() -> None:
    assert expected_maximum(100, SPREAD) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(PAPER, 100, SPREAD) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(PAPER, 46, SPREAD) == pytest.approx(0.9505, abs=5e-5)


# Bailey and Lopez de Prado (2012): 24 months with a monthly ratio of 0.458; PSR(0) is 0.982 were it normal, 0.913 with
# skew -2.448 and kurtosis 10.164. Minimum record of a yearly Sharpe of 2 against 1 at 95 %, in years, by frequency.
@pytest.mark.parametrize(("skew", "kurtosis", "printed"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_probabilistic_sharpe_of_the_paper(skew: float, kurtosis: float, printed: float) -> None:
    assert probabilistic_sharpe(Moments(24, 0.458, skew, kurtosis)) == pytest.approx(printed, abs=1e-3)


@pytest.mark.parametrize(("per_year", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record_of_the_paper(per_year: int, years: float) -> None:
    scale = math.sqrt(per_year)
    needed = minimum_track_record(Moments(1000, 2.0 / scale, 0.0, 3.0), 1.0 / scale)
    assert needed / per_year == pytest.approx(years, abs=0.005)


def test_one_trial_has_no_luck_and_more_trials_have_more() -> None:
    assert expected_maximum(1, 1.0) == 0.0
    found = [expected_maximum(n, 1.0) for n in (2, 10, 100, 1000)]
    assert found == sorted(found) and found[0] > 0.0
    # Against the definition: the mean maximum of that many normal draws.
    drawn = np.random.default_rng(3).standard_normal((20_000, 100)).max(axis=1).mean()
    assert expected_maximum(100, 1.0) == pytest.approx(drawn, rel=0.02)


def test_a_ratio_that_is_not_above_the_benchmark_never_gets_a_record() -> None:
    assert minimum_track_record(Moments(100, 0.0, 0.0, 3.0)) == math.inf
    assert minimum_track_record(Moments(100, 0.1, 0.0, 3.0), 0.2) == math.inf


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1], [0.1, math.nan, 0.2], [0.1, math.inf]], ids=str)
def test_no_moments(returns: list[float]) -> None:
    assert moments(np.array(returns)) is None


def test_moments_against_scipy() -> None:
    from scipy.stats import kurtosis, skew

    x = np.random.default_rng(1).standard_t(5, 500) * 0.01 + 0.001
    found = moments(x)
    assert found is not None
    assert found.sharpe == pytest.approx(x.mean() / x.std(ddof=1))
    assert found.skew == pytest.approx(skew(x)) and found.kurtosis == pytest.approx(kurtosis(x, fisher=False))


def test_against_purgedcv() -> None:
    oracle = pytest.importorskip("purgedcv")
    x = np.random.default_rng(1).standard_t(5, 500) * 0.01 + 0.001
    found = moments(x)
    assert found is not None
    found = replace(found, sharpe=found.sharpe * math.sqrt(500 / 499))  # it divides by the deviation over n
    for benchmark in (0.0, 0.05):
        told = oracle.probabilistic_sharpe_ratio(x, benchmark)
        assert probabilistic_sharpe(found, benchmark) == pytest.approx(told, abs=1e-6)
    assert deflated_sharpe(found, 40, 0.03) == pytest.approx(oracle.deflated_sharpe_ratio(x, 40, 0.0009), abs=1e-6)
    told = oracle.min_track_record_length(found.sharpe, 0.02, 0.05, found.skew, found.kurtosis)
    assert minimum_track_record(found, 0.02) == pytest.approx(told, rel=1e-6)
