"""Functions that worker processes can import."""

from __future__ import annotations


def square(x: int) -> int:
    """x * x, refusing 13."""
    if x == 13:
        raise ValueError("13 is refused")
    return x * x
