"""The simulated exchange on events is the event engine's backtest.

1. The same orders and cancels at the same moments have the same fills, times, money and positions, with latency, queues
   and fees, on quotes and on depth.
2. What it says is enough to keep the account, and every order that it took has an end or works.
3. A moment is gone on from once; what cannot be sent is refused at once.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.events import DELAYS, level_one, level_two
from modules.engine.exchange import layout as f
from modules.engine.exchange import view as v
from modules.engine.exchange.events import Stream
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.strategy import Strategy, replay_python
from modules.live.messages import Acknowledged, Cancelled, CancelRefused, Filled, RefusedByVenue, Stepped, VenueNews
from modules.live.venues.sim.events import EventMatching
from modules.live.venues.sim.protocol import NewOrder

pytestmark = pytest.mark.slow  # the machine compiles for half a minute on a bare machine

STEP = 40_000_000


class Plan:
    """What is done at each moment, drawn once: orders (lots, ticks from the mark, terms), and which to cancel."""

    def __init__(self, seed: int, moments: int) -> None:
        rng = np.random.default_rng(seed)
        self.orders = [
            [
                (int(rng.integers(1, 9)) * (1 if rng.random() < 0.5 else -1), int(rng.integers(-3, 4)),
                 str(rng.choice(["market", "limit"])), str(rng.choice(["day", "gtc", "ioc", "fok"])))
                for _ in range(rng.integers(0, 3))
            ]
            for _ in range(moments)
        ]  # fmt: skip
        self.cancels = [bool(rng.random() < 0.4) for _ in range(moments)]


class Timed(Strategy):
    """Acts by the plan at the end of each moment."""

    def __init__(self, plan: Plan, stream: Stream) -> None:
        self.plan, self.moment = plan, 0
        self.sent: list[int] = []
        self.rows, self.times = stream.size, stream.table[f.E_LOCAL_NS]

    def _wake(self) -> None:
        row = self._see[f.H_LOCAL_ROW]
        if row < self.rows:
            coming = max(self.now(), int(self.times[row]))
            self._see[f.H_TIMER] = (coming // STEP + 1) * STEP

    def on_start(self, time_ns: int) -> None:
        self._wake()

    def on_fill(self, *args: int) -> None: ...

    def on_order(self, *args: int) -> None: ...

    def on_timer(self, time_ns: int) -> None:
        mark = self._see[f.symbol_at(0) + f.S_MARK2] // 2
        if self.moment < len(self.plan.orders):
            if self.plan.cancels[self.moment]:
                for order in self.sent:
                    if self.is_working(order):
                        self.cancel(order)
            for lots, away, kind, tif in self.plan.orders[self.moment]:
                kinds = {"market": v.MARKET, "limit": v.LIMIT}
                tifs = {"day": v.DAY, "gtc": v.GTC, "ioc": v.IOC, "fok": v.FOK}
                price = mark + away if kind == "limit" else 0
                self.sent.append(self.submit(0, lots, price, kinds[kind], tifs[tif]))
        self.moment += 1
        self._wake()


def drive(matching: EventMatching, plan: Plan) -> list[VenueNews]:
    """The same by way of the exchange."""
    said: list[VenueNews] = []
    over, under = matching._stream.instruments[0].ratio()
    names: list[str] = []
    moment, stepped = 0, 0
    while True:
        news = matching.proceed(stepped)
        said += news
        last = news[-1]
        assert isinstance(last, Stepped)
        stepped = last.ts_ns
        if last.is_last:
            return said
        mark = int(matching._a[f.symbol_at(0) + f.S_MARK2]) // 2
        if moment < len(plan.orders):
            if plan.cancels[moment]:
                for name in names:
                    if name in matching.orders.working and matching.orders.by_id[name].left:
                        said += matching.cancel(name)
            for k, (lots, away, kind, tif) in enumerate(plan.orders[moment]):
                price = (mark + away) * over / under if kind == "limit" else None
                name = f"o{moment}-{k}"
                said += matching.submit(NewOrder(name, matching.symbols[0], lots, kind, tif, price))  # type: ignore[arg-type]
                names.append(name)
        moment += 1


@pytest.mark.parametrize("stream", [level_one(20_000), level_two(20_000)], ids=["quotes", "depth"])
def test_it_is_the_backtest(stream: Stream) -> None:
    """Invariants 1 and 2."""
    plan = Plan(7, 400)
    expected = replay_python(stream, Timed(plan, stream), DELAYS)
    matching = EventMatching(stream, DELAYS, STEP)
    said = drive(matching, plan)
    fills = expected.fills()
    got = [(n.ts_ns, n.lots, n.price, n.value_micros, n.fee_micros) for n in said if isinstance(n, Filled)]
    paid = fills["commission_micros"] + fills["spread_micros"] + fills["impact_micros"]
    times = fills["event_time"].cast(int)
    assert got == list(zip(times, fills["lots"], fills["price"], fills["notional_micros"], paid, strict=True))
    assert len(got) > 50 and len({n.client_id for n in said if isinstance(n, Cancelled)}) > 10
    report = matching.report()
    assert report.cash_micros == int(expected.machine[f.H_CASH])
    assert report.cash_micros == round(DELAYS.capital_usd * 1e6) - sum(value + fee for *_, value, fee in got)
    assert report.positions == {s: n for s, n in {matching.symbols[0]: sum(x[1] for x in got)}.items() if n}
    taken = {n.client_id for n in said if isinstance(n, Acknowledged)}
    assert taken == set(matching.orders.by_id) and len(taken) > 200
    assert all(o.ended is None or o.left == 0 for o in matching.orders.by_id.values())
    assert np.array_equal(matching._a[f.symbol_at(0) + f.S_LOTS], expected.machine[f.symbol_at(0) + f.S_LOTS])


def test_moments_and_refusals() -> None:
    """Invariant 3."""
    matching = EventMatching(level_one(500), ExchangeSettings(), STEP)
    name = matching.symbols[0]
    assert matching.standing() == [] and isinstance(matching.cancel("x")[0], CancelRefused)
    first = matching.proceed(0)[-1]
    assert isinstance(first, Stepped) and matching.proceed(0) == matching.standing()
    for order in (
        NewOrder("a", "NONE", 1),
        NewOrder("b", name, 1, "limit", "day", 1.000001),
        NewOrder("c", name, 1, "limit", "day", None),
        NewOrder("d", name, 1, "stop", "day", 1.0),
        NewOrder("e", name, 0),
    ):
        (news,) = matching.submit(order)
        assert isinstance(news, RefusedByVenue) and news.reason
    matching.submit(NewOrder("far", name, 1, "limit", "gtc", 1.0))
    assert matching.cancel_all() == []
    said: list[VenueNews] = []
    stepped = first
    while not stepped.is_last:
        said += matching.proceed(stepped.ts_ns)
        stepped = matching.standing()[-1]  # type: ignore[assignment]  # the moment
    assert [n.client_id for n in said if isinstance(n, Cancelled)] == ["far"]
    assert isinstance(matching.submit(NewOrder("late", name, 1))[0], RefusedByVenue)
    with pytest.raises(ValueError, match="step_ns"):
        EventMatching(level_one(10), ExchangeSettings(), 0)
