"""Paper: the conformance suite over a feed that shows what the test wants filled, and what fills as a table."""

from __future__ import annotations

import itertools
import os
import select
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.engine.settings import Costs
from modules.live.feeds.gates import GateLimits
from modules.live.feeds.news import Bar, Depth, FeedNews, Link, Quote, Trade
from modules.live.feeds.recorded import RecordedFeed
from modules.live.journal.file import read_journal
from modules.live.messages import Acknowledged, Expired, Filled, Lost, Marked, Moved, RefusedByVenue, Stepped, VenueNews
from modules.live.risk.core import Instrument
from modules.live.venues.paper.matching import PaperMatching
from modules.live.venues.paper.venue import PaperVenue
from modules.live.venues.port import VenueError
from modules.live.venues.sim.protocol import NewOrder
from tests.modules.live.venues.conformance import Heard, PeerOrder, VenueConformance, VenueUnderTest, ask

DAY = 86_400_000_000_000
T0 = 1_700_000_000_000_000_000 // DAY * DAY
WIDE = GateLimits(max_jump=0.99, max_spread=0.5)
A, B = "AAA.TEST", "BBB.TEST"


class Shows:
    """A feed that says what it is given."""

    name = "test"
    ended = False

    def __init__(self) -> None:
        self.news: deque[FeedNews] = deque([Link("test", True, "", T0)])
        self._pipe = os.pipe()
        self._is_open = True

    def open(self) -> None:
        os.write(self._pipe[1], b"x")

    def say(self, one: FeedNews) -> None:
        self.news.append(one)
        os.write(self._pipe[1], b"x")

    def poll(self, timeout_s: float) -> list[FeedNews]:
        if not select.select([self._pipe[0]], [], [], timeout_s)[0]:
            return []
        os.read(self._pipe[0], 1)
        return [self.news.popleft()]

    def resync(self, symbol: str) -> None:
        pass

    def fileno(self) -> int:
        return self._pipe[0]

    def close(self) -> None:
        for number in self._pipe if self._is_open else ():
            os.close(number)
        self._is_open = False


def account(**costs: float) -> PaperMatching:
    rows = (Instrument(A, "x", sigma_day=0.02, adv_lots=10_000), Instrument(B, "x", lot_size=0.1))
    return PaperMatching(rows, Costs.none() if not costs else Costs(**costs), cash_micros=10**12, gates=WIDE)


class PaperUnderTest(VenueUnderTest):
    symbol, other = A, B
    faults = frozenset()
    is_remote = False

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="paper"))
        self._times = itertools.count(T0 + 1)
        self._count: dict[str, int] = {}

    def adapter(self) -> PaperVenue:
        self.feed = Shows()
        return PaperVenue(self._account(), self.feed, self.folder)

    def _account(self) -> PaperMatching:
        rows = (Instrument(A, "x"), Instrument(B, "x"))
        return PaperMatching(rows, Costs.none(), cash_micros=10**12, gates=WIDE)

    def recorded(self) -> PaperMatching:
        """The account as its record has it."""
        found = self._account()
        found.restore(e.message for e in read_journal(self.folder))
        return found

    def orders(self) -> dict[str, PeerOrder]:
        found = self.recorded().orders.by_id
        return {
            i: PeerOrder(o.lots, sum(f.lots for f in o.fills.values()), o.ended, o.sent.limit_price)
            for i, o in found.items()
        }

    def positions(self) -> dict[str, int]:
        return self.recorded().lots

    def fill(self, client_id: str, lots: int, price: float) -> str:
        order = self.recorded().orders.by_id[client_id]
        at = next(self._times)
        shown = (price - 0.01, price, 1.0, float(lots)) if lots > 0 else (price, price + 0.01, float(-lots), 1.0)
        self.feed.say(Quote(order.sent.symbol, "test", *shown, at, at))
        self._count[client_id] = self._count.get(client_id, 0) + 1
        return f"{client_id}/{self._count[client_id]}"

    def stop(self) -> None: ...

    def start(self) -> None: ...

    def hang_up(self) -> None: ...

    def close(self) -> None:
        shutil.rmtree(self.folder)


