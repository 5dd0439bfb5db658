"""The simulated exchange on bars is the backtest.

1. Sent the backtest's orders, it has the backtest's fills, cash, positions and NAV at every bar, to the bit; with
   resting remainders, caps, borrow, funding, splits, dividends, delistings, leaning orders and missing prices.
2. What it says is enough to keep the account: cash and lots follow from the news alone.
3. Several orders in a symbol fill one after the other and share the bar's volume; the money of all is in the account.
4. Limit orders fill at the bar's price or at their limit, never worse, and last as long as their time in force.
5. A moment is gone on from once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modules.engine.accounting import FILLS, PENDING, FillLog
from modules.engine.bars import Run, prepare, target_rows
from modules.engine.limits import RiskLimits
from modules.engine.loop import advance
from modules.engine.settings import Costs, Liquidity
from modules.live.messages import Acknowledged, Expired, Filled, Marked, Moved, RefusedByVenue, Restated, Stepped
from modules.live.venues.sim.bars import BarMatching
from modules.live.venues.sim.protocol import NewOrder
from modules.panel import Panel
from tests.modules.engine.cases import instruments, panel, weights_of

ROWS, SYMBOLS = 160, 6


def market(seed: int, *, actions: bool = False) -> Panel:
    """Random bars with holes, zero volumes and, if wanted, corporate actions."""
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (ROWS, SYMBOLS)), axis=0))
    opening = close * np.exp(rng.normal(0.0, 0.005, close.shape))
    volume = np.rint(rng.uniform(2_000.0, 60_000.0, close.shape))
    hole = rng.random(close.shape) < 0.04
    hole[:3] = False
    volume[rng.random(close.shape) < 0.03] = 0.0
    fields: dict[str, object] = {"open": opening, "volume": volume}
    if actions:
        split, dividend, delisting = np.ones(close.shape), np.zeros(close.shape), np.full(close.shape, np.nan)
        split[60, 1], split[90, 2], dividend[40:150:30, 0], delisting[120, 3] = 2.0, 1.0 / 3.0, 0.8, -0.5
        hole[60, 1] = hole[90, 2] = hole[120, 3] = False
        ratio = np.cumprod(split, axis=0)
        hole[121:, 3] = True
        raw, raw_open = close / ratio, opening / ratio
        fields |= {"split": split, "dividend": dividend, "delisting": delisting}
        fields |= {"raw_close": np.where(hole, np.nan, raw), "raw_open": np.where(hole, np.nan, raw_open)}
    return panel(np.where(hole, np.nan, close), **fields)  # type: ignore[arg-type]  # fields by name


def prepared(bars: Panel, **changes: object) -> Run:
    table = instruments(bars.symbols, sectors=dict.fromkeys(bars.symbols[:4], "one"))
    terms: dict[str, object] = {
        "capital_usd": 200_000.0,
        "costs": Costs(borrow_bps_year=300.0, funding_bps_year=100.0, commission_minimum_usd=0.35),
        "limits": RiskLimits(max_sector_nav=0.1),
        "start_ns": int(bars.ts[20]),
    }
    return prepare(bars, table, **(terms | changes))  # type: ignore[arg-type]


def targets(bars: Panel, seed: int) -> Panel:
    """Weights that jump, so that orders lean on others and are cut."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.0, 0.05, (ROWS - 20, SYMBOLS))
    rows[rng.random(rows.shape) < 0.3] = 0.0
    return weights_of(bars, np.repeat(rows[::2], 2, axis=0)[: rows.shape[0]])


class Sender:
    """Sends what the backtest has pending after each bar, in the order of its decision."""

    def __init__(self, matching: BarMatching) -> None:
        self.matching = matching
        self.sent: dict[int, str] = {}

    def send(self, reference: Run) -> None:
        book = reference.book
        waiting = {int(book.pending_id[i]): i for i in np.flatnonzero(book.pending)}
        for number in [n for n in self.sent if n not in waiting]:
            if self.sent.pop(number) in self.matching.orders.working:
                self.matching.cancel(f"o{number}")
        for number, i in sorted(waiting.items()):
            if number in self.sent:
                order = self.matching.orders.working[f"o{number}"]
                assert order.left == book.pending[i]
                continue
            self.sent[number] = f"o{number}"
            symbol = reference.bars.symbols[i]
            news = self.matching.submit(NewOrder(f"o{number}", symbol, int(book.pending[i])))
            assert isinstance(news[0], Acknowledged)


CASES: dict[str, dict[str, object]] = {
    "plain": {},
    "capped": {"liquidity": Liquidity(participation=0.002)},
    "resting": {"liquidity": Liquidity(participation=0.002, remainder="stays")},
    "capped by the average": {"liquidity": Liquidity(participation=0.001, participation_of="average")},
    "without opens": {"fill_without_open": "previous_close"},
}


