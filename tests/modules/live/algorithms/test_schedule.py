"""Schedules: they rise, end at the whole order, and are where the arithmetic on paper says."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.algorithms.algorithm import Placing
from modules.live.algorithms.kinds import Iceberg, Scheduled
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.schedule import Slices, along, evenly, rounded, window
from modules.live.algorithms.settings import Ice, Pov, Shortfall, Twap, Vwap, build
from modules.live.algorithms.volume import VolumeCurve, volume_curve

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def parent(lots: int = 100, begin: int = 0, end: int = 600 * SECOND, limit: int | None = None) -> Parent:
    """An order over ten minutes."""
    return Parent("p", "a", "s", "A.XNAS", lots, begin, end, ("sim",), limit)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 10**18), st.integers(1, 10**14), st.integers(1, 500))
def test_evenly_is_exact(total: int, begin: int, length: int, count: int) -> None:
    """Never more than half a lot from the straight line, rising, and whole at the end."""
    slices = Slices(begin, begin + length, count)
    targets = evenly(total, slices)
    assert len(targets) == count and targets[-1] == total and list(targets) == sorted(targets)
    for k, target in enumerate(targets):
        line = Fraction(total * (slices.start(k + 1) - begin), length)
        assert abs(target - line) <= Fraction(1, 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**15), st.integers(1, 10**12), st.integers(1, 300), st.integers(-10, 400))
def test_slices_cover_the_window_once(begin: int, length: int, count: int, k: int) -> None:
    slices = Slices(begin, begin + length, count)
    assert slices.start(0) == begin and slices.start(count) == begin + length
    now = begin + k * length // count
    here = slices.at(now)
    assert -1 <= here <= count
    if 0 <= here < count:
        assert slices.start(here) <= now < slices.start(here + 1)


@pytest.mark.parametrize(
    ("slice_ns", "count"), [(60 * SECOND, 10), (61 * SECOND, 10), (599 * SECOND, 2), (10**15, 1), (7 * SECOND, 86)]
)
def test_slices_are_equal_and_not_longer_than_asked(slice_ns: int, count: int) -> None:
    slices = window(parent(), slice_ns)
    assert slices.count == count
    lengths = {slices.start(k + 1) - slices.start(k) for k in range(count)}
    assert max(lengths) - min(lengths) <= 1 and max(lengths) <= max(slice_ns, 600 * SECOND // count + 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**6), st.lists(st.floats(0, 1), min_size=0, max_size=30))
def test_rounded_shares_rise_to_the_whole(total: int, shares: list[float]) -> None:
    targets = rounded(total, [*sorted(shares), 1.0])
    assert list(targets) == sorted(targets) and targets[-1] == total


@pytest.mark.parametrize("shares", [[0.5, 0.4, 1.0], [-0.1, 1.0], [1.1, 1.0], [float("nan"), 1.0]])
def test_shares_that_are_none(shares: list[float]) -> None:
    with pytest.raises(AlgorithmError, match="shares rise from 0 to 1"):
        rounded(10, shares)


def test_along_ends_whole_whatever_the_curve_says() -> None:
    assert along(10, Slices(0, 100, 4), lambda t: 0.0) == (0, 0, 0, 10)


# --- the curve of a day's volume ----------------------------------------------------------------------

DAY = 24 * HOUR


def history(days: int, shape: list[float], busy: float = 1.0) -> tuple[list[int], list[float], list[tuple[int, int]]]:
    """Days of four hours, a bar an hour, known at its end; each day is `busy` times the one before."""
    known, volume, sessions = [], [], []
    for d in range(days):
        opened = d * DAY + 9 * HOUR
        sessions.append((opened, opened + 4 * HOUR))
        for k, share in enumerate(shape):
            known.append(opened + (k + 1) * HOUR)
            volume.append(share * busy**d)
    return known, volume, sessions


def test_the_mean_of_the_days_shares() -> None:
    known, volume, sessions = history(3, [4.0, 1.0, 1.0, 2.0], busy=10.0)
    curve = volume_curve(known, volume, sessions, 3 * DAY, bucket_ns=HOUR)
    assert curve.shares == (0.5, 0.125, 0.125, 0.25) and curve.days == 3
    assert curve.done(90 * MINUTE) == 0.5 + 0.125 / 2
    assert (curve.done(-1), curve.done(0), curve.done(4 * HOUR), curve.done(9 * HOUR)) == (0.0, 0.0, 1.0, 1.0)


@given(st.integers(0, 5 * DAY), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_nothing_after_now_is_looked_at(now: int, noise: int) -> None:
    """Other volumes and sessions after `now` change nothing, nor does today's unfinished session."""
    known, volume, sessions = history(5, [4.0, 1.0, 1.0, 2.0])
    other = [v if k <= now else v + noise * (k % 7) for k, v in zip(known, volume, strict=True)]
    try:
        curve = volume_curve(known, volume, sessions, now, bucket_ns=HOUR)
    except AlgorithmError:
        assert now < 13 * HOUR
        return
    assert volume_curve(known, other, sessions, now, bucket_ns=HOUR) == curve
    cut = sum(k <= now for k in known)
    assert volume_curve(known[:cut], volume[:cut], [s for s in sessions if s[0] <= now], now, bucket_ns=HOUR) == curve


