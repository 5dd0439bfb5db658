"""Logarithm, exponential and power.

1. Against 50 decimal digits: log and exp within 1 unit in the last place, power within 0.501.
2. At the edges they are what C's functions are.
3. Their bits are fixed, whatever the processor: a table, and a digest over many arguments.
"""

from __future__ import annotations

import hashlib
import math
import random
import struct
from decimal import Decimal, localcontext

import pytest

from modules.mathematics import exp, log, power

INF, NAN = math.inf, math.nan


def units(found: float, true: Decimal) -> float:
    """Error in units of the last place."""
    return float(abs(Decimal(found) - true) / Decimal(math.ulp(float(true))))


def test_against_fifty_digits() -> None:
    draw = random.Random(3)
    with localcontext() as context:
        context.prec = 50
        for _ in range(400):
            x = draw.choice([draw.uniform(-1, 1), draw.uniform(-700, 700), draw.gauss(0, 0.02)])
            assert units(exp(x), Decimal(x).exp()) < 1.0
            y = draw.choice([draw.uniform(0.9, 1.1), math.exp(draw.uniform(-500, 500)), draw.uniform(1e-9, 5)])
            assert units(log(y), Decimal(y).ln()) < 1.0
            e = draw.choice([draw.uniform(-10, 10), 0.37, 1.5, 3.0, -2.0, 0.1, 0.5])
            if abs(e * math.log(y)) < 700.0:
                assert units(power(y, e), (Decimal(y).ln() * Decimal(e)).exp()) < 0.501


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (log(1.0), 0.0), (log(0.0), -INF), (log(-1.0), NAN), (log(INF), INF), (log(NAN), NAN),
        (log(5e-324), -744.4400719213812),
        (exp(0.0), 1.0), (exp(710.0), INF), (exp(-746.0), 0.0), (exp(INF), INF), (exp(-INF), 0.0), (exp(NAN), NAN),
        (exp(709.782712893384), 1.7976931348622732e308), (exp(-745.13), 5e-324),
        (power(0.0, 3.3), 0.0), (power(0.0, -0.3), INF), (power(INF, 0.3), INF), (power(INF, -0.3), 0.0),
        (power(NAN, 0.0), 1.0), (power(NAN, 2.5), NAN), (power(1.0, 9.9), 1.0), (power(-2.0, 3.0), -8.0),
        (power(-2.0, 4.0), 16.0), (power(-2.0, -3.0), -0.125), (power(-2.0, 0.5), NAN), (power(-2.0, 1.5), NAN),
        (power(9.0, 0.5), 3.0), (power(1e200, 3.0), INF), (power(1e-200, 3.0), 0.0), (power(4.0, -1.0), 0.25),
    ],
)  # fmt: skip
def test_edges(found: float, expected: float) -> None:
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def bits(seed: int, count: int) -> str:
    """Digest of the bits of `count` results each; the arguments come from integers alone."""
    draw, digest = random.Random(seed), hashlib.sha256()
    for _ in range(count):
        x = draw.randrange(1, 2**40) / 2**36
        y = draw.randrange(-(2**40), 2**40) / 2**37
        digest.update(struct.pack("<3d", log(x), exp(y), power(x, y)))
    return digest.hexdigest()[:16]


def test_the_bits_are_fixed() -> None:
    assert bits(20, 20_000) == "afb1c57e6a211a10"