@pytest.mark.parametrize("actions", [False, True], ids=["", "actions"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_backtest(case: str, actions: bool) -> None:
    """Invariants 1 and 2."""
    bars = market(3, actions=actions)
    if case == "without opens":
        bars = Panel(bars.ts, bars.symbols, {k: v for k, v in bars.fields.items() if "open" not in k})
    reference, matching = prepared(bars, **CASES[case]), BarMatching(prepared(bars, **CASES[case]))
    rows, sender = target_rows(bars, targets(bars, 5), reference.start), Sender(matching)
    cash, lots, fills, leaned = int(200_000e6), dict.fromkeys(bars.symbols, 0), 0, 0
    moment = 0
    for t in range(reference.start, ROWS):
        said = matching.proceed(moment)
        r, run = t - reference.start, reference
        advance(run.market, rows, run.terms, run.book, run.log, run.orders, run.fills, run.acts, t, t + 1, run.start)
        leaned += int(run.book.pending_leans[run.book.pending != 0].sum()) if run.book.totals[PENDING] else 0
        expected = _rows(run.fills, fills, int(run.book.totals[FILLS]))
        fills += len(expected)
        got = [(n.symbol, n.lots, n.price, n.value_micros, n.fee_micros) for n in said if isinstance(n, Filled)]
        assert got == [(bars.symbols[i], *rest) for i, *rest in expected]
        for news in said:
            if isinstance(news, Filled):
                cash -= news.value_micros + news.fee_micros
                lots[news.symbol] += news.lots
            elif isinstance(news, Moved):
                cash += news.micros
            elif isinstance(news, Restated):
                lots[news.symbol] = news.lots
        report = matching.report()
        assert cash == report.cash_micros == run.log.cash[r]
        assert [report.positions.get(s, 0) for s in bars.symbols] == run.log.lots[r].tolist() == list(lots.values())
        assert matching.nav_micros == run.log.nav[r]
        moment = int(bars.ts[t])
        assert said[-1] == Stepped("sim", moment, t == ROWS - 1)
        sender.send(run)
    assert fills > 50 and leaned > 5
    assert np.array_equal(matching._book.lots, reference.book.lots)


def _rows(log: FillLog, first: int, stop: int) -> list[tuple[int, int, float, int, int]]:
    fees = log.commission + log.spread + log.impact
    return [
        (int(log.symbol[k]), int(log.lots[k]), float(log.price[k]), int(log.notional[k]), int(fees[k]))
        for k in range(first, stop)
    ]


def quiet(**changes: object) -> BarMatching:
    """Four days of one symbol at 100, 101, 99, 102."""
    bars = panel(
        [[100.0], [101.0], [99.0], [102.0]],
        open=[[100.0], [100.5], [100.0], [101.5]],
        low=[[99.0], [100.0], [98.0], [101.0]],
        high=[[101.0], [102.0], [100.5], [103.0]],
        volume=[[1000.0]] * 4,
    )
    terms = {"costs": Costs.none(), "start_ns": int(bars.ts[0]), "limits": RiskLimits()} | changes
    return BarMatching(prepare(bars, instruments(bars.symbols), capital_usd=1e6, **terms))  # type: ignore[arg-type]


def test_orders_in_one_symbol_fill_one_after_the_other() -> None:
    """Invariant 3."""
    m = quiet(liquidity=Liquidity(participation=0.1))
    ts = m.run.bars.ts
    m.proceed(0)
    for name, lots in (("a", 60), ("b", 70), ("c", -10)):
        m.submit(NewOrder(name, "A", lots))
    said = m.proceed(int(ts[0]))
    assert [(n.client_id, n.lots) for n in said if isinstance(n, Filled)] == [("a", 60), ("b", 40)]
    assert [n.client_id for n in said if isinstance(n, Expired)] == ["b", "c"]
    assert m.report().positions == {"A": 100}
    assert m.report().cash_micros == 10**12 - 100 * 100_500_000


def test_the_limit_of_one_order_is_not_the_price_of_another() -> None:
    """Invariants 3 and 4: one at its limit, one not at all, then one at the bar's price."""
    m = quiet()
    ts = m.run.bars.ts
    m.proceed(0)
    m.proceed(int(ts[0]))
    m.submit(NewOrder("at its limit", "A", 5, "limit", "day", 99.5))
    m.submit(NewOrder("too far", "A", 5, "limit", "day", 90.0))
    m.submit(NewOrder("whatever", "A", 5))
    said = m.proceed(int(ts[1]))
    got = [(n.client_id, n.price) for n in said if isinstance(n, Filled)]
    assert got == [("at its limit", 99.5), ("whatever", 100.0)]


@pytest.mark.parametrize(
    ("lots", "limit", "tif", "fills"),
    [
        (10, 101.0, "day", {1: 100.5}),  # no worse than the limit at the bar's price
        (10, 99.5, "day", {}),  # the day goes by above it
        (10, 99.5, "gtc", {2: 99.5}),  # the second day trades through it
        (10, 98.0, "gtc", {}),  # touched, not traded through
        (10, 99.5, "ioc", {}),
        (-10, 100.0, "day", {1: 100.5}),
        (-10, 102.5, "gtc", {3: 102.5}),
        (-10, 102.0, "day", {}),
    ],
)
def test_limit_orders(lots: int, limit: float, tif: str, fills: dict[int, float]) -> None:
    """Invariant 4."""
    m = quiet()
    ts = m.run.bars.ts
    m.proceed(0)
    m.submit(NewOrder("a", "A", lots, "limit", tif, limit))  # type: ignore[arg-type]
    got = {
        t: n.price
        for t in range(1, 4)
        for n in m.proceed(int(ts[t - 1]))
        if isinstance(n, Filled) and n.lots == lots and n.value_micros == round(lots * n.price * 1e6)
    }
    assert got == fills
    ended = m.orders.by_id["a"].ended if "a" in m.orders.by_id else "forgotten"
    assert ended in (("filled", "forgotten") if fills else ("expired", "forgotten", None))
    assert (ended is None) == (tif == "gtc" and not fills)


def test_what_is_refused() -> None:
    m = quiet()
    for order in (
        NewOrder("a", "NONE", 1),
        NewOrder("b", "A", 0),
        NewOrder("c", "A", 2**53),
        NewOrder("d", "A", 1, "stop", "day", 1.0),
        NewOrder("e", "A", 1, "limit", "day"),
        NewOrder("f", "A", 1, "limit", "day", float("inf")),
        NewOrder("g", "A", 1, "limit", "fok", 1.0),
    ):
        (news,) = m.submit(order)
        assert isinstance(news, RefusedByVenue) and news.client_id == order.client_id and news.reason
    assert not m.orders.working


def test_a_client_id_makes_one_order() -> None:
    m = quiet()
    ts = m.run.bars.ts
    m.proceed(0)
    first = m.submit(NewOrder("a", "A", 5))
    assert m.submit(NewOrder("a", "A", 7)) == first
    m.proceed(int(ts[0]))
    assert m.report().positions == {"A": 5}
    assert m.submit(NewOrder("a", "A", 7))[0] == replace_ts(first[0], int(ts[1]))
    m.proceed(int(ts[1]))
    assert m.report().positions == {"A": 5}


def replace_ts(news: object, ts_ns: int) -> object:
    assert isinstance(news, Acknowledged)
    return Acknowledged(news.client_id, news.venue_id, ts_ns)


def test_a_moment_is_gone_on_from_once() -> None:
    """Invariant 5."""
    m = quiet()
    ts = [int(x) for x in m.run.bars.ts]
    assert m.standing() == []
    m.proceed(0)
    assert m.standing() == [Marked("A", 100.0, ts[0]), Stepped("sim", ts[0], False)]
    assert m.proceed(0) == m.standing() == m.proceed(ts[1])
    assert m.proceed(ts[0])[-1] == Stepped("sim", ts[1], False)
    assert m.proceed(ts[0]) == m.standing() == [Marked("A", 101.0, ts[1]), Stepped("sim", ts[1], False)]
    assert m.proceed(ts[1]) and m.proceed(ts[2])[-1] == Stepped("sim", ts[3], True)
    assert m.proceed(ts[3]) == m.standing()
    assert isinstance(m.submit(NewOrder("late", "A", 1))[0], Acknowledged)
    assert m.proceed(ts[3]) == m.standing() and m.report().positions == {}


def test_what_ended_days_ago_is_forgotten() -> None:
    rows = 8
    bars = panel([[100.0]] * rows)
    run = prepare(
        bars, instruments(bars.symbols), capital_usd=1e6, costs=Costs.none(), limits=RiskLimits(), start_ns=0,
    )  # fmt: skip
    m = BarMatching(run)
    m.proceed(0)
    m.submit(NewOrder("a", "A", 1))
    m.submit(NewOrder("b", "A", 1, "limit", "gtc", 1.0))
    held = []
    for t in range(1, rows):
        m.proceed(int(bars.ts[t - 1]))
        held.append("a" in m.orders.by_id)
        assert "b" in m.orders.by_id
    assert held[:3] == [True] * 3 and not held[-1]


def test_after_warming_up_nothing_is_compiled() -> None:
    """Whatever the bars are like: an exchange that compiles does not answer."""
    from modules.engine.accounting import micros
    from modules.engine.actions import act, restated
    from modules.engine.filling import fill
    from modules.engine.marking import borrow, fund, mark_positions
    from modules.live.venues.sim.warming import warm

    kernels: tuple[Any, ...] = (act, borrow, fill, fund, mark_positions, micros, restated)
    warm()
    before = [len(k.signatures) for k in kernels]
    assert min(before) > 0
    for actions in (False, True):
        bars = market(3, actions=actions)
        matching = BarMatching(prepared(bars))
        moment = 0
        for t in range(20, ROWS):
            matching.proceed(moment)
            moment = int(bars.ts[t])
            for symbol in bars.symbols:
                matching.submit(NewOrder(f"{t}{symbol}", symbol, (-1) ** t * 20))
    assert [len(k.signatures) for k in kernels] == before