class TestPaper(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[VenueUnderTest]:
        peer = PaperUnderTest()
        try:
            yield peer
        finally:
            peer.close()


# --- what fills, as a table --------------------------------------------------------------------------


def quote(at: int, bid: float, ask_: float, bid_size: float = 100.0, ask_size: float = 100.0) -> Quote:
    return Quote(A, "test", bid, ask_, bid_size, ask_size, T0 + at, T0 + at)


def trade(at: int, price: float, size: float = 100.0) -> Trade:
    return Trade(A, "test", price, size, None, f"t{at}", T0 + at, T0 + at)


def bar(at: int, first: float, low: float, high: float, volume: float = 1.0) -> Bar:
    return Bar(A, T0 + at, first, high, low, first, volume, T0 + at)


def depth(at: int, bids: tuple[tuple[float, float], ...], asks: tuple[tuple[float, float], ...]) -> Depth:
    return Depth(A, "test", True, at, at, bids, asks, T0 + at, T0 + at)


BUY, SELL = 10, -10
CASES: dict[str, tuple[list[FeedNews], NewOrder, list[FeedNews], list[tuple[int, float]], str | None]] = {
    # what was shown before, the order, what is shown after, fills, how it ended
    "at the ask": ([quote(1, 99, 101)], NewOrder("o", A, BUY), [], [(10, 101.0)], "filled"),
    "at the bid": ([quote(1, 99, 101)], NewOrder("o", A, SELL), [], [(-10, 99.0)], "filled"),
    "as far as shown, then what is shown next": (
        [quote(1, 99, 101, ask_size=4)], NewOrder("o", A, BUY), [quote(2, 99, 102, ask_size=50)],
        [(4, 101.0), (6, 102.0)], "filled",
    ),
    "what was taken is not there twice": (
        [quote(1, 99, 101, ask_size=4)], NewOrder("o", A, BUY), [trade(2, 100.0)], [(4, 101.0)], None,
    ),
    "what is not believed shows nothing": (
        [quote(1, 99, 101, ask_size=4)], NewOrder("o", A, BUY), [quote(2, 102, 101)], [(4, 101.0)], None,
    ),
    "ioc: the rest ends": (
        [quote(1, 99, 101, ask_size=4)], NewOrder("o", A, BUY, "market", "ioc"), [], [(4, 101.0)], "expired",
    ),
    "fok: all or nothing": (
        [quote(1, 99, 101, ask_size=4)], NewOrder("o", A, BUY, "market", "fok"), [], [], "expired",
    ),
    "limit: takes at the better price": (
        [quote(1, 99, 101)], NewOrder("o", A, BUY, "limit", "day", 103.0), [], [(10, 101.0)], "filled",
    ),
    "limit: rests, then at its limit": (
        [quote(1, 99, 101)], NewOrder("o", A, BUY, "limit", "day", 100.0), [quote(2, 98, 99.5)],
        [(10, 100.0)], "filled",
    ),
    "limit: a trade at it is not beyond it": (
        [quote(1, 99, 101)], NewOrder("o", A, BUY, "limit", "day", 100.0), [trade(2, 100.0)], [], None,
    ),
    "limit: as much as others traded beyond it": (
        [quote(1, 99, 101)], NewOrder("o", A, SELL, "limit", "day", 100.5), [trade(2, 100.6, 3.0)],
        [(-3, 100.5)], None,
    ),
    "nothing shown: at the next trade": ([], NewOrder("o", A, BUY), [trade(2, 100.0)], [(10, 100.0)], "filled"),
    "nothing shown: at the next open": (
        [bar(1, 50, 49, 51)], NewOrder("o", A, BUY), [bar(2, 52, 50, 53)], [(10, 52.0)], "filled",
    ),
    "nobody traded in the bar": (
        [bar(1, 50, 49, 51)], NewOrder("o", A, BUY), [bar(2, 52, 50, 53, volume=0.0)], [], None,
    ),
    "limit: the bar only touched it": (
        [bar(1, 50, 49, 51)], NewOrder("o", A, BUY, "limit", "gtc", 48.0), [bar(2, 50, 48, 51)], [], None,
    ),
    "limit: the bar went beyond it": (
        [bar(1, 50, 49, 51)], NewOrder("o", A, BUY, "limit", "gtc", 48.0), [bar(2, 50, 47, 51)],
        [(10, 48.0)], "filled",
    ),
    "limit ioc: the next bar's open is worse": (
        [], NewOrder("o", A, BUY, "limit", "ioc", 48.0), [bar(2, 50, 47, 51)], [], "expired",
    ),
    "through the levels of a book": (
        [depth(1, ((99.0, 5.0),), ((101.0, 4.0), (102.0, 50.0)))], NewOrder("o", A, BUY), [],
        [(10, 101.6)], "filled",
    ),
    "through a book, not beyond the limit": (
        [depth(1, ((99.0, 5.0),), ((101.0, 4.0), (102.0, 50.0)))], NewOrder("o", A, BUY, "limit", "day", 101.5), [],
        [(4, 101.0)], None,
    ),
    "a crossed quote is not believed": ([], NewOrder("o", A, BUY), [quote(2, 102, 101)], [], None),
    "day orders end with the day": (
        [quote(1, 99, 101)], NewOrder("o", A, BUY, "limit", "day", 90.0), [quote(DAY, 99, 101)], [], "expired",
    ),
    "gtc orders do not": (
        [quote(1, 99, 101)], NewOrder("o", A, BUY, "limit", "gtc", 90.0), [quote(DAY, 99, 101)], [], None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_fills(case: str) -> None:
    before, order, after, fills, ended = CASES[case]
    matching = account()
    matching.take("test", [Link("test", True, "", T0), *before])
    said = matching.submit(order)
    assert isinstance(said[0], Acknowledged)
    for one in after:
        said += matching.take("test", [one])
    got = [(n.lots, round(n.price, 9)) for n in said if isinstance(n, Filled)]
    assert got == fills
    assert matching.orders.by_id["o"].ended == ended
    held = sum(lots for lots, _ in fills)
    assert matching.report().positions == ({A: held} if held else {})
    assert matching.cash_micros == 10**12 - sum(round(lots * price * 1e6) for lots, price in fills)


def test_two_orders_share_what_is_shown() -> None:
    matching = account()
    matching.take("test", [depth(1, ((99.0, 5.0),), ((101.0, 4.0), (102.0, 50.0)))])
    first, second = (matching.submit(NewOrder(i, A, 3))[1] for i in "ab")
    assert isinstance(first, Filled) and isinstance(second, Filled)
    assert first.price == 101.0 and abs(second.price - (101.0 + 2 * 102.0) / 3) < 1e-9


def test_costs_are_the_backtests() -> None:
    """A price that was shown holds the spread; one that was not is charged half a spread and impact."""
    matching = account(half_spread_bps=4.0, commission_bps=1.0, impact_k=0.5, borrow_bps_year=365.0)
    matching.submit(NewOrder("blind", A, -100))
    (blind,) = (n for n in matching.take("test", [trade(1, 100.0)]) if isinstance(n, Filled))
    impact = 0.5 * 0.02 * (100 / 10_000) ** 0.5
    assert blind.fee_micros == round(1e10 * 1e-4) + round(1e10 * 4e-4) + round(1e10 * impact)
    matching.take("test", [quote(2, 99, 101)])
    (shown,) = (n for n in matching.submit(NewOrder("shown", A, 50)) if isinstance(n, Filled))
    assert shown.fee_micros == round(5_050e6 * 1e-4)
    before = matching.cash_micros
    (moved,) = (n for n in matching.take("test", [quote(DAY + 3, 99, 101)]) if isinstance(n, Moved))
    assert (moved.what, moved.micros) == ("borrow", -round(50 * 100e6 * 1e-4)) and before + moved.micros == (
        matching.cash_micros
    )


@pytest.mark.parametrize(
    "order",
    [
        NewOrder("o", "NONE.TEST", 1),
        NewOrder("o", A, 0),
        NewOrder("o", A, 1, "stop", "day", 1.0),
        NewOrder("o", A, 1, "limit", "day", float("nan")),
        NewOrder("o", A, 10**9, "limit", "day", 100.0),
    ],
)
def test_what_is_refused(order: NewOrder) -> None:
    (news,) = account().submit(order)
    assert isinstance(news, RefusedByVenue) and news.reason


# --- recordings, restarts ----------------------------------------------------------------------------


def recording(bars: int = 4) -> RecordedFeed:
    return RecordedFeed("bars", [bar(i + 1, 100.0 + i, 99.0, 200.0) for i in range(bars)])


def test_a_recording_waits_for_who_trades(tmp_path: Path) -> None:
    """And after a restart stands where it stood, with the account."""
    heard = Heard()
    venue = PaperVenue(account(), recording(), tmp_path, steps=True)
    venue.open(heard)
    venue.proceed(0)
    heard.until(lambda _: len(heard.of(Stepped)) == 1)
    order = ask(A, 7)
    venue.submit(order, 7)
    venue.proceed(T0 + 1)
    heard.until(lambda _: len(heard.of(Stepped)) == 2)
    venue.close()
    assert [(f.lots, f.price, f.ts_ns) for f in heard.of(Filled)] == [(7, 101.0, T0 + 2)]
    assert [type(n) for n in heard.news[-3:]] == [Marked, Filled, Stepped]

    anew = Heard()
    venue = PaperVenue(account(), recording(), tmp_path, steps=True)
    venue.open(anew)
    assert anew.first(Stepped) == Stepped("paper", T0 + 2, False)
    assert [n.price for n in anew.of(Marked)] == [101.0] and not anew.of(Filled)
    assert venue.report().positions == {A: 7}
    venue.proceed(T0 + 1)  # gone on from before: where it stands is said again
    anew.until(lambda _: len(anew.of(Stepped)) == 2)
    venue.proceed(T0 + 2)
    venue.proceed(T0 + 2)
    anew.until(lambda _: anew.of(Stepped)[-1].ts_ns == T0 + 3)
    venue.proceed(T0 + 3)
    assert anew.until(lambda _: [n for n in anew.of(Stepped) if n.is_last])[0].ts_ns == T0 + 4
    venue.close()


def test_nothing_is_said_before_it_is_durable(tmp_path: Path) -> None:
    venue, heard = PaperVenue(account(), recording(), tmp_path, steps=True), Heard()
    early: list[VenueNews] = []

    def hear(news: VenueNews) -> None:
        journal = venue._journal
        assert journal is not None
        if journal.durable < journal.last:
            early.append(news)
        heard(news)

    venue.open(hear)
    venue.proceed(0)
    venue.submit(ask(A, 7), 7)
    heard.first(Acknowledged)
    venue.proceed(T0 + 1)
    heard.first(Filled)
    heard.until(lambda _: len(heard.of(Stepped)) == 2)
    venue.close()
    assert early == []


def test_two_processes_have_no_account_in_common(tmp_path: Path) -> None:
    venue = PaperVenue(account(), recording(), tmp_path, steps=True)
    venue.open(Heard())
    try:
        with pytest.raises(VenueError, match="another process writes it"):
            PaperVenue(account(), recording(), tmp_path, steps=True).open(Heard())
    finally:
        venue.close()


def test_a_record_that_cannot_be_written_ends_the_venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody recorded nobody says: the order is lost, the connection down, and nothing more is taken."""
    from modules.live.journal.file import FileJournal
    from modules.live.journal.port import JournalError

    heard, full = Heard(), threading.Event()
    write = FileJournal.append

    def append(self: FileJournal, *messages: VenueNews) -> int:
        if full.is_set():
            raise JournalError("no space left")
        return write(self, *messages)

    monkeypatch.setattr(FileJournal, "append", append)
    venue = PaperVenue(account(), recording(), tmp_path, steps=True)
    venue.open(heard)
    full.set()
    order = ask(A, 7)
    venue.submit(order, 7)
    assert "no space" in heard.first(Lost, order.client_id).reason
    heard.until(lambda _: heard.ups()[-1] is False)
    assert not heard.of(Acknowledged)
    with pytest.raises(VenueError):
        venue.submit(ask(A, 1), 1)
    venue.close()
    full.clear()
    anew = PaperVenue(account(), recording(), tmp_path, steps=True)
    anew.open(Heard())
    assert anew.report().orders == ()
    anew.close()


def test_what_day_orders_leave_is_not_kept() -> None:
    matching = account()
    matching.take("test", [quote(1, 99, 101)])
    matching.submit(NewOrder("o", A, 1, "limit", "day", 90.0))
    for day in range(1, 5):
        said = matching.take("test", [quote(day * DAY, 99, 101)])
        assert any(isinstance(n, Expired) for n in said) == (day == 1)
    assert matching.orders.by_id == {} and matching._rests == set()
