"""A day decided bar by bar as it closes is the backtest, bit for bit.

1. Every order that was asked for, what was allowed of it, and the rule that spoke are those of the backtest.
2. NAV and cash at each bar's close are those of the backtest, to the micro.
3. Whoever looks at later bars, or hears of fills twice, would break 1 or 2: the test that does so fails.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modules.engine.bars import prepare
from modules.engine.risk import Decision
from modules.live.messages import Busted, Corrected, Filled
from modules.live.risk.rules import Rule
from modules.live.runner import core
from modules.live.runner.account import Account, BarClosed
from modules.live.runner.core import Runner, decided_at
from modules.live.runner.decide import DecideError, decide
from modules.live.runner.taped import Outcome
from modules.signal import parse
from tests.modules.live.runner.market import Market, backtest, market, programme, trading
from tests.modules.live.runner.matching import Matching


def play(
    found: Market, start_ns: int, *, again: bool = False, restart: bool = False, loss: float = 0.05
) -> tuple[list[BarClosed], Runner]:
    """The runner beside the backtest's own matching; `again`: each fill is told twice; `restart`: anew each bar."""
    asked = programme(start_ns, loss=loss)
    bars, _ = backtest(found, asked)
    settings = trading(asked)
    run = prepare(
        bars, found.instruments, capital_usd=settings.capital_usd, costs=settings.costs, limits=settings.limits,
        start_ns=start_ns, fill_without_open=settings.fill_without_open, liquidity=settings.liquidity,
    )  # fmt: skip

    def account() -> Account:
        return Account(
            bars.symbols,
            settings,
            cash_micros=round(settings.capital_usd * 1e6),
            strategy="reversal",
            venue="sim",
            name="t",
        )

    venue, runner = Matching(run), Runner(asked, account(), found.instruments, found.upto(start_ns))
    closed = []
    for _ in range(run.start, bars.ts.size):
        ts_ns, news = venue.bar()
        for item in [n for n in news for _ in range(1 + (again and isinstance(n, Filled)))]:
            runner.hear(item)
        if restart:
            fresh = account()
            fresh.restore(runner.account.state())
            runner.account = fresh
        rows = found.of(ts_ns)
        runner.known(rows)
        made = runner.bar(ts_ns, int(rows["available_at"].to_physical().max()))  # type: ignore[arg-type]
        closed.append(made)
        for ticket in made.tickets:
            venue.order(ticket)
    return closed, runner


def assert_equal(found: Market, closed: list[BarClosed], start_ns: int, loss: float = 0.05) -> None:
    bars, simulated = backtest(found, programme(start_ns, loss=loss))
    log = simulated.orders
    wanted = [
        (
            int(bars.ts[log.row[k]]), bars.symbols[log.symbol[k]], int(log.asked[k]), int(log.allowed[k]),
            int(log.decision[k]), int(log.rule[k]), None if np.isnan(log.limit[k]) else float(log.limit[k]),
            None if np.isnan(log.value[k]) else float(log.value[k]),
        )
        for k in range(log.row.size)
    ]  # fmt: skip
    decided = [
        (c.ts_ns, d.symbol, d.asked, d.allowed, d.decision, d.rule, d.limit, d.value)
        for c in closed
        for d in c.decisions
    ]
    assert len(wanted) > 20
    assert decided == wanted
    assert [c.nav_micros for c in closed] == simulated.bars.nav.tolist()
    assert [c.cash_micros for c in closed] == simulated.bars.cash.tolist()
    assert simulated.unfilled > 0
    assert len(set(simulated.bars.nav.tolist())) > 5


def test_live_decisions_are_the_backtests_though_fills_are_told_twice_and_the_account_is_made_anew() -> None:
    found = market(minutes=12)
    start_ns = found.labels(0)[6]
    closed, _ = play(found, start_ns, again=True, restart=True)
    assert_equal(found, closed, start_ns)


