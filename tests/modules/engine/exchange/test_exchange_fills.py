"""What fills, at what price, and when: a row a rule.

Prices in ticks of 0.01; events a second apart; an order is sent at the event whose number is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from modules.engine.exchange.events import Stream
from modules.engine.exchange.readers import merge
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.view import DAY, FOK, GTC, IOC, LIMIT, MARKET, STOP, STOP_LIMIT
from tests.modules.engine.exchange.scenes import FREE, Act, bars, depth, play, quotes, trades

pytestmark = pytest.mark.slow  # the machine compiles for half a minute on a bare machine

FLAT = (99.0, 10.0, 101.0, 10.0)
BOOK = [("bid", 99.0, 10), ("bid", 98.0, 20), ("ask", 101.0, 10), ("ask", 102.0, 20), ("ask", 103.0, 30)]
SAME = [("ask", 103.0, 30)]


def send(lots: int, price: float = 0.0, kind: int = LIMIT, tif: int = GTC, **more: int) -> Act:
    post = bool(more.pop("post_only", 0))
    return lambda s: s.order.__setitem__("it", s.submit(0, lots, round(price * 100), kind, tif, post_only=post, **more))


def both(*acts: Act) -> Act:
    def run(s: object) -> None:
        for act in acts:
            act(s)  # type: ignore[arg-type]

    return run


@dataclass(frozen=True)
class Case:
    """`fills`: (signed lots, price) in order; `state`: how the first order ended."""

    name: str
    stream: Stream
    acts: dict[int, Act]
    fills: list[tuple[int, int]]
    state: str
    settings: ExchangeSettings = FREE


def cancel_it() -> Act:
    return lambda s: s.cancel(s.order["it"])


def replace_it(price: float, lots: int) -> Act:
    return lambda s: s.replace(s.order["it"], round(price * 100), lots)


SLOW = FREE.model_copy(update={"entry_median_us": 1.5e6})
BEYOND = FREE.model_copy(update={"beyond_displayed": "impact"})
SURE = FREE.model_copy(update={"bar_touch_probability": 1.0, "bar_volume_share": 1.0})
NEVER = SURE.model_copy(update={"bar_touch_probability": 0.0})
TENTH = SURE.model_copy(update={"bar_volume_share": 0.1})
OLD = FREE.model_copy(update={"max_age_s": 0.5})

CASES = [
    # level 1
    Case("market takes the next quote, not the one that caused it", quotes(FLAT, (98.0, 9, 102.0, 9)),
         {0: send(5, kind=MARKET, tif=IOC)}, [(5, 10200)], "filled"),
    Case("nothing fills without a later event", quotes(FLAT, FLAT), {1: send(5, kind=MARKET, tif=IOC)}, [], "open"),
    Case("market takes no more than is displayed", quotes(FLAT, FLAT, FLAT),
         {0: send(15, kind=MARKET, tif=IOC)}, [(10, 10100)], "expired"),
    Case("what is left of a market order waits where it may", quotes(FLAT, FLAT, (99.0, 10, 101.5, 3), FLAT),
         {0: send(15, kind=MARKET)}, [(10, 10100), (3, 10150), (2, 10100)], "filled"),
    Case("beyond the displayed size with impact", quotes(FLAT, FLAT),
         {0: send(15, kind=MARKET, tif=IOC)}, [(15, 10100)], "filled", BEYOND),
    Case("fill or kill has no part", quotes(FLAT, FLAT), {0: send(15, kind=MARKET, tif=FOK)}, [], "expired"),
    Case("fill or kill whole", quotes(FLAT, FLAT), {0: send(10, kind=MARKET, tif=FOK)}, [(10, 10100)], "filled"),
    Case("a marketable limit pays no more than the ask", quotes(FLAT, FLAT),
         {0: send(5, 105.0)}, [(5, 10100)], "filled"),
    Case("immediate or cancel does not rest", quotes(FLAT, FLAT, (99.0, 10, 100.0, 10)),
         {0: send(5, 100.0, tif=IOC)}, [], "expired"),
    Case("a limit that the market comes to fills at its own price", quotes(FLAT, FLAT, (97.0, 10, 98.0, 10)),
         {0: send(5, 100.0)}, [(5, 10000)], "filled"),
    Case("latency: an order meets the book that it had not seen",
         quotes(FLAT, (98.0, 9, 100.0, 9), (98.0, 9, 103.0, 9), FLAT),
         {0: send(5, kind=MARKET, tif=IOC)}, [(5, 10000)], "filled", SLOW),
    Case("post-only that would take is refused", quotes(FLAT, FLAT, FLAT),
         {0: send(5, 101.0, post_only=1)}, [], "rejected"),
    Case("post-only that rests", quotes(FLAT, FLAT, (97.0, 10, 98.0, 10)),
         {0: send(5, 100.0, post_only=1)}, [(5, 10000)], "filled"),
    Case("cancelled before the market comes", quotes(FLAT, FLAT, FLAT, (97.0, 10, 98.0, 10)),
         {0: send(5, 100.0), 1: cancel_it()}, [], "cancelled"),
    Case("replaced to a better price", quotes(FLAT, FLAT, FLAT, FLAT),
         {0: send(5, 100.0), 1: replace_it(101.0, 5)}, [(5, 10100)], "filled"),
    Case("a fill leaves no more at the quote than it displayed", quotes(FLAT, FLAT, FLAT),
         {0: both(send(6, kind=MARKET), send(6, kind=MARKET))},
         [(6, 10100), (4, 10100), (2, 10100)], "filled"),
    # level 1, stops
    Case("a buy stop gapped over fills at the worse price", quotes(FLAT, FLAT, (104.0, 10, 106.0, 10)),
         {0: send(5, kind=STOP, stop=10300)}, [(5, 10600)], "filled"),
    Case("a stop-limit gapped over rests at its limit", quotes(FLAT, FLAT, (104.0, 10, 106.0, 10), (99.0, 5, 104.0, 9)),
         {0: send(5, 105.0, kind=STOP_LIMIT, stop=10300)}, [(5, 10500)], "filled"),
    Case("a sell stop is reached by the bid", quotes(FLAT, FLAT, (96.0, 10, 98.0, 10)),
         {0: send(-5, kind=STOP, stop=9700)}, [(-5, 9600)], "filled"),
    # queue on level 1 with trades: 10 ahead at 99
    Case("the queue ahead goes first", merge(quotes(FLAT, FLAT, FLAT), trades((1.5, 99.0, 12, "sell"))),
         {0: send(5, 99.0)}, [(2, 9900)], "open"),
    Case("a trade through fills without a queue", merge(quotes(FLAT, FLAT, FLAT), trades((1.5, 98.0, 12, "sell"))),
         {0: send(5, 99.0)}, [(5, 9900)], "filled"),
    Case("a trade fills no more than its size", merge(quotes(FLAT, FLAT), trades((1.5, 98.0, 3, "sell"))),
         {0: send(5, 99.0)}, [(3, 9900)], "open"),
    Case("a buyer's trade does not fill a bid", merge(quotes(FLAT, FLAT), trades((1.5, 99.0, 50, "buy"))),
         {0: send(5, 99.0)}, [], "open"),
    Case("half of the queue is cancelled: it was ahead", merge(
            quotes(FLAT, FLAT, (99.0, 4, 101.0, 10), FLAT), trades((2.5, 99.0, 6, "sell"))),
         {0: send(5, 99.0)}, [(2, 9900)], "open"),
    Case("a price behind the best has an unknown queue", merge(quotes(FLAT, FLAT), trades((1.5, 98.0, 500, "sell"))),
         {0: send(5, 98.0)}, [], "open"),
    # level 2
    Case("a market order walks the book", depth(BOOK, SAME),
         {0: send(35, kind=MARKET, tif=IOC)}, [(10, 10100), (20, 10200), (5, 10300)], "filled"),
    Case("a limit walks to its price and rests", depth(BOOK, SAME, [("bid", 100.0, 1)]),
         {0: send(35, 102.0)}, [(10, 10100), (20, 10200)], "open"),
    Case("fill or kill counts the depth", depth(BOOK, SAME), {0: send(31, 102.0, tif=FOK)}, [], "expired"),
    Case("fill or kill that the depth holds", depth(BOOK, SAME), {0: send(30, 102.0, tif=FOK)},
         [(10, 10100), (20, 10200)], "filled"),
    Case("depth is taken once", depth(BOOK, SAME, SAME),
         {0: send(10, kind=MARKET, tif=IOC), 1: send(10, kind=MARKET, tif=IOC)}, [(10, 10100), (10, 10200)], "filled"),
    # trades alone
    Case("trades alone: at the next trade, up to its size",
         trades((0, 99.0, 5, None), (1, 100.0, 3, None), (2, 101.0, 9, None)),
         {0: send(5, kind=MARKET)}, [(3, 10000), (2, 10100)], "filled"),
    Case("trades alone: a limit rests until a trade goes through",
         trades((0, 99.0, 5, None), (1, 100.0, 3, None), (2, 98.0, 9, None), (3, 97.0, 9, None)),
         {0: send(5, 98.0)}, [(5, 9800)], "filled"),
    # bars
    Case("bars: market at the next open", bars((100, 101, 99, 100, 50), (102, 103, 101, 103, 50)),
         {0: send(5, kind=MARKET, tif=IOC)}, [(5, 10200)], "filled", SURE),
    Case("bars: a limit the bar trades through", bars((100, 101, 99, 100, 50), (102, 103, 98, 103, 50)),
         {0: send(5, 99.0)}, [(5, 9900)], "filled", SURE),
    Case("bars: a limit gapped through fills at the open", bars((100, 101, 99, 100, 50), (97, 98, 96, 97, 50)),
         {0: send(5, 99.0)}, [(5, 9700)], "filled", SURE),
    Case("bars: a touch, for sure", bars((100, 101, 99, 100, 50), (102, 103, 99, 103, 50)),
         {0: send(5, 99.0)}, [(5, 9900)], "filled", SURE),
    Case("bars: a touch, never", bars((100, 101, 99, 100, 50), (102, 103, 99, 103, 50)),
         {0: send(5, 99.0)}, [], "open", NEVER),
    Case("bars: a share of the volume",
         bars((100, 101, 99, 100, 50), (102, 103, 98, 103, 50), (100, 101, 98, 100, 500)),
         {0: send(8, 99.0)}, [(5, 9900), (3, 9900)], "filled", TENTH),
    Case("bars: no volume, no fill", bars((100, 101, 99, 100, 50), (102, 103, 98, 103, 0)),
         {0: send(5, 99.0)}, [], "open", SURE),
    Case("bars: no volume ends immediate-or-cancel", bars((100, 101, 99, 100, 50), (102, 103, 98, 103, 0)),
         {0: send(5, kind=MARKET, tif=IOC)}, [], "expired", SURE),
    Case("bars: a stop in the bar fills at the stop", bars((100, 101, 99, 100, 50), (100, 105, 99, 104, 50)),
         {0: send(5, kind=STOP, stop=10300)}, [(5, 10300)], "filled", SURE),
    Case("bars: a stop gapped over fills at the open", bars((100, 101, 99, 100, 50), (104, 105, 103, 104, 50)),
         {0: send(5, kind=STOP, stop=10300)}, [(5, 10400)], "filled", SURE),
    Case("bars: an order late for the open meets the close",
         bars((100, 101, 99, 100, 50), (102, 103, 101, 103, 50), bar_s=60),
         {0: send(5, kind=MARKET, tif=IOC)},
         [(5, 10300)], "filled", SURE.model_copy(update={"entry_median_us": 500.0})),
    # staleness and days
    Case("a stale book fills nothing", merge(quotes(FLAT), trades((3, 99.0, 5, None), (4, 99.0, 5, None))),
         {1: send(5, kind=MARKET)}, [], "open", OLD),
    Case("a day order on bars ends with its first day",
         bars(*[(100, 101, 99, 100, 50)] * 2, *[(100, 101, 99, 100, 50)] * 600),
         {0: send(5, 90.0, tif=DAY)}, [], "expired", SURE),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_fills(case: Case) -> None:
    script, run = play(case.stream, case.acts, case.settings)
    assert script.fills == case.fills
    assert run.orders()["state"][0] == case.state
    assert sum(lots for lots, _ in case.fills) == run.positions()["A"]
