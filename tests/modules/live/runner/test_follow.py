"""By a market that is live: bars come from feeds, the venue says no moment; the decisions are the backtest's.

1. Bars of a feed, told one by one, give every decision, NAV and cash of the backtest, and are on the tape.
2. Where the feed stalls nothing is opened, and what reduces goes out.
3. The same from the bar on at which a demotion was proposed, whichever clock, with its words.
4. An order decided before the end of the last process is not sent by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from modules.engine.exchange.events import Instrument
from modules.live.feeds.bars import BarBuilder, BarShape
from modules.live.feeds.market import Market as Books
from modules.live.feeds.news import Bar, FeedNews, Trade
from modules.live.feeds.recorded import RecordedFeed, bars_of
from modules.live.feeds.station import Station
from modules.live.orders.order import Ticket
from modules.live.runner.live import Live
from modules.live.runner.replay import replay
from modules.live.runner.resume import resume, tapes
from modules.live.runner.tape import read_messages
from modules.live.runner.taped import Decided, Outcome
from modules.live.runner.ticks import replay_ticks
from tests.modules.live.runner.desk import PlainDesk, live, plain_desk
from tests.modules.live.runner.market import Market, market
from tests.modules.live.runner.test_equal import assert_equal
from tests.modules.live.runner.test_tape import as_closed

pytestmark = pytest.mark.slow


@dataclass
class Paced:
    """A station whose bars are said one a poll, the exchange's news of a bar before it. `shut`: from this bar on its
    feed stalls."""

    station: Station
    desk: PlainDesk
    shut: int = 10**9
    waiting: list[int] = field(default_factory=list)
    said: int = 0

    def poll(self, timeout_s: float) -> list[int]:
        if not self.waiting:
            self.waiting = self.station.poll(0.0)
        if not self.waiting:
            return []
        self.said += 1
        self.desk.go_on()
        return [self.waiting.pop(0)]

    def closed(self, ts_ns: int) -> tuple[pl.DataFrame, int]:
        return self.station.closed(ts_ns)

    def may_open(self, ticket: Ticket, held: int) -> str | None:
        if self.said < self.shut or (ticket.lots * held < 0 and abs(ticket.lots) <= abs(held)):
            return None
        return "the feed has said nothing"


def told(found: Market, start_ns: int) -> Iterator[FeedNews]:
    """Bars from the start on, and before each a trade, which the bars do not need."""
    for bar in bars_of(found.records.filter(pl.col("event_time").to_physical() >= start_ns)):
        if bar.symbol == "AAA.XNAS":
            yield Trade(bar.symbol, "v", bar.open, 1.0, None, str(bar.ts_ns), bar.ts_ns - 30 * 10**9, bar.known_ns)
        yield bar


def followed(
    found: Market, start_ns: int, folder: Path, shut: int = 10**9, bars: int = 10**9
) -> tuple[Live, PlainDesk]:
    desk = plain_desk(found, start_ns)
    session = live(found, start_ns, desk, folder)
    traded = [Instrument(s, 0.01, 1.0) for s in desk.matching.run.bars.symbols]
    feed = RecordedFeed("recorded", told(found, start_ns))
    station = Station(
        [feed], Books(traded), BarBuilder(BarShape(interval_s=86_400, grace_ms=0)), found.records,
        heard=session.feed_heard,
    )  # fmt: skip
    station.open()
    session.bars = station
    paced = Paced(station, desk, shut)
    last = len(desk.matching.run.bars.ts) - desk.matching.run.start
    session.follow(paced, lambda: paced.said >= min(last, bars))
    session.close("over")
    return session, desk


def decided(folder: Path) -> list[Decided]:
    return [m for p in tapes(folder) for m in read_messages(p) if isinstance(m, Decided)]


def test_bars_of_a_feed_give_the_backtest(tmp_path: Path) -> None:
    found = market(minutes=12)
    start_ns = found.labels(0)[6]
    followed(found, start_ns, tmp_path)
    assert_equal(found, [as_closed(d) for d in decided(tmp_path)], start_ns)
    said = [m for p in tapes(tmp_path) for m in read_messages(p)]
    assert sum(isinstance(m, Bar) for m in said) > 50
    for path in tapes(tmp_path):
        assert replay(path).differences == []
        assert replay_ticks(path, 5).difference is None
    assert sum(replay_ticks(path, 5).events for path in tapes(tmp_path)) > 10


def test_a_feed_that_stalls_opens_nothing_and_lets_go(tmp_path: Path) -> None:
    found = market(days=1, minutes=14)
    start_ns = found.labels(0)[6]
    session, desk = followed(found, start_ns, tmp_path, shut=4)
    outcomes = [m for p in tapes(tmp_path) for m in read_messages(p) if isinstance(m, Outcome)]
    held = [o for o in outcomes if o.status == "held"]
    assert held and all("said nothing" in o.words for o in held)
    assert not any(o.client_id in desk.sent for o in held)
    fourth = found.labels(0)[6 + 3]
    late = [f for f in desk.fills if f.ts_ns > fourth]
    assert late  # what reduced went out
    assert replay(tapes(tmp_path)[0]).differences == []
    assert session.runner.account.positions == {
        s: int(n) for s, n in zip(desk.matching.run.bars.symbols, desk.matching.run.book.lots, strict=True) if n
    }


@pytest.mark.parametrize("at_bar", [0, 3])
def test_a_demotion_opens_nothing_and_lets_go(tmp_path: Path, at_bar: int) -> None:
    found = market(days=1, minutes=14)
    start_ns = found.labels(0)[6]
    desk = plain_desk(found, start_ns)
    session = live(found, start_ns, desk, tmp_path)
    bars: list[int] = []
    session.shown = lambda made: bars.append(made.ts_ns)
    session.opens_nothing = lambda: "DRIFTED: s1 drifted" if len(bars) >= at_bar else None
    session.run()
    held, last = {}, start_ns
    for day in tapes(tmp_path):
        for m in read_messages(day):
            if isinstance(m, Outcome) and m.status == "held":
                assert m.words == "DRIFTED: s1 drifted" and m.client_id not in desk.sent
                held[m.client_id] = last
            last = m.ts_ns if isinstance(m, Decided) else last
        assert replay(day).differences == []
    assert held and min(held.values()) == bars[at_bar]
    late = [f for f in desk.fills if at_bar and f.ts_ns > bars[at_bar]]
    assert bool(late) is bool(at_bar)  # what reduced went out, where something was held
    assert bool(session.runner.account.positions) <= bool(at_bar)


def test_an_order_of_before_is_not_sent(tmp_path: Path) -> None:
    found = market(days=1, minutes=12)
    start_ns = found.labels(0)[6]
    followed(found, start_ns, tmp_path, bars=2)
    path = tapes(tmp_path)[0]
    whole = path.read_bytes()
    for cut in range(len(whole) - 1, 0, -40):  # back to before the last outcome
        path.write_bytes(whole[:cut])
        if not isinstance(list(read_messages(path))[-1], Outcome):
            made = resume(tmp_path, "reversal")
            if made is not None and made.unsent:
                break
    assert made is not None and made.unsent
    unsent = set(made.unsent)
    desk = plain_desk(found, start_ns)
    session = live(found, start_ns, desk, tmp_path, made)
    session.follow(Paced(None, desk, 0), lambda: True)  # type: ignore[arg-type]  # nothing is polled
    assert desk.sent == {}
    session.close("over")
    last = [m for m in read_messages(path) if isinstance(m, Outcome)][-len(unsent) :]
    assert {o.client_id for o in last} == unsent and all(o.status == "held" for o in last)
