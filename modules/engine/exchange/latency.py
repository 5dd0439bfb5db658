"""The log-normal delay of orders, and how its two figures are found from measured ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from modules.engine.accounting import EngineError
from modules.mathematics import exp, log
from modules.panel import IntArray


@dataclass(frozen=True)
class Latency:
    """Median in microseconds and the standard deviation of the logarithm; (0, 0) = none."""

    median_us: float
    sigma: float


def calibrate(samples_ns: IntArray) -> Latency:
    """The log-normal of greatest likelihood: mean and standard deviation (by n) of the logarithms.

    Raises EngineError for fewer than two samples and for one that is not above 0.
    """
    samples = np.asarray(samples_ns, dtype=np.float64)
    if samples.size < 2:
        raise EngineError(f"samples_ns has {samples.size} values; a log-normal needs at least 2: measure more delays")
    bad = np.flatnonzero(~(samples > 0.0) | ~np.isfinite(samples))
    if bad.size:
        raise EngineError(
            f"samples_ns[{int(bad[0])}] = {samples[bad[0]]} is not a delay above 0; drop such samples "
            "(a clock that runs behind gives them) or set the clocks"
        )
    logs = [log(x) for x in samples.tolist()]
    mean = math.fsum(logs) / len(logs)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in logs) / len(logs))
    return Latency(median_us=exp(mean) / 1e3, sigma=spread)
