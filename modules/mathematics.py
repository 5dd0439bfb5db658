"""Logarithm, exponential and power from + - * / alone, so that they have the same bits on every processor.

The C library picks its `log`, `exp` and `pow` by what the processor can do: with and without fused multiply-add,
about one result in a thousand differs in its last bit (glibc 2.36). IEEE 754 fixes + - * /, so what is built from
them in a written order is the same everywhere. Errors: `log` and `exp` below 1 unit in the last place, `power` rounded
from about 65 bits.
"""

from __future__ import annotations

import math
from typing import Final

from modules.jit import kernel

# fdlibm e_log.c and e_exp.c (Sun Microsystems, 1993): minimax coefficients, ln 2 in two parts whose first is exact
# in products with an exponent.
_L1: Final = 6.666666666666735130e-01
_L2: Final = 3.999999999940941908e-01
_L3: Final = 2.857142874366239149e-01
_L4: Final = 2.222219843214978396e-01
_L5: Final = 1.818357216161805012e-01
_L6: Final = 1.531383769920937332e-01
_L7: Final = 1.479819860511658591e-01
_P1: Final = 1.66666666666666019037e-01
_P2: Final = -2.77777777770155933842e-03
_P3: Final = 6.61375632143793436117e-05
_P4: Final = -1.65339022054652515390e-06
_P5: Final = 4.13813679705723846039e-08
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_LN2_REST: Final = 1.1612227229362532e-26
_PER_LN2: Final = 1.44269504088896338700
_ROOT_HALF: Final = 0.7071067811865476
_MOST: Final = 709.782712893384
_LEAST: Final = -745.1332191019411

_SPLIT: Final = 134217729.0  # 2**27 + 1 (T. J. Dekker, 1971)
_HALVINGS: Final = 6
_SCALE: Final = 1.0 / 64.0
_TERMS: Final = 10


@kernel
def log(x: float) -> float:
    """Natural logarithm. NaN below 0, -inf at 0."""
    if not x > 0.0:
        return -math.inf if x == 0.0 else math.nan
    if x == math.inf:
        return x
    m, e = math.frexp(x)
    if m < _ROOT_HALF:
        m *= 2.0
        e -= 1
    k = float(e)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    r = w * (_L2 + w * (_L4 + w * _L6)) + z * (_L1 + w * (_L3 + w * (_L5 + w * _L7)))
    half = 0.5 * f * f
    return float(k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f))


@kernel
def exp(x: float) -> float:
    """e to the x; inf above 709.78, 0 below -745.13."""
    if x != x:
        return x
    if x > _MOST:
        return math.inf
    if x < _LEAST:
        return 0.0
    k = math.floor(_PER_LN2 * x + 0.5)
    high = x - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5))))
    return float(math.ldexp(1.0 - ((low - (r * c) / (2.0 - c)) - high), int(k)))


# Numbers of twice the precision: an unevaluated sum high + low (Dekker 1971; Knuth, TAOCP 2, 4.2.2).


@kernel
def _sum(a: float, b: float) -> tuple[float, float]:
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@kernel
def _product(a: float, b: float) -> tuple[float, float]:
    p = a * b
    t = _SPLIT * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLIT * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@kernel
def _add(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    s, e = _sum(ah, bh)
    t, f = _sum(al, bl)
    s, e = _sum(s, e + t)
    return _sum(s, e + f)


@kernel
def _times(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    p, e = _product(ah, bh)
    return _sum(p, e + (ah * bl + al * bh))


@kernel
def _long_exp(high: float, low: float) -> tuple[float, float, int]:
    """`(h, l, k)` with (h + l) 2**k = e to the (high + low), by Taylor's series of a 64th and six squarings."""
    k = math.floor(_PER_LN2 * high + 0.5)
    rh, rl = _sum(high - k * _LN2_HIGH, low)  # the first difference is exact: LN2_HIGH ends in 20 zeros
    ph, pl = _product(k, _LN2_LOW)
    rh, rl = _add(rh, rl, -ph, -pl)
    rh, rl = _add(rh, rl, -k * _LN2_REST, 0.0)
    rh *= _SCALE
    rl *= _SCALE
    # r + r**2/2 + r**3 (1/6 + r/24 + ...): the bracket is so small beside r that one double holds enough of it.
    tail = 0.0
    for n in range(_TERMS, 3, -1):
        tail = (tail + 1.0) * rh / n
    tail = (tail + 1.0) * (rh * rh * rh) / 6.0
    sh, sl = _times(rh, rl, rh, rl)
    h, low_part = _add(rh, rl, 0.5 * sh, 0.5 * sl)
    h, low_part = _add(h, low_part, tail, 0.0)
    for _ in range(_HALVINGS):  # (1 + p)**2 = 1 + (2 p + p**2)
        sh, sl = _times(h, low_part, h, low_part)
        h, low_part = _add(2.0 * h, 2.0 * low_part, sh, sl)
    h, low_part = _add(h, low_part, 1.0, 0.0)
    return h, low_part, int(k)


@kernel
def _long_log(x: float) -> tuple[float, float]:
    """log x for x in [sqrt 1/2, sqrt 2): one step of Newton from `log`, y + (x e**-y - 1), with its second order."""
    y = log(x)
    h, low, k = _long_exp(-y, 0.0)
    h, low = math.ldexp(h, k), math.ldexp(low, k)
    h, low = _times(h, low, x, 0.0)
    h, low = _add(h, low, -1.0, 0.0)
    return _add(y, 0.0, h, low - 0.5 * h * h)


@kernel
def _positive_power(x: float, exponent: float) -> float:
    if x == 1.0:
        return 1.0
    if x == 0.0 or x == math.inf:
        return math.inf if (x == 0.0) == (exponent < 0.0) else 0.0
    m, e = math.frexp(x)
    if m < _ROOT_HALF:
        m *= 2.0
        e -= 1
    h, low = _long_log(m)
    k = float(e)
    ph, pl = _product(k, _LN2_LOW)
    th, tl = _add(k * _LN2_HIGH, 0.0, ph, pl)
    th, tl = _add(th, tl, k * _LN2_REST, 0.0)
    h, low = _add(h, low, th, tl)
    h, low = _times(h, low, exponent, 0.0)
    if h > _MOST + 1.0:
        return math.inf
    if h < _LEAST - 1.0:
        return 0.0
    h, low, n = _long_exp(h, low)
    return float(math.ldexp(h, n))


@kernel
def power(x: float, exponent: float) -> float:
    """x to the exponent, with the limits of C's `pow`; NaN for a negative x and an exponent that is no integer.

    Exponents 0, 1, 2, -1 and 1/2 are one operation each. |exponent| up to 2**53.
    """
    if exponent == 0.0:
        return 1.0
    if x != x or exponent != exponent:
        return math.nan
    if exponent == 1.0:
        return x
    if exponent == 2.0:
        return x * x
    if exponent == -1.0:
        return 1.0 / x
    if exponent == 0.5 and x >= 0.0:
        return math.sqrt(x)
    if x >= 0.0:
        return _positive_power(x, exponent)
    if exponent != math.floor(exponent) and x != -math.inf:
        return math.nan
    size = _positive_power(-x, exponent)
    return -size if exponent % 2.0 == 1.0 else size
