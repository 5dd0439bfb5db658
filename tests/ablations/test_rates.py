"""Bounds of rates, and the least size that is found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.rates import Counted, least_size, lower_bound, rising, upper_bound


@pytest.mark.parametrize(
    ("events", "tries", "bound"),
    [(0, 200, 0.014867), (1, 260, 0.018115), (0, 59, 0.049507), (10, 200, 0.083335), (5, 5, 1.0), (0, 1_080, 0.002770)],
)
def test_upper_bounds_are_those_of_clopper_and_pearson(events: int, tries: int, bound: float) -> None:
    assert upper_bound(events, tries) == pytest.approx(bound, abs=5e-6)
    assert lower_bound(tries - events, tries) == pytest.approx(1.0 - bound, abs=5e-6)


@pytest.mark.parametrize(
    ("hits", "size"),
    [
        ([0, 0, 20], 0.36),
        ([16, 20, 20], 0.1),
        ([20, 20, 20], 0.08),
        ([0, 0, 15], None),
        ([10, 10, 20], 0.32),
        ([17, 11, 20], 0.2667),  # a lucky first size is pooled with the next: 14, 14, 20
        ([20, 15, 12], None),  # and what falls and falls is one rate
    ],
)
def test_least_size(hits: list[int], size: float | None) -> None:
    points = [Counted(s, 20, h) for s, h in zip((0.1, 0.2, 0.4), hits, strict=True)]
    assert least_size(points, 0.8) == (None if size is None else pytest.approx(size))


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0.0, 1.0)), min_size=1, max_size=12))
def test_rates_never_fall_and_keep_their_total(counts: list[tuple[int, float]]) -> None:
    points = [Counted(float(i), tries, round(share * tries)) for i, (tries, share) in enumerate(counts)]
    found = rising(points)
    assert all(a <= b + 1e-12 for a, b in pairwise(found))
    assert sum(r * p.tries for r, p in zip(found, points, strict=True)) == pytest.approx(sum(p.hits for p in points))
    if all(a.hits * b.tries <= b.hits * a.tries for a, b in pairwise(points)):
        assert found == pytest.approx([p.hits / p.tries for p in points])