def test_a_days_loss_closes_the_account_until_the_day_ends_as_in_the_backtest() -> None:
    found, loss = market(minutes=12), 0.0001
    start_ns = found.labels(0)[6]
    closed, _ = play(found, start_ns, loss=loss)
    assert_equal(found, closed, start_ns, loss)
    shut = [c.ts_ns for c in closed if any(d.decision == Decision.FLATTEN for d in c.decisions)]
    opened = [c.ts_ns for c in closed if any(d.decision == Decision.APPROVE for d in c.decisions)]
    assert shut
    assert max(opened) > min(shut)  # the next day


def test_what_a_venue_takes_back_or_corrects_is_as_if_it_had_been_said_so_at_once() -> None:
    asked = programme(0)

    def account() -> Account:
        return Account(("A", "B"), trading(asked), cash_micros=10**12, strategy="reversal", venue="sim", name="t")

    fill = Filled("c", "e", "A", 100, 10.0, 1_000_000_000, 5_000, 1)
    changed = Corrected("c", "e", "A", 90, 10.1, 909_000_000, 4_000, 2)
    plain, turned, voided, early = account(), account(), account(), account()
    plain.hear(dataclasses_like(changed))
    turned.hear(fill)
    turned.hear(changed)
    assert turned.state() == plain.state()
    voided.hear(fill)
    voided.hear(Busted("c", "e", 3))
    early.hear(Busted("c", "e", 0))
    early.hear(fill)
    assert voided.state() == account().state()
    assert (early.positions, early.cash_micros) == ({}, 10**12)


def dataclasses_like(corrected: Corrected) -> Filled:
    """The fill that a corrected one is."""
    c = corrected
    return Filled(c.client_id, c.exec_id, c.symbol, c.lots, c.price, c.value_micros, c.fee_micros, c.ts_ns)


def test_nothing_is_decided_on_a_bar_that_is_not_there() -> None:
    found = market(days=1, minutes=9)
    _, runner = play(found, found.labels(0)[6])
    with pytest.raises(DecideError, match="the last one known"):
        runner.bar(found.known_ns + 1, found.known_ns)


def test_nothing_is_ordered_where_the_signal_cannot_be_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = market(days=1, minutes=9)
    _, runner = play(found, found.labels(0)[6])

    def fails(*_: object) -> None:
        parse("rank(")

    monkeypatch.setattr(core, "decide", fails)
    decided, made = decided_at(runner, found.known_ns, found.known_ns)
    assert made is None and decided.failed is not None and not decided.tickets


REFUSALS = [
    (Outcome("c", "held", 0, words="the venue does not answer"), "the venue does not answer"),
    (Outcome("c", "refused", 0, int(Rule.ORDER_LOTS), 1e6, 2_500_000.0), "ORDER_LOTS, limit 1e+06, value 2.5e+06"),
    (Outcome("c", "refused", 0, int(Rule.DUPLICATE)), "DUPLICATE"),
    (Outcome("c", "sent", 5), ""),
]


@pytest.mark.parametrize(("outcome", "why"), REFUSALS)
def test_why_nothing_went_out(outcome: Outcome, why: str) -> None:
    assert outcome.why == why


def test_targets_know_nothing_of_later_bars() -> None:
    found = market()
    label = found.labels(1)[3]
    whole, asked = programme(found.labels(0)[6]), programme(found.labels(0)[6])
    early = decide(asked, found.upto(label + 1), found.instruments, label)
    late = decide(whole, found.records, found.instruments, label)
    assert early.ts_ns == late.ts_ns == label
    assert early.weights.tolist() == late.weights.tolist()
    assert np.abs(early.weights).sum() > 0.0


def test_a_programme_without_what_its_modules_ask_for_says_so() -> None:
    found = market()
    asked = programme(found.labels(0)[6])
    modules = {**asked.modules}
    modules["feature"] = modules["size"]
    with pytest.raises(DecideError, match="asks for signal"):
        decide(dataclasses.replace(asked, modules=modules), found.records, found.instruments, found.known_ns)
