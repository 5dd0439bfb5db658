"""Every gate has a row in which it speaks, and one just inside of it."""

from __future__ import annotations

import math

import pytest

from modules.live.feeds.gates import MEANING, Gate, Gatekeeper, GateLimits

MS = 1_000_000
T = 1_700_000_000_000_000_000
LIMITS = GateLimits(ahead_ms=100, stale_ms=1_000, max_spread=0.02, max_jump=0.05, spike_confirmations=2, memory=3)

QUOTES = [
    # bid, ask, sizes, venue's time, ours, verdict
    (99.0, 101.0, 5.0, 5.0, T, T, Gate.PASS),
    (99.0, 101.0, 5.0, 5.0, T - 1, T, Gate.OUT_OF_ORDER),
    (99.0, 101.0, 5.0, 5.0, T + 100 * MS, T, Gate.PASS),
    (99.0, 101.0, 5.0, 5.0, T + 100 * MS + 1, T, Gate.AHEAD),
    (99.0, 101.0, 5.0, 5.0, T, T + 1_000 * MS, Gate.PASS),
    (99.0, 101.0, 5.0, 5.0, T, T + 1_000 * MS + 1, Gate.STALE),
    (None, 101.0, 5.0, 5.0, T, T, Gate.ZERO),
    (99.0, None, 5.0, 5.0, T, T, Gate.ZERO),
    (0.0, 101.0, 5.0, 5.0, T, T, Gate.ZERO),
    (-1.0, 101.0, 5.0, 5.0, T, T, Gate.ZERO),
    (math.nan, 101.0, 5.0, 5.0, T, T, Gate.ZERO),
    (99.0, math.inf, 5.0, 5.0, T, T, Gate.ZERO),
    (99.0, 101.0, 0.0, 5.0, T, T, Gate.ZERO),
    (99.0, 101.0, 5.0, math.nan, T, T, Gate.ZERO),
    (101.0, 100.0, 5.0, 5.0, T, T, Gate.CROSSED),
    (100.0, 100.0, 5.0, 5.0, T, T, Gate.LOCKED),
    (99.0, 101.01, 5.0, 5.0, T, T, Gate.WIDE),
    (104.9, 105.1, 5.0, 5.0, T, T, Gate.PASS),
    (105.0, 105.1, 5.0, 5.0, T, T, Gate.SPIKE),
    (94.8, 95.1, 5.0, 5.0, T, T, Gate.SPIKE),
    # precedence: what is wrong with its time is not looked at further
    (101.0, 100.0, 5.0, 5.0, T - 1, T, Gate.OUT_OF_ORDER),
    (0.0, math.nan, 5.0, 5.0, T, T + 2_000 * MS, Gate.STALE),
    (200.0, 100.0, 5.0, 5.0, T, T, Gate.CROSSED),
]


@pytest.mark.parametrize(("bid", "ask", "bid_size", "ask_size", "venue_ns", "seen_ns", "verdict"), QUOTES)
def test_a_quote(
    bid: float | None, ask: float | None, bid_size: float, ask_size: float, venue_ns: int, seen_ns: int, verdict: Gate
) -> None:
    keeper = Gatekeeper(LIMITS)
    assert keeper.quote(99.9, 100.1, 1.0, 1.0, T, T) is Gate.PASS
    assert keeper.quote(bid, ask, bid_size, ask_size, venue_ns, seen_ns) is verdict
    assert keeper.passed == (2 if verdict is Gate.PASS else 1)
    assert keeper.refused == ({} if verdict is Gate.PASS else {verdict: 1})


def test_a_locked_market_where_it_is_allowed() -> None:
    keeper = Gatekeeper(LIMITS.model_copy(update={"allow_locked": True}))
    assert keeper.quote(100.0, 100.0, 1.0, 1.0, T, T) is Gate.PASS


TRADES = [
    (100.0, 1.0, T, Gate.PASS),
    (0.0, 1.0, T, Gate.ZERO),
    (100.0, 0.0, T, Gate.ZERO),
    (100.0, math.inf, T, Gate.ZERO),
    (math.inf, 1.0, T, Gate.ZERO),
    (math.nan, 1.0, T, Gate.ZERO),
    (106.0, 1.0, T, Gate.SPIKE),
    (100.0, 1.0, T - 1, Gate.OUT_OF_ORDER),
]


@pytest.mark.parametrize(("price", "size", "venue_ns", "verdict"), TRADES)
def test_a_trade(price: float, size: float, venue_ns: int, verdict: Gate) -> None:
    keeper = Gatekeeper(LIMITS)
    assert keeper.trade(100.0, 1.0, T, T) is Gate.PASS
    assert keeper.trade(price, size, venue_ns, T) is verdict


BARS = [
    ((10.0, 11.0, 9.0, 10.5), 5.0, T + 1, Gate.PASS),
    ((10.0, 11.0, 9.0, 10.5), 0.0, T + 1, Gate.PASS),
    ((10.0, 11.0, 9.0, 10.5), 5.0, T, Gate.OUT_OF_ORDER),
    ((10.0, 11.0, 9.0, 0.0), 5.0, T + 1, Gate.ZERO),
    ((10.0, 11.0, 9.0, 10.5), -1.0, T + 1, Gate.ZERO),
    ((10.0, 11.0, 9.0, math.nan), 5.0, T + 1, Gate.ZERO),
    ((10.0, 10.4, 9.0, 10.5), 5.0, T + 1, Gate.BAR_INCONSISTENT),
    ((8.9, 11.0, 9.0, 10.5), 5.0, T + 1, Gate.BAR_INCONSISTENT),
]


@pytest.mark.parametrize(("values", "volume", "ts_ns", "verdict"), BARS)
def test_a_bar(values: tuple[float, float, float, float], volume: float, ts_ns: int, verdict: Gate) -> None:
    keeper = Gatekeeper(LIMITS)
    assert keeper.bar((10.0, 11.0, 9.0, 10.5), 5.0, T) is Gate.PASS
    assert keeper.bar(values, volume, ts_ns) is verdict


def test_a_jump_is_believed_once_later_prices_agree_and_one_that_does_not_begins_the_count_anew() -> None:
    keeper = Gatekeeper(LIMITS)
    said = [keeper.trade(p, 1.0, T, T) for p in (100.0, 100.0, 120.0, 100.0, 120.0, 90.0, 120.0, 121.0, 121.5, 100.0)]
    assert "".join("+" if g is Gate.PASS else "-" for g in said) == "++-+----+-"
    assert keeper.refused == {Gate.SPIKE: 6}


def test_a_lone_spike_does_not_become_what_others_are_measured_by() -> None:
    keeper = Gatekeeper(LIMITS)
    for price in (100.0, 101.0, 1_000.0, 100.0, 99.0):
        keeper.trade(price, 1.0, T, T)
    assert max(keeper.recent) == 101.0 and keeper.refused == {Gate.SPIKE: 1}


def test_every_gate_has_its_words() -> None:
    assert set(MEANING) == set(Gate)


def test_half_way_between_two_prices_is_a_price() -> None:
    keeper = Gatekeeper(LIMITS)
    assert keeper.quote(1.70e308, 1.71e308, 1.0, 1.0, T, T) is Gate.PASS
    assert keeper.recent[0] < math.inf
    assert keeper.quote(1.0e308, 1.71e308, 1.0, 1.0, T, T) is Gate.WIDE
