"""`cws work`: an order through the desk's socket, a real risk core and a venue that keeps its own books.

1. All of it is filled at the venue, in children that name their parent and never exceed it; PAPER in what is said.
2. A desk that ends in the middle: what it had sent is not sent again, and the next desk goes on with the rest.
3. Ended by hand: nothing more is sent, what rests is withdrawn.
4. What may not be worked is refused by name, and nothing was sent.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from cli.build import build_of
from modules.live.desk.control import Control
from modules.live.desk.desk import Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Ask
from modules.live.orders.ids import is_of
from modules.live.risk.limits import FILE
from modules.live.riskd.config import SOCKET, load_config
from modules.live.riskd.start import served
from modules.live.runner.deskline import DeskLine
from modules.workspace import Workspace
from tests.cli.conftest import Cws
from tests.modules.live.riskd.child import TOLD, RecordingVenue

pytestmark = pytest.mark.slow
LIMITS = {"strategies": {"manual": 100_000.0}}
SLOW: dict[str, object] = {"stale_ms": 60_000, "deadline_ms": 1_000}
"""Of limits.yaml: this venue says a price with an order only, and a loaded machine may take its time."""


class Place:
    """A risk core and a desk, each in a thread of this process."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "live" / "t1"
        self.folder.mkdir(parents=True)
        rows = [{"symbol": s, "sector": "x", "sigma_day": 0.01, "adv_lots": 10**7} for s in ("AAA", "BBB")]
        config = {"account": "t1", "mode": "paper", "venue": {"name": "sim"}, "instruments": rows, "limits": LIMITS}
        (self.folder / "riskd.yaml").write_text(yaml.safe_dump(config))
        (self.folder / "limits.yaml").write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text()) | SLOW))
        self.build = build_of(Workspace.here().root).name
        self._stack, self._desk = ExitStack(), ExitStack()

    def start(self) -> None:
        """The risk core and the desk."""
        venue = RecordingVenue(self.folder)
        config = load_config(self.folder)
        limits = self.folder / "limits.yaml"
        server = self._stack.enter_context(served(self.folder, config, venue, self.build, limits_file=limits))
        thread = threading.Thread(target=server.run)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.stop)
        self.start_desk()

    def start_desk(self) -> None:
        """A desk, as `cws live` runs one."""
        ends, ready = threading.Event(), threading.Event()

        def serve() -> None:
            with FileJournal(self.folder / "desk" / "journal") as journal:
                line = DeskLine(Identity("t1", "paper", self.build), self.folder / SOCKET, journal)
                line.agree()
                line.control = Control(self.folder / "desk.sock", line.desk)
                ready.set()
                while not ends.is_set():
                    line.poll(0.02)
                line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        self._desk.callback(thread.join)
        self._desk.callback(ends.set)
        assert ready.wait(60.0)

    def end_desk(self) -> None:
        """Let it end."""
        self._desk.close()

    def end(self) -> None:
        """Let all end."""
        self._desk.close()
        self._stack.close()

    def told(self) -> list[dict[str, object]]:
        """What the venue was told, in order."""
        return [json.loads(line) for line in (self.folder / TOLD).read_text().splitlines()]

    def after_the_first(self, what: Callable[[], None]) -> threading.Thread:
        """Do something once an order has reached the venue."""

        def wait() -> None:
            until = time.monotonic() + 60.0
            while not self.orders and time.monotonic() < until:
                time.sleep(0.05)
            what()

        thread = threading.Thread(target=wait)
        thread.start()
        return thread

    @property
    def orders(self) -> list[dict[str, object]]:
        """Orders that reached the venue."""
        return [t for t in self.told() if "id" in t]

    def asks(self) -> list[Ask]:
        """What the desk asked for."""
        with FileJournal(self.folder / "desk" / "journal") as journal:
            return [e.message for e in journal.read() if isinstance(e.message, Ask)]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="cws") as home:
        monkeypatch.setenv("CWS_HOME", home)
        made = Place(Path(home))
        try:
            yield made
        finally:
            made.end()


FAST = ("--minutes", "0.05", "--slice", "0.5")


