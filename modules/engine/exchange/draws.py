"""Random numbers by counter: a draw depends on (seed, key, stream) alone, never on what was drawn before.

Bits: the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
2014), applied once to each word. Normals: the inverse distribution by Wichura's AS 241 (PPND16, Applied Statistics
37, 1988), whose logarithm is ours. So every draw has the same bits on every machine.
"""

from __future__ import annotations

import math

import numpy as np

from modules.engine.exchange.plain import kernel
from modules.mathematics import exp, log

ENTRY = 1
ANSWER = 2
TOUCH = 3


@kernel
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def uniform(seed: int, key: int, stream: int) -> float:
    """One of the 2**52 midpoints of (0, 1)."""
    step = np.uint64(0x9E3779B97F4A7C15)
    x = _mix(np.uint64(seed) + step)
    x = _mix(x ^ (np.uint64(key) + step))
    x = _mix(x ^ (np.uint64(stream) + step))
    return (float(x >> np.uint64(12)) + 0.5) * 2.220446049250313e-16


@kernel
def normal_quantile(p: float) -> float:
    """The z with P(Z <= z) = p for a standard normal Z; relative error about 1e-16."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
                + 133.14166789178437745) * r + 3.387132872796366608)  # fmt: skip
        bottom = (((((((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
                + 42.313330701600911252) * r + 1.0)  # fmt: skip
        return q * top / bottom
    r = math.sqrt(-log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
                + 4.6303378461565452959) * r + 1.42343711074968357734)  # fmt: skip
        bottom = (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
                + 2.05319162663775882187) * r + 1.0)  # fmt: skip
    else:
        r -= 5.0
        top = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
                + 5.4637849111641143699) * r + 6.6579046435011037772)  # fmt: skip
        bottom = (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
                + 0.59983220655588793769) * r + 1.0)  # fmt: skip
    z = top / bottom
    return -z if q < 0.0 else z


@kernel
def latency(median_ns: int, sigma: float, seed: int, key: int, stream: int) -> int:
    """A log-normal delay in ns: rint(median * exp(sigma * z)); the median itself where sigma is 0. At most an hour."""
    if sigma == 0.0 or median_ns == 0:
        return median_ns
    delay = np.rint(float(median_ns) * exp(sigma * normal_quantile(uniform(seed, key, stream))))
    return int(min(delay, 3.6e12))
