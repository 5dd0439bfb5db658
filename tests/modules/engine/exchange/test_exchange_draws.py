"""Draws by counter, the normal quantile, log-normal delays, and their calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from modules.engine.accounting import EngineError
from modules.engine.exchange.draws import ENTRY, TOUCH, latency, normal_quantile, uniform
from modules.engine.exchange.latency import calibrate
from modules.engine.exchange.queue import cancelled_ahead

PINNED = ["0x1.633eccf64f03fp-1", "0x1.f7d31066be6d9p-1"]


def test_draws_have_these_bits() -> None:
    assert [uniform(1, 2, 3).hex(), uniform(0, 0, 0).hex()] == PINNED


def test_draws_are_uniform_and_independent_of_order() -> None:
    draws = [uniform(7, k, TOUCH) for k in range(20_000)]
    assert kstest(draws, "uniform").pvalue > 0.01
    assert uniform(7, 19_999, TOUCH) == draws[-1]
    assert abs(np.corrcoef(draws, [uniform(7, k, ENTRY) for k in range(20_000)])[0, 1]) < 0.02


@pytest.mark.parametrize("p", [1e-300, 1e-30, 1e-12, 0.001, 0.07, 0.08, 0.3, 0.5, 0.6, 0.93, 0.999, 1 - 1e-12])
def test_normal_quantile(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(norm.ppf(p), rel=1e-13, abs=1e-15)


def test_delays_are_log_normal_and_found_again() -> None:
    delays = np.array([latency(500_000, 0.4, 3, k, ENTRY) for k in range(20_000)])
    found = calibrate(delays)
    assert found.median_us == pytest.approx(500.0, rel=0.01)
    assert found.sigma == pytest.approx(0.4, rel=0.02)
    logs = np.log(delays)
    assert (found.median_us * 1e3, found.sigma) == pytest.approx((np.exp(logs.mean()), logs.std()), rel=1e-12)
    assert latency(500_000, 0.0, 3, 1, ENTRY) == 500_000


@pytest.mark.parametrize(("samples", "text"), [([5], "at least 2"), ([5, 0, 3], r"samples_ns\[1\] = 0.0")])
def test_samples_that_are_no_delays(samples: list[int], text: str) -> None:
    with pytest.raises(EngineError, match=text):
        calibrate(np.array(samples))


# cancelled, ahead, behind, power, how many of them were ahead
CANCELLATIONS = [
    (10, 10, 10, 1.0, 5),
    (10, 30, 10, 1.0, 7),
    (10, 30, 10, 2.0, 9),
    (10, 10, 30, 2.0, 1),
    (10, 10, 10, 0.0, 5),
    (10, 0, 30, 1.0, 0),
    (10, 30, 0, 1.0, 10),
    (10, 8, 4, 1.0, 6),
    (10, 2, 8, 1.0, 2),
]


@pytest.mark.parametrize(("cancelled", "ahead", "behind", "power", "expected"), CANCELLATIONS)
def test_cancellations_ahead(cancelled: int, ahead: int, behind: int, power: float, expected: int) -> None:
    assert cancelled_ahead(cancelled, ahead, behind, power) == expected
