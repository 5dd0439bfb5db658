"""Algorithms in the event engine: orders through its exchange, its account and its risk decision.

1. What the algorithm believes filled is what the engine's account holds.
2. All of the order is done at its end, none of it outside the window, and TWAP in step with the clock.
3. The calls that were made, made again without an engine, give the same orders: the object is the same live.
"""

from __future__ import annotations

import random

import polars as pl
import pytest

from modules.engine.exchange import readers
from modules.engine.exchange.events import Instrument, Stream
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.strategy import replay_python
from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.heard import Action, Event, Send
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.replaying import Working
from modules.live.algorithms.settings import Ice, Pov, Shortfall, Twap, Vwap, build
from modules.live.algorithms.volume import VolumeCurve

SECOND = 1_000_000_000
OPEN = 1_709_562_600 * SECOND
A = Instrument("A", tick_size=0.01, lot_size=1.0, sigma_day=0.01, adv=1_000_000.0)
Y = Instrument("A.Y", tick_size=0.01, lot_size=1.0, sigma_day=0.01, adv=1_000_000.0)
SETTINGS = ExchangeSettings(max_age_s=3600.0, entry_median_us=500.0, answer_median_us=500.0)
TICK = 10_000


def market(seconds: int, names: tuple[str, ...] = ("A",), seed: int = 1, lots: int = 40) -> Stream:
    """A touch a second for each name, at a price that walks, and a trade every third second."""
    draw = random.Random(seed)
    quotes, trades, mid = [], [], 10_000
    for k in range(seconds):
        mid += draw.randint(-1, 1)
        for place, name in enumerate(names):
            quotes.append(
                {
                    "time": OPEN + k * SECOND + place, "symbol": name, "bid": (mid - 1 - place) / 100,
                    "ask": (mid + 1 + place) / 100, "bid_size": float(draw.randint(lots // 4, lots)),
                    "ask_size": float(draw.randint(lots // 4, lots)),
                }
            )  # fmt: skip
            if k % 3 == 0:
                trades.append(
                    {
                        "time": OPEN + k * SECOND + 500_000_000 + place, "symbol": name, "price": (mid - 1) / 100,
                        "size": float(draw.randint(1, 60)), "side": draw.choice(["buy", "sell"]),
                    }
                )  # fmt: skip
    instruments = (A, Y)[: len(names)]
    return readers.merge(
        readers.quotes(pl.DataFrame(quotes), instruments), readers.trades(pl.DataFrame(trades), instruments)
    )


def parent(lots: int, limit: int | None = None, venues: tuple[str, ...] = ("x",)) -> Parent:
    """From a minute after the open, four minutes."""
    begin = OPEN + 60 * SECOND
    return Parent("p", "a", "s", "A", lots, begin, begin + 240 * SECOND, venues, limit, TICK)


class Heard(Working):
    """Keeps every call of its one algorithm."""

    def on_start(self, time_ns: int) -> None:
        self.calls: list[tuple[int, Event | None]] = []
        self.said: list[Action] = []
        algorithm, original = self.algorithms[0], self.algorithms[0].on

        def on(now_ns: int, event: Event | None = None) -> list[Action]:
            out = original(now_ns, event)
            self.calls.append((now_ns, event))
            self.said += out
            return list(out)

        algorithm.on = on  # type: ignore[method-assign]
        super().on_start(time_ns)


CURVE = VolumeCurve((0.5, 0.1, 0.1, 0.1, 0.2), 60 * SECOND, 3), OPEN
ASKED = [
    Twap(slice_s=20),
    Twap(slice_s=20, style="make"),
    Twap(slice_s=20, style="market"),
    Vwap(slice_s=20, style="make"),
    Shortfall(slice_s=20, price=100.0, sigma_day=0.01, adv_lots=1e6, spread=0.02),
    Pov(slice_s=20, rate=0.1, counts_own=False),
    Ice(slice_s=20, display_lots=25),
]


def made(asked: object, lots: int) -> Algorithm:
    """An iceberg waits at a price that is met; the others have no limit."""
    limit = (10_010 if lots > 0 else 9_990) * TICK if isinstance(asked, Ice) else None
    return build(parent(lots, limit), asked, curve=CURVE)  # type: ignore[arg-type]


@pytest.mark.parametrize("lots", [180, -180])
@pytest.mark.parametrize("asked", ASKED, ids=lambda a: f"{a.name}-{a.style}")
def test_worked_in_the_engine(asked: Twap, lots: int) -> None:
    working = Heard([made(asked, lots)])
    done = replay_python(market(400), working, SETTINGS)
    algorithm = working.algorithms[0]
    signed = algorithm.parent.side * algorithm.children.filled
    assert done.positions()["A"] == signed == lots == sum(x.lots for x in working.executions)  # 1, 2
    assert algorithm.standing is Standing.DONE and algorithm.stopped is None
    assert all(algorithm.parent.begin_ns <= at < algorithm.parent.end_ns for at, _ in working.children)
    again = made(asked, lots)
    repeated: list[Action] = []
    for now, event in working.calls:
        repeated += again.on(now, event)
    assert repeated == working.said and any(isinstance(a, Send) for a in repeated)  # 3


def test_twap_is_in_step_with_the_clock() -> None:
    """2: at most a slice ahead of the line, where enough is displayed."""
    working = Working([made(ASKED[0], 240)])
    replay_python(market(400, lots=200), working, SETTINGS)
    filled = 0
    for fill in working.executions:
        filled += fill.lots
        share = (fill.ts_ns - working.algorithms[0].parent.begin_ns) / (240 * SECOND)
        assert 240 * share - 1 <= filled <= 240 * share + 21


def test_two_orders_over_two_venues() -> None:
    """Each child goes to the venue that is cheaper with its fee; both orders are done, and net at the account."""
    terms_of_y_are_better = build(parent(90, venues=("x", "y")), Twap(slice_s=20), terms=_terms(3_000, 0))
    alone = build(parent(-60), Twap(slice_s=20))
    working = Working([terms_of_y_are_better, alone], places={("A", "y"): "A.Y"})
    done = replay_python(market(400, ("A", "A.Y")), working, SETTINGS)
    assert {send.ticket.venue for _, send in working.children if send.ticket.lots > 0} == {"y"}
    assert done.positions() == {"A": -60, "A.Y": 90}
    dear = build(parent(90, venues=("x", "y")), Twap(slice_s=20), terms=_terms(0, 0))
    working = Working([dear], places={("A", "y"): "A.Y"})
    replay_python(market(400, ("A", "A.Y")), working, SETTINGS)
    assert working.children[0][1].ticket.venue == "x"


def _terms(x: int, y: int) -> dict[str, object]:
    from modules.live.algorithms.routing import Terms

    return {"x": Terms(taker_ppm=x), "y": Terms(taker_ppm=y)}


def test_a_symbol_that_is_not_in_the_stream() -> None:
    with pytest.raises(AlgorithmError, match="name it in `places`"):
        replay_python(market(5), Working([build(parent(5, venues=("x", "z")), Twap())], {("A", "z"): "B"}), SETTINGS)


def test_the_engines_risk_decision_cuts_a_child_and_the_rest_is_left() -> None:
    """5 % of NAV is 500 lots at 100 USD and a million: nothing beyond is ever bought, and the order is stopped."""
    working = Working([build(parent(900), Twap(slice_s=20, style="market"))])
    done = replay_python(market(400, lots=500), working, SETTINGS)
    algorithm = working.algorithms[0]
    held = done.positions()["A"]
    assert 470 <= held <= 500 and held == algorithm.children.filled
    assert algorithm.stopped is not None and "RISK" in algorithm.stopped
