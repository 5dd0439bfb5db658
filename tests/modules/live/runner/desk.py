"""A desk without process, socket and journal in front of the backtest's matching: what the runner sees of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from modules.engine.accounting import CASH
from modules.engine.bars import prepare
from modules.live.messages import Expired, Filled, Marked, OpenAtVenue, Report, Stepped, VenueNews
from modules.live.orders.order import Ticket
from modules.live.runner.account import Account
from modules.live.runner.core import Runner
from modules.live.runner.live import Live
from modules.live.runner.ports import RecordedBars
from modules.live.runner.programmes import stages_in_force, trading_of
from modules.live.runner.replay import Replayed
from modules.live.runner.taped import Began, Outcome
from tests.modules.live.runner.market import Market, backtest, programme
from tests.modules.live.runner.matching import Matching


@dataclass
class PlainDesk:
    """Sends everything, each ticket once; `refuses`: the number of the ticket that the risk core turns down."""

    matching: Matching
    refuses: int = -1
    sent: dict[str, Ticket] = field(default_factory=dict)
    asked: int = 0
    waiting: list[VenueNews] = field(default_factory=list)
    fills: list[Filled] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    at_ns: int = 0

    def submit(self, ticket: Ticket) -> Outcome:
        if ticket.client_id in self.sent:
            assert self.sent[ticket.client_id] == ticket
            return Outcome(ticket.client_id, "sent", ticket.lots)
        self.asked += 1
        if self.asked == self.refuses:
            return Outcome(ticket.client_id, "refused", 0, words="as asked")
        self.sent[ticket.client_id] = ticket
        self.matching.order(ticket)
        return Outcome(ticket.client_id, "sent", ticket.lots)

    def cancel(self, client_id: str) -> None:
        raise AssertionError(f"{client_id}: orders of a bar end with the next one")

    def poll(self, timeout_s: float) -> list[VenueNews]:
        news, self.waiting = self.waiting, []
        return news

    cancel_only: str | None = None

    def agree(self) -> str | None:
        return self.cancel_only

    def report(self) -> Report:
        book, fills = self.matching.run.book, self.fills
        orders = tuple(
            OpenAtVenue(
                i,
                t.symbol,
                t.lots,
                tuple(f for f in fills if f.client_id == i),
                ended=self.ended.get(i),  # type: ignore[arg-type]
            )
            for i, t in self.sent.items()
        )
        held = dict(zip(self.matching.run.bars.symbols, book.lots.tolist(), strict=True))
        return Report("sim", orders, held, int(book.totals[CASH]), True, self.at_ns)

    def go_on(self) -> None:
        """The next bar, and what became of the orders."""
        self.at_ns, news = self.matching.bar()
        self.waiting += news
        self.fills += [n for n in news if isinstance(n, Filled)]
        self.ended |= {n.client_id: "filled" for n in news if isinstance(n, Filled)}
        self.ended |= {n.client_id: "expired" for n in news if isinstance(n, Expired)}

    def proceed(self, ts_ns: int) -> None:
        if ts_ns >= self.at_ns and self.matching.t < self.matching.run.bars.ts.size:
            self.go_on()
        run = self.matching.run
        row = self.matching.t - 1
        for symbol, price in zip(run.bars.symbols, run.market.close[row], strict=True):
            if price > 0.0:
                self.waiting.append(Marked(symbol, float(price), self.at_ns))
        self.waiting.append(Stepped("sim", self.at_ns, self.matching.t == run.bars.ts.size))


def plain_desk(found: Market, start_ns: int, refuses: int = -1) -> PlainDesk:
    """The desk of a market that begins at a bar."""
    asked = programme(start_ns)
    bars, _ = backtest(found, asked)
    settings = trading_of(asked)
    run = prepare(
        bars, found.instruments, capital_usd=settings.capital_usd, costs=settings.costs, limits=settings.limits,
        start_ns=start_ns, fill_without_open=settings.fill_without_open, liquidity=settings.liquidity,
    )  # fmt: skip
    return PlainDesk(Matching(run), refuses)


def live(found: Market, start_ns: int, desk: PlainDesk, folder: Path, resumed: Replayed | None = None) -> Live:
    """A runner at a desk, anew or from where the last one ended."""
    asked = programme(start_ns)
    settings = trading_of(asked)
    symbols = desk.matching.run.bars.symbols
    if resumed is None:
        account = Account(
            symbols, settings, cash_micros=round(settings.capital_usd * 1e6), strategy="reversal", venue="sim", name="t"
        )
        runner = Runner(asked, account, found.instruments, found.upto(start_ns))
    else:
        runner = resumed.runner
    known = runner.all_records().select(pl.col("event_time").to_physical().max()).item()

    def began(runner: Runner) -> Began:
        return Began(
            "t", "paper", "sim", "reversal", "b", symbols, None, start_ns, 0, stages_in_force(asked),
            runner.account.state(),
        )  # fmt: skip

    return Live(runner, desk, RecordedBars(found.records, known), folder, began, resumed=resumed)