def test_an_order_is_worked(cws: Cws, place: Place) -> None:
    """1."""
    place.start()
    done = cws("work", "buy", "AAA", "20", *FAST, "--json")
    assert done.code == 0, done.err
    assert (done.json["filled"], done.json["mode"]) == (20, "paper")
    sent = [int(o["lots"]) for o in place.orders]  # type: ignore[call-overload]
    assert sum(sent) == 20 and len(sent) == done.json["children"] <= 6
    said = cws("work", "sell", "AAA", "4", *FAST)
    assert said.out == "PAPER t1: 4 of 4 lots sold\n" and "PAPER t1 works -4 lots" in said.err
    place.end()
    asks = place.asks()
    assert all(is_of("t1", a.client_id) and a.parent for a in asks) and len({a.parent for a in asks}) == 2
    assert [a.parent_left for a in asks[: len(sent)]] == [20 - sum(sent[:k]) for k in range(len(sent))]


def test_a_desk_that_ends_in_the_middle(cws: Cws, place: Place) -> None:
    """2."""
    place.start()

    def again() -> None:
        place.end_desk()
        place.start_desk()

    timer = place.after_the_first(again)
    done = cws("work", "buy", "AAA", "20", "--minutes", "0.2", "--slice", "0.5", "--json")
    timer.join()
    assert done.code == 0, done.out
    assert sum(int(o["lots"]) for o in place.orders) == 20  # type: ignore[call-overload]
    assert len({o["id"] for o in place.orders}) == len(place.orders)


def test_a_risk_core_that_ends_in_the_middle(cws: Cws, place: Place) -> None:
    """2: nobody can say what became of the children, and that is said."""
    place.start()
    timer = place.after_the_first(place.end)
    done = cws("work", "buy", "AAA", "100", "--minutes", "0.5", "--slice", "0.5", "--json")
    timer.join()
    assert done.code == 1 and "the risk core is gone" in done.json["error"]["message"], done.out
    assert "cws kill" in done.json["error"]["remedy"]


def test_ended_by_hand_withdraws_what_rests(cws: Cws, place: Place) -> None:
    """3: an iceberg rests at its limit, and nobody comes."""
    place.start()
    timer = place.after_the_first(lambda: os.kill(os.getpid(), signal.SIGINT))
    argv = ("work", "buy", "AAA", "20", "--by", "iceberg", "--display", "5", "--limit", "99", "--minutes", "5")
    done = cws(*argv, "--json")
    timer.join()
    assert done.code == 1 and done.json["stopped"] == "ended by its operator"
    assert [o["lots"] for o in place.orders] == [5]
    assert {"cancel": place.orders[0]["id"]} in place.told()
    assert done.json["filled"] == 0


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("buy", "ZZZ", "5"), 2, "ZZZ is no instrument of account t1"),
        (("buy", "AAA", "5", "--strategy", "other"), 3, "NO_CAPITAL"),
        (("buy", "AAA", "0"), 2, "greater than or equal to 1"),
        (("buy", "AAA", "5", "--by", "iceberg"), 2, "has no limit_micros"),
        (("buy", "AAA", "5", "--limit", "0"), 2, "prices are at least 1 micro"),
        (("hold", "AAA", "5"), 2, "hold"),
    ],
)
def test_what_is_refused(cws: Cws, place: Place, argv: tuple[str, ...], code: int, says: str) -> None:
    """4."""
    place.start()
    done = cws("work", *argv, "--json")
    assert done.code == code and says in done.json["error"]["message"], done.out
    assert place.orders == []


def test_without_a_risk_core_or_a_desk_nothing_is_sent(cws: Cws, place: Place) -> None:
    """4."""
    done = cws("work", "buy", "AAA", "5", "--json")
    assert done.code == 3 and "NO_RISK_CORE" in done.json["error"]["message"]
    place.start()
    place.end_desk()
    done = cws("work", "buy", "AAA", "5", *FAST, "--json")
    assert done.code == 3 and "NO_DESK" in done.json["error"]["message"]
    assert place.orders == []
