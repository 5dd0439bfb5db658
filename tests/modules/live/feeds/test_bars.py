"""Bars from trades beside bars that are summed by hand, and their labels.

1. A bar is the trades of its time and no others, whatever the order in which they came, while it is under way.
2. Once it was given it does not change; what comes late is counted.
3. Labels are those of the data sets: by either end, or by a session's date.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from modules.live.feeds.bars import BarBuilder, BarShape
from modules.live.feeds.news import Bar, Trade

S = 1_000_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000) * 1_000


def trade(symbol: str, ns: int, price: float, size: float) -> Trade:
    return Trade(symbol, "x", price, size, None, "", ns, ns)


@pytest.mark.parametrize("seed", range(10))
def test_beside_sums_by_hand(seed: int) -> None:
    rng = random.Random(seed)
    builder = BarBuilder(BarShape(interval_s=5, grace_ms=1_000))
    wanted: dict[tuple[int, str], list[tuple[float, float]]] = {}
    found: list[Bar] = []
    now, late = 1_700_000_000 * S, 0
    for _ in range(2_000):
        now += rng.randrange(S)
        found += builder.close(now)
        ns = now - rng.choice((0, 0, S // 2, S, 4 * S))
        symbol, price, size = rng.choice("AB"), round(rng.uniform(9, 11), 2), float(rng.randrange(1, 9))
        end = ns - ns % (5 * S) + 5 * S
        if end + S <= now and any(b.ts_ns >= end for b in found):
            late += 1
        else:
            wanted.setdefault((end, symbol), []).append((price, size))
        builder.take(trade(symbol, ns, price, size))
    found += builder.close(now + 60 * S)
    by_hand = [
        (end, symbol, d[0][0], max(p for p, _ in d), min(p for p, _ in d), d[-1][0], sum(s for _, s in d))
        for (end, symbol), d in sorted(wanted.items())
    ]
    assert [(b.ts_ns, b.symbol, b.open, b.high, b.low, b.close, b.volume) for b in found] == by_hand
    assert builder.late == late > 0 and builder.next_ns() is None
    assert all(b.known_ns >= b.ts_ns + S for b in found)


LABELS = [
    # interval, stamp, calendar, closing, the trade's time, the label (None = outside)
    (60, "close", "UNKNOWN", 0, "2023-01-03T14:30:00", "2023-01-03T14:31:00"),
    (60, "open", "UNKNOWN", 0, "2023-01-03T14:30:59.999999", "2023-01-03T14:30:00"),
    (60, "close", "XNYS", 0, "2023-01-03T14:30:00", "2023-01-03T14:31:00"),
    (60, "close", "XNYS", 0, "2023-01-03T14:29:59.999999", None),
    (60, "close", "XNYS", 0, "2023-01-03T20:59:59.999999", "2023-01-03T21:00:00"),
    (60, "close", "XNYS", 0, "2023-01-03T21:00:00", None),
    (60, "close", "XNYS", 5_000, "2023-01-03T21:00:04.999999", "2023-01-03T21:00:00"),
    (60, "close", "XNYS", 5_000, "2023-01-03T21:00:05", None),
    (60, "open", "XNYS", 5_000, "2023-01-03T21:00:00", "2023-01-03T20:59:00"),
    (60, "close", "XNYS", 0, "2023-01-02T15:00:00", None),  # a holiday
    (60, "close", "XNYS", 0, "2022-11-25T18:00:00", None),  # a short day: it closed at 18:00
    (60, "close", "XNYS", 0, "2022-11-25T17:59:00", "2022-11-25T18:00:00"),
    (3600, "close", "XNYS", 0, "2023-01-03T14:30:00", "2023-01-03T15:00:00"),
    (3600, "open", "XNYS", 0, "2023-01-03T14:45:00", "2023-01-03T14:30:00"),
    (86_400, "open", "XNYS", 0, "2023-01-03T20:59:59", "2023-01-03T00:00:00"),
    (86_400, "open", "XNYS", 0, "2023-07-03T16:59:59", "2023-07-03T00:00:00"),
    (86_400, "close", "24/7", 0, "2023-01-03T23:59:59", "2023-01-03T00:00:00"),
    (86_400, "close", "UNKNOWN", 0, "2023-01-03T00:00:00", "2023-01-03T00:00:00"),
    (60, "close", "UNKNOWN", 5_000, "2023-01-03T00:00:00", "2023-01-03T00:01:00"),
]


@pytest.mark.parametrize(("interval", "stamp", "calendar", "closing", "moment", "label"), LABELS)
def test_labels(interval: int, stamp: str, calendar: str, closing: int, moment: str, label: str | None) -> None:
    shape = BarShape(interval_s=interval, bar_stamp=stamp, calendar=calendar, closing_ms=closing)  # type: ignore[arg-type]
    builder = BarBuilder(shape)
    builder.take(trade("A", at(moment), 10.0, 1.0))
    found = builder.close(at(moment) + 2 * 86_400 * S)
    assert [b.ts_ns for b in found] == ([] if label is None else [at(label)])
    assert builder.outside == (label is None)


def test_it_waits_for_what_is_on_its_way_and_for_the_closing_auction() -> None:
    builder = BarBuilder(BarShape(interval_s=60, calendar="XNYS", grace_ms=500, closing_ms=5_000))
    builder.take(trade("A", at("2023-01-03T20:58:30"), 10.0, 1.0))
    builder.take(trade("A", at("2023-01-03T20:59:30"), 11.0, 1.0))
    assert builder.next_ns() == at("2023-01-03T20:59:00") + S // 2
    assert builder.close(at("2023-01-03T20:59:00.499999")) == []
    assert [b.close for b in builder.close(at("2023-01-03T20:59:00.5"))] == [10.0]
    assert builder.next_ns() == at("2023-01-03T21:00:05") + S // 2
    builder.take(trade("A", at("2023-01-03T21:00:03"), 12.0, 100.0))
    assert builder.close(at("2023-01-03T21:00:05.4")) == []
    assert [(b.close, b.volume) for b in builder.close(at("2023-01-03T21:00:05.5"))] == [(12.0, 101.0)]
    builder.take(trade("A", at("2023-01-03T21:00:04"), 13.0, 100.0))
    assert builder.late == 1 and builder.next_ns() is None
