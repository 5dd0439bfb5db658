"""The router against one that takes a lot at a time, and by hand.

1. The total cost is that of the greedy router, lot by lot, and no other split of small orders is cheaper.
2. Never more than asked; all of it where enough is displayed; nothing beyond the limit, or from a stale display.
3. Each leg's limit is the worst price it was reckoned with, so that it can fill where it was meant to.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.algorithms.heard import Shown
from modules.live.algorithms.parent import AlgorithmError
from modules.live.algorithms.routing import PPM, Leg, Terms, make, take

NAMES = ("x", "y", "z")


def lots_of(shown: Shown, terms: Terms, buys: bool, limit: int | None, most: int) -> list[tuple[int, int]]:
    """(cost, price) of each next lot at one venue."""
    sign = 1 if buys else -1
    out: list[int] = []
    levels = shown.asks if buys else shown.bids
    for price, size in levels:
        out += [price] * size
    if out and terms.beyond_ppm_lot is not None:
        rise = max(1, out[-1] * terms.beyond_ppm_lot // PPM)
        out += [out[-1] + sign * rise * (k + 1) for k in range(most)]
    out = [p for p in out if p > 0 and (limit is None or sign * p <= sign * limit)]
    return [(sign * p * PPM + p * terms.taker_ppm + terms.micros_share * PPM, p) for p in out]


sides = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4)), max_size=3)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[dict[str, Shown], dict[str, Terms], bool, int | None, int]:
    shown, terms = {}, {}
    for name in NAMES:
        asks, bids, price = [], [], 1_000
        for gap, lots in draw(sides):
            price += gap
            asks.append((price, lots))
        price = 1_000
        for gap, lots in draw(sides):
            price -= gap
            bids.append((price, lots))
        shown[name] = Shown(name, tuple(bids), tuple(asks), 0)
        terms[name] = Terms(
            taker_ppm=draw(st.integers(-3_000, 9_000)),
            micros_share=draw(st.integers(0, 3)),
            beyond_ppm_lot=draw(st.sampled_from([None, 1_000, 4_000])),
        )
    limit = draw(st.sampled_from([None, 995, 1_005, 1_020]))
    return shown, terms, draw(st.booleans()), limit, draw(st.integers(1, 12))


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_as_cheap_as_lot_by_lot(scene: tuple[dict[str, Shown], dict[str, Terms], bool, int | None, int]) -> None:
    """1, 2, 3."""
    shown, terms, buys, limit, lots = scene
    legs = take(lots, buys, shown, terms, NAMES, 0, limit_micros=limit)
    there = {n: lots_of(shown[n], terms[n], buys, limit, lots) for n in NAMES}
    cheapest = sorted(cost for queue in there.values() for cost, _ in queue)[:lots]
    assert sum(leg.lots for leg in legs) == min(lots, sum(len(q) for q in there.values())) == len(cheapest)
    assert sum(c for leg in legs for c, _ in there[leg.venue][: leg.lots]) == sum(cheapest)
    for leg in legs:
        assert leg.lots > 0 and leg.limit_micros == there[leg.venue][leg.lots - 1][1]


def test_an_empty_level_beyond_the_limit_ends_nothing() -> None:
    """2: behind the last lot that is displayed, one more within the limit is taken."""
    for buys, levels, limit in ((False, ((996, 1), (994, 0)), 995), (True, ((1_000, 1), (1_009, 0)), 1_001)):
        shown = {"x": Shown("x", () if buys else levels, levels if buys else (), 0)}
        legs = take(2, buys, shown, {"x": Terms(beyond_ppm_lot=1_000)}, ("x",), 0, limit_micros=limit)
        assert legs == (Leg("x", 2, limit),)


@settings(max_examples=20, deadline=None)
@given(scenes())
def test_no_split_is_cheaper(scene: tuple[dict[str, Shown], dict[str, Terms], bool, int | None, int]) -> None:
    """1: every split of at most six lots over three venues is tried."""
    shown, terms, buys, limit, lots = scene
    lots = min(lots, 6)
    there = [[c for c, _ in lots_of(shown[n], terms[n], buys, limit, lots)] for n in NAMES]
    legs = {leg.venue: leg.lots for leg in take(lots, buys, shown, terms, NAMES, 0, limit_micros=limit)}
    ours = sum(sum(there[k][: legs.get(n, 0)]) for k, n in enumerate(NAMES))
    counts = itertools.product(*(range(min(lots, len(q)) + 1) for q in there))
    best = min(sum(sum(q[:c]) for q, c in zip(there, n, strict=True)) for n in counts if sum(n) == sum(legs.values()))
    assert ours == best


def venue(name: str, bid: int, ask: int, lots: int = 100, ts: int = 0) -> Shown:
    """A touch."""
    return Shown(name, ((bid, lots),), ((ask, lots),), ts)


TAKES = [
    # what is displayed cheapest, though dearer by price alone
    ({"x": Terms(taker_ppm=3_000)}, True, 50, [Leg("y", 50, 10_020_000)]),
    ({"x": Terms(taker_ppm=1_000)}, True, 50, [Leg("x", 50, 10_000_000)]),
    ({}, True, 150, [Leg("x", 100, 10_000_000), Leg("y", 50, 10_020_000)]),
    ({}, True, 900, [Leg("x", 100, 10_000_000), Leg("y", 100, 10_020_000)]),
    ({}, False, 150, [Leg("x", 50, 9_980_000), Leg("y", 100, 9_990_000)]),
    ({"y": Terms(micros_share=20_000)}, False, 50, [Leg("x", 50, 9_980_000)]),
    # beyond its display a venue gets dearer, until the next one is cheaper
    ({"x": Terms(beyond_ppm_lot=100)}, True, 150, [Leg("x", 120, 10_020_000), Leg("y", 30, 10_020_000)]),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "buys", "lots", "legs"), TAKES)
def test_takes_by_hand(terms: dict[str, Terms], buys: bool, lots: int, legs: list[Leg]) -> None:
    shown = {"x": venue("x", 9_980_000, 10_000_000), "y": venue("y", 9_990_000, 10_020_000)}
    known = {n: terms.get(n, Terms()) for n in ("x", "y")}
    assert list(take(lots, buys, shown, known, ("x", "y"), 0, tick_micros=10_000)) == legs


def test_a_stale_display_is_not_believed() -> None:
    shown = {"x": venue("x", 9, 10), "y": venue("y", 9, 11, ts=100)}
    terms = {"x": Terms(stale_ns=50), "y": Terms(stale_ns=50)}
    assert take(5, True, shown, terms, ("x", "y"), 120) == (Leg("y", 5, 11),)
    assert make(True, shown, terms, ("x", "y"), 120) == Leg("y", 0, 9)
    assert take(5, True, shown, terms, ("x", "y"), 151) == ()
    assert make(False, shown, terms, ("x", "y"), 151) is None


def test_limits_are_on_the_tick_and_within_the_parents() -> None:
    shown = {"x": venue("x", 10_004, 10_006)}
    terms = {"x": Terms()}
    assert take(1, True, shown, terms, ("x",), 0, tick_micros=10)[0].limit_micros == 10_010
    assert take(1, True, shown, terms, ("x",), 0, tick_micros=10, limit_micros=10_007)[0].limit_micros == 10_007
    assert take(1, False, shown, terms, ("x",), 0, tick_micros=10)[0].limit_micros == 10_000


MAKES = [
    (True, {}, None, Leg("y", 0, 95)),  # the best bid of all
    (False, {}, None, Leg("x", 0, 100)),
    (False, {"y": Terms(maker_ppm=-10)}, None, Leg("x", 0, 100)),  # price first
    (True, {"z": Terms(maker_ppm=-10)}, None, Leg("z", 0, 95)),  # then the rebate
    (True, {}, 90, Leg("y", 0, 90)),
]  # fmt: skip


@pytest.mark.parametrize(("buys", "terms", "limit", "leg"), MAKES)
def test_makes_by_hand(buys: bool, terms: dict[str, Terms], limit: int | None, leg: Leg) -> None:
    shown = {"x": venue("x", 90, 100), "y": venue("y", 95, 101, lots=5), "z": venue("z", 95, 102, lots=9)}
    known = {n: terms.get(n, Terms()) for n in NAMES}
    assert make(buys, shown, known, NAMES, 0, limit_micros=limit) == leg


def test_what_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="at least 1"):
        take(0, True, {}, {}, (), 0)
    with pytest.raises(AlgorithmError, match="beyond_ppm_lot 0"):
        Terms(beyond_ppm_lot=0)
