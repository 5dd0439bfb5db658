"""Quantiles of the standard normal distribution, from our own logarithm."""

from __future__ import annotations

import math
from typing import Final

from modules import mathematics
from modules.jit import kernel

# M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): near the middle, and in a tail that ends at
# e**-25, further out than a share of any row of symbols.
_A: Final = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
_B: Final = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
)  # fmt: skip
_C: Final = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
_D: Final = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
    1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip
_MIDDLE: Final = 0.425
_TAIL: Final = 1.6


@kernel
def _ratio(above: tuple[float, ...], below: tuple[float, ...], r: float) -> float:
    """Two polynomials of degree 7 by Horner's rule, coefficients from the constant on."""
    top, bottom = above[7], below[7]
    for i in range(6, -1, -1):
        top = top * r + above[i]
        bottom = bottom * r + below[i]
    return top / bottom


@kernel
def normal_quantile(part: int, whole: int) -> float:
    """The value below which the share part / whole lies, 0 < part < whole; exactly odd about one half."""
    q = (2 * part - whole) / (2.0 * whole)
    if abs(q) <= _MIDDLE:
        return q * _ratio(_A, _B, _MIDDLE * _MIDDLE - q * q)
    tail = min(part, whole - part) / whole
    size = _ratio(_C, _D, math.sqrt(-mathematics.log(tail)) - _TAIL)
    return size if q > 0.0 else -size
