"""`cws live` by the wall clock at a broker, whole: risk core and runner as processes, Alpaca's documented protocol.

0. A run that ends where its data do is no history of a market that goes on: refused by name, mended by a file.
1. Bars that close while it runs are decided on, orders arrive once each, under ids that were decided.
2. What filled while the stream of updates was down is learnt, and trading goes on.
3. Where the venue holds what nobody here bought only cancels go out, and that is said; they go on once it agrees.
4. At the end positions and cash are the broker's, and the day made again is equal.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from websockets.sync.server import ServerConnection

from modules.ingest.adding import AddOptions
from modules.live.messages import Filled
from modules.live.runner.tape import read_messages
from modules.live.runner.taped import Decided, Outcome
from modules.lockbox import strategy_of
from tests.cli.checkout import Checkout
from tests.cli.trading import process, promoted_in
from tests.harness.planted import reversal_panel
from tests.modules.live.feeds.server import Peer, serving
from tests.modules.live.feeds.test_websocket import answer
from tests.modules.live.venues.peers.alpaca import KEY, SECRET, AlpacaPeer
from tests.modules.live.venues.peers.book import Account

pytestmark = pytest.mark.slow
INTERVAL_S = 4
NEWEST = 60
PATIENCE_S = 240.0
LOT = Decimal("0.0001")
LIVE = ("live", "last", "--venue", "alpaca", "--account", "a1", "--json")


class World:
    """One market: prices walk, a feed and the broker tell the same, and the broker fills at them."""

    def __init__(self, closes: dict[str, float]) -> None:
        self.prices = {s: round(p, 2) for s, p in closes.items()}
        self.last_ms = 0
        """When the last trade was."""
        self.fills, self.trading, self.over = threading.Event(), threading.Event(), threading.Event()
        self.fills.set()
        self.trading.set()
        self.broker = AlpacaPeer(Account())
        self.broker.clock = lambda: datetime.now(UTC).isoformat()
        self._random, self._stop = random.Random(5), threading.Event()
        self._thread = threading.Thread(target=self._walk, name="world", daemon=True)
        self._thread.start()

    def _walk(self) -> None:
        while not self._stop.wait(0.2):
            for symbol, price in self.prices.items():
                self.prices[symbol] = round(price * (1.0 + self._random.gauss(0.0, 0.002)), 2)
            at = datetime.now(UTC).isoformat()
            rows = [
                {"T": "q", "S": s, "bp": round(p - 0.01, 2), "ap": round(p + 0.01, 2), "bs": 1, "as": 1, "t": at}
                for s, p in self.prices.items()
            ]
            self.broker.quotes.say(json.dumps(rows))
            if self.fills.is_set():
                self.fill()

    def fill(self) -> None:
        """Everything that is open, at the price."""
        account = self.broker.account
        for order in account.open_orders():
            with account.locked():
                if order.state != "open":
                    continue
                left = order.quantity - order.done
                done = account.fill(order.client_id, left, Decimal(repr(self.prices[order.native])))
            self.broker.executed(order, done)

    def trades(self, peer: Peer, connection: ServerConnection) -> None:
        """The public feed, in Bybit's words."""
        answer(peer, connection, 5.0)
        while not peer.stop.is_set():
            at = time.time_ns() // 1_000_000
            if not self.trading.is_set():
                self.over.set()
                answer(peer, connection, 0.2)
                continue
            self.last_ms = at
            for symbol, price in self.prices.items():
                deal = {"T": at, "s": symbol, "S": "Buy", "v": "2", "p": f"{price:.2f}", "i": f"{symbol}{at}"}
                connection.send(json.dumps({"topic": f"publicTrade.{symbol}", "type": "snapshot", "data": [deal]}))
            answer(peer, connection, 0.2)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10.0)
        self.broker.stop()