def test_no_volume_at_that_time_of_day() -> None:
    known, volume, sessions = history(2, [1.0, 0.0, 0.0, 1.0])
    curve = volume_curve(known, volume, sessions, 2 * DAY, bucket_ns=HOUR)
    order = parent(begin=2 * DAY + 10 * HOUR, end=2 * DAY + 12 * HOUR)
    with pytest.raises(AlgorithmError, match="no volume between"):
        curve.of(order, 2 * DAY + 9 * HOUR)
    with pytest.raises(AlgorithmError, match="no volume curve"):
        build(order, Vwap())
    with pytest.raises(AlgorithmError, match="none of the 2 sessions"):
        volume_curve(known, [0.0] * len(volume), sessions, 2 * DAY, bucket_ns=HOUR)
    with pytest.raises(AlgorithmError, match="0 buckets"):
        volume_curve(known, volume, sessions, 5 * HOUR, bucket_ns=HOUR)


def test_vwap_follows_the_curve_inside_its_window() -> None:
    curve = VolumeCurve((0.5, 0.1, 0.1, 0.3), HOUR, 10)
    order = parent(90, begin=HOUR, end=4 * HOUR)
    made = build(order, Vwap(slice_s=3600.0), curve=(curve, 0))
    assert isinstance(made, Scheduled) and made.targets == (18, 36, 90)


# --- what is refused ---------------------------------------------------------------------------------

TABLE = [
    (lambda: parent(0), "lots 0"),
    (lambda: parent(end=0), "is not after begin_ns"),
    (lambda: Parent("p", "a", "s", "A", 1, 0, 1, ()), "at least one venue"),
    (lambda: Parent("p", "a", "s", "A", 1, 0, 1, ("x", "x")), "each once"),
    (lambda: parent(limit=0), "at least 1 micro"),
    (lambda: window(parent(), 0), "give a longer slice"),
    (lambda: window(parent(), 1000), "give a longer slice"),
    (lambda: Placing(retry_ns=0), "retry_ns 0"),
    (lambda: Placing(least_lots=5, most_lots=2), "no child could be sent"),
    (lambda: build(parent(), Ice()), "an iceberg rests at its limit"),
    (lambda: build(parent(limit=5), Ice(style="take")), "an iceberg rests"),
    (lambda: Iceberg(parent(limit=5), window(parent(), SECOND), Placing(style="make"), 0), "at least 1 lot"),
    (lambda: Scheduled("x", parent(), Slices(0, 1, 2), Placing(), (1, 99)), "the last the whole order"),
    (lambda: Scheduled("x", parent(), Slices(0, 1, 2), Placing(), (101, 100)), "never falling"),
    (lambda: Pov(rate=0.6), "rate"),
    (lambda: Twap(slice_s=0), "slice_s"),
    (lambda: Shortfall(price=0, sigma_day=0.1, adv_lots=1, spread=1), "price"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), TABLE)
def test_what_is_refused(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()  # type: ignore[operator]
