"""A parent whose worker dies at random moments, and is gone on with from what the desk knows.

1. What filled or may fill at the venue is never above the parent's lots, whoever sent it.
2. No child is sent twice; none outside the window.
3. Where everything fills and the rest is crossed, the end is that of an undisturbed run: all of it.
4. What the last worker believes is what the venue filled, and it is done.
5. What is no child of the parent stops it.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.algorithms.adopting import adopt
from modules.live.algorithms.algorithm import Standing
from modules.live.messages import Filled, OpenAtVenue
from tests.modules.live.algorithms.test_properties import BEGIN, END, SETTINGS, made
from tests.modules.live.algorithms.world import SECOND, TICK, AtVenue, World

chances = st.sampled_from([0.0, 0.1, 0.4])
KINDS = ("cut", "refuse", "lose", "part", "twice", "rest")


def as_desk_has(client_id: str, order: AtVenue) -> OpenAtVenue:
    """An order as a desk that agrees with its venue tells it."""
    ticket = order.send.ticket
    side = 1 if ticket.lots > 0 else -1
    fill = Filled(client_id, f"{client_id}/all", ticket.symbol, side * order.filled, 10.0, 0, 0, 0)
    ended = None if not order.ended else "filled" if order.filled == order.lots else "cancelled"
    limit = None if ticket.limit_micros is None else ticket.limit_micros / 1e6
    return OpenAtVenue(
        client_id, ticket.symbol, side * order.lots, (fill,) if order.filled else (), ended,  # type: ignore[arg-type]
        ticket.order_type, ticket.time_in_force, limit,
    )  # fmt: skip


def at_venue(world: World) -> int:
    """Lots that filled or may fill."""
    return sum(o.filled if o.ended else o.lots for o in world.orders.values())


def run(lots: int, chosen: int, kind: dict[str, float], deaths: float, seed: int) -> World:
    """An order whose worker dies with some chance at each step."""
    world, luck = World(made(lots, chosen), seed=seed, **kind), random.Random(seed)  # type: ignore[arg-type]
    world.now = BEGIN - 10 * SECOND
    while world.now < END + 20 * SECOND:
        world.step(SECOND)
        assert at_venue(world) <= abs(lots)  # 1
        if luck.random() < deaths:
            old, world.algorithm = world.algorithm, made(lots, chosen)
            world.algorithm.volume = old.volume
            world.waiting.clear()  # what nobody heard
            world.lost = [i for i in world.lost if i in world.orders]
            adopt(world.algorithm, [as_desk_has(i, o) for i, o in world.orders.items()])
            assert world.algorithm.stopped is None
    world.run(END + 21 * SECOND, SECOND)
    return world


def check(lots: int, chosen: int, kind: dict[str, float], deaths: float, seed: int) -> None:
    world = run(lots, chosen, kind, deaths, seed)
    ids = [s.ticket.client_id for _, s in world.sends]
    assert len(set(ids)) == len(ids)  # 2
    assert all(BEGIN <= at < END for at, _ in world.sends)
    assert world.algorithm.children.filled == world.filled  # 4
    assert world.algorithm.standing is Standing.DONE and at_venue(world) <= abs(lots)
    calm = not any(kind[k] for k in ("cut", "refuse", "lose", "part"))
    if calm and SETTINGS[chosen].style != "make":
        assert world.filled == abs(lots)  # 3


anything = given(
    st.integers(-300, 300).filter(bool), st.integers(0, len(SETTINGS) - 1),
    st.fixed_dictionaries(dict.fromkeys(KINDS, chances)), st.sampled_from([0.02, 0.2, 1.0]), st.integers(0, 9_999),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@anything
def test_whenever_the_worker_dies(lots: int, chosen: int, kind: dict[str, float], deaths: float, seed: int) -> None:
    check(lots, chosen, kind, deaths, seed)


@pytest.mark.soak
@settings(max_examples=1_500, deadline=None)
@anything
def test_whenever_the_worker_dies_at_length(
    lots: int, chosen: int, kind: dict[str, float], deaths: float, seed: int
) -> None:
    check(lots, chosen, kind, deaths, seed)


@pytest.mark.parametrize("chosen", [k for k, s in enumerate(SETTINGS) if s.style != "make"])
def test_the_end_is_that_of_an_undisturbed_run(chosen: int) -> None:
    """3."""
    calm = dict.fromkeys(KINDS, 0.0)
    for deaths in (0.0, 0.1):
        check(100, chosen, calm, deaths, 3)


def test_what_is_no_child_stops_it() -> None:
    """5."""
    world = run(50, 0, dict.fromkeys(KINDS, 0.0), 0.0, 1)
    mine = [as_desk_has(i, o) for i, o in world.orders.items()]
    other, sold = made(60, 0), made(-50, 0)
    assert adopt(other, mine) == len(mine) and other.children.filled == 50
    assert adopt(other, mine) == 0 and other.children.filled == 50
    assert adopt(sold, mine) and sold.stopped == f"{mine[0].client_id} is no child of p"
    fresh = made(50, 0)
    strange = OpenAtVenue(mine[0].client_id[:-12] + "0" * 12, "A.XNAS", 5, limit_price=1_000 * TICK / 1e6)
    assert adopt(fresh, [strange]) and fresh.stopped is not None and fresh.on(BEGIN + SECOND) == []