def intraday(folder: Path) -> tuple[Path, Path, dict[str, float]]:
    """The planted market in short bars, days ago; as a file of its own what came since, up to now; the last closes."""
    panel = reversal_panel(1_400 + NEWEST, strength=0.5)
    symbols = tuple(f"{s}.NASDAQ" for s in panel.symbols)
    last = int(time.time()) // INTERVAL_S * INTERVAL_S - INTERVAL_S
    times = [last - INTERVAL_S * (len(panel.ts) - 1 - i) for i in range(len(panel.ts))]
    times = [at - 9 * 86_400 if i < len(times) - NEWEST else at for i, at in enumerate(times)]
    close = panel["close"]
    head, lines = ",".join(["date", *symbols]), []
    for at, row in zip(times, close, strict=True):
        lines.append(
            ",".join([datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S"), *(f"{v:.6f}" for v in row)])
        )
    path, newest = folder / "planted.csv", folder / "newest.csv"
    path.write_text("\n".join([head, *lines[:-NEWEST], ""]))
    newest.write_text("\n".join([head, *lines[-NEWEST - 100 :], ""]))
    return path, newest, dict(zip(panel.symbols, map(float, close[-1]), strict=True))


def open_account(at: Checkout, world: World, feed: Peer, strategy: str) -> Path:
    folder = at.workspace.home / "live" / "a1"
    folder.mkdir(parents=True)
    rows = [
        {"symbol": f"{s}.NASDAQ", "sector": s, "lot_size": float(LOT), "sigma_day": 0.01, "beta": 0.0,
         "adv_lots": 10**12, "located_lots": 10**12}
        for s in world.prices
    ]  # fmt: skip
    options = {"url": world.broker.rest.url, "updates": world.broker.updates.url, "market": world.broker.quotes.url}
    config = {
        "account": "a1", "mode": "paper", "venue": {"name": "alpaca", "options": options}, "clock": "wall",
        "instruments": rows, "limits": {"strategies": {strategy: 1e6}},
    }  # fmt: skip
    (folder / "riskd.yaml").write_text(yaml.safe_dump(config))
    (folder / "credentials.yaml").write_text(yaml.safe_dump({"key": KEY, "secret": SECRET}))
    (folder / "credentials.yaml").chmod(0o600)
    feeds = {
        "feeds": {"public": {"venue": "bybit", "url": feed.url, "patience": {"silence_s": 60.0}}},
        "bars": {"interval_s": INTERVAL_S, "bar_stamp": "open", "calendar": "24/7", "grace_ms": 2_000},
        "gates": {"stale_ms": 60_000}, "health": {"feed_ms": 60_000, "price_ms": 60_000},
    }  # fmt: skip
    (folder / "feeds.yaml").write_text(yaml.safe_dump(feeds))
    return folder


@contextmanager
def trading(at: Checkout, core: subprocess.Popen[str], folder: Path, newest: Path) -> Iterator[Callable[[], str]]:
    """`cws live` as a process; gives what it has said so far. Ended in order, and its last word kept."""
    env = {**os.environ, "PYTHONPATH": str(at.root), "CWS_HOME": str(at.workspace.home), "NO_COLOR": "1"}
    out, err = folder / "live.out", folder / "live.err"
    argv = [sys.executable, "-m", "cli.main", *LIVE, "--history", str(newest)]
    with out.open("w") as o, err.open("w") as e:
        made = subprocess.Popen(argv, cwd=at.root, env=env, stdout=o, stderr=e)
    try:

        def said() -> str:
            words = err.read_text()
            log = (folder / "riskd.log").read_text()
            assert made.poll() is None, f"{words}\nriskd ended: {core.poll()}, {log}"
            return words

        yield said
        made.send_signal(signal.SIGTERM)
        assert made.wait(PATIENCE_S) == 0, err.read_text()
    finally:
        made.kill()
        made.wait()


def taped(folder: Path) -> list[object]:
    return [m for p in sorted((folder / "tape").glob("*.tape")) for m in read_messages(p)]


def decided(folder: Path) -> list[Decided]:
    return [m for m in taped(folder) if isinstance(m, Decided)]


def test_a_day_at_a_broker(tmp_path: Path) -> None:
    csv, newest, closes = intraday(tmp_path)
    options = AddOptions(interval_s=INTERVAL_S, calendar="24/7")
    at, manifest = promoted_in(tmp_path / "c", csv, options, venues=["alpaca"], stale_ms=60_000)
    world = World(closes)
    try:
        with serving(Peer(1, world.trades)) as feed:
            folder = open_account(at, world, feed, f"s{strategy_of(manifest)[:12]}")
            with process(at, "riskd", "--account", "a1") as (core, _):
                # 0
                done = at.cws_process(*LIVE)
                assert (done.code, "OLD_HISTORY" in done.err, "--history" in done.err) == (3, True, True), done.err
                with trading(at, core, folder, newest) as said:
                    whole_way(world, folder, said)
    finally:
        world.close()
    ended, account = json.loads((folder / "live.out").read_text()), world.broker.account

    # 1
    made = decided(folder)
    ids = [t.client_id for d in made for t in d.tickets]
    assert len(account.arrivals) == len(set(account.arrivals)) and set(account.arrivals) <= set(ids)

    # 4
    held = {f"{native}.NASDAQ": int(n / LOT) for native, n in account.positions().items()}
    assert ended["positions"] == held and held
    assert ended["cash_micros"] == int(account.cash_now() * 1_000_000)
    for path in sorted((folder / "tape").glob("*.tape")):
        done = at.cws("replay-day", path.stem, "--account", "a1", "--json")
        assert (done.code, done.json["equal"]) == (0, True), done.err


def whole_way(world: World, folder: Path, said: Callable[[], str]) -> None:
    account = world.broker.account

    def until(holds: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            words = said()
            assert time.monotonic() < end, f"not within {PATIENCE_S} s: {what}\n{words}"
            time.sleep(0.1)

    until(lambda: len(account.arrivals) >= 12 and account.positions(), "orders of two bars")

    # 2
    world.fills.clear()
    until(account.open_orders, "an order that waits")
    world.broker.updates.stop()
    world.fill()
    before = len(account.arrivals)
    world.broker.updates.start()
    world.fills.set()
    until(lambda: len(account.arrivals) > before + 5, "orders after the connection came back")

    # 3
    account.by_hand["S00"] = Decimal(3)
    world.broker.updates.hang_up()
    until(lambda: "position S00.NASDAQ" in said(), "the break is said")
    count, bars = len(account.arrivals), len(decided(folder))
    until(lambda: len(decided(folder)) >= bars + 2, "bars without orders")
    assert len(account.arrivals) == count
    assert "again" not in said()[said().rindex("position S00.NASDAQ") :]
    account.by_hand.clear()
    account.cash += 7  # what came meanwhile is the account's
    world.broker.updates.hang_up()
    until(lambda: len(account.arrivals) > count, "orders once both agree")
    assert "book and venue agree again" in said()[said().rindex("position S00.NASDAQ") :]

    # 4
    world.trading.clear()  # without trades no bar closes
    until(world.over.is_set, "the last trade")
    until(lambda: is_settled(world, taped(folder)), "the last bar's orders, and all that became of them")


def is_settled(world: World, said: list[object]) -> bool:
    """The bar of the last trade was decided, and everything that came of it was heard."""
    made = [m for m in said if isinstance(m, Decided)]
    settled = sum(isinstance(m, Outcome) for m in said)
    heard = {m.exec_id for m in said if isinstance(m, Filled)}
    orders = list(world.broker.account.orders.values())
    return (
        made[-1].ts_ns >= world.last_ms // 1_000 // INTERVAL_S * INTERVAL_S * 10**9
        and settled == sum(len(d.tickets) for d in made)
        and not world.broker.account.open_orders()
        and len(heard) == sum(len(o.executions) for o in orders)
    )
