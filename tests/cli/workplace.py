"""A place where orders are worked: a risk core, a desk and a venue that keeps its own books, for tests of `cws work`.

The market's volume is what a test writes: the desk hears it as trades of a market.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path

import yaml

from cli.build import build_of
from cli.main import main
from modules.engine.exchange.events import Instrument
from modules.live.desk.control import Control
from modules.live.desk.desk import Identity
from modules.live.feeds.market import Market
from modules.live.feeds.news import Trade
from modules.live.journal.file import FileJournal
from modules.live.messages import Ask, Marked
from modules.live.risk.limits import FILE
from modules.live.riskd.config import SOCKET, load_config
from modules.live.riskd.start import served
from modules.live.runner.deskline import DeskLine
from modules.live.venues.port import Hear
from modules.workspace import Workspace
from tests.modules.live.riskd.child import PRICE, TOLD, RecordingVenue

LIMITS = {"strategies": {"manual": 100_000.0}}
SLOW: dict[str, object] = {"stale_ms": 60_000, "deadline_ms": 1_000}
"""Of limits.yaml: a loaded machine may take its time."""


class Venue(RecordingVenue):
    """Says its prices again and again."""

    def open(self, hear: Hear) -> None:
        super().open(hear)
        self._ends = threading.Event()
        self._says = threading.Thread(target=self._say, args=(hear,))
        self._says.start()

    def _say(self, hear: Hear) -> None:
        while not self._ends.wait(1.0):
            for symbol in ("AAA", "BBB"):
                hear(Marked(symbol, PRICE, time.time_ns()))

    def close(self) -> None:
        self._ends.set()
        self._says.join()
        super().close()


class Place:
    """A risk core and a desk, each in a thread of this process."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "live" / "t1"
        self.folder.mkdir(parents=True)
        rows = [{"symbol": s, "sector": "x", "sigma_day": 0.05, "adv_lots": 10**7} for s in ("AAA", "BBB")]
        config = {"account": "t1", "mode": "paper", "venue": {"name": "sim"}, "instruments": rows, "limits": LIMITS}
        (self.folder / "riskd.yaml").write_text(yaml.safe_dump(config))
        (self.folder / "limits.yaml").write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text()) | SLOW))
        self.build = build_of(Workspace.here().root).name
        self._stack, self._desk = ExitStack(), ExitStack()

    def start(self, *, with_desk: bool = True) -> None:
        """The risk core and the desk."""
        venue = Venue(self.folder)
        config = load_config(self.folder)
        limits = self.folder / "limits.yaml"
        server = self._stack.enter_context(served(self.folder, config, venue, self.build, limits_file=limits))
        thread = threading.Thread(target=server.run)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.stop)
        if with_desk:
            self.start_desk()

    def start_desk(self) -> None:
        """A desk, as `cws live` runs one."""
        ends, ready = threading.Event(), threading.Event()
        thread = threading.Thread(target=serve_desk, args=(self.folder, self.build, ends, ready))
        thread.start()
        self._desk.callback(thread.join)
        self._desk.callback(ends.set)
        assert ready.wait(60.0)

    def trade(self, units: float) -> None:
        """The market has traded so much in all."""
        part = self.folder / "traded.part"
        part.write_text(str(units))
        part.replace(self.folder / "traded")

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


def serve_desk(folder: Path, build: str, ends: object, ready: object) -> None:
    """A desk that hears of the market's volume, until `ends` is set (both are events)."""
    market, heard = Market([Instrument(s, 0.01, 1.0) for s in ("AAA", "BBB")]), _traded(folder)
    with FileJournal(folder / "desk" / "journal") as journal:
        line = DeskLine(Identity("t1", "paper", build), folder / SOCKET, journal)
        line.agree()
        line.control = Control(folder / "desk.sock", line.desk)
        ready.set()  # type: ignore[attr-defined]
        while not ends.is_set():  # type: ignore[attr-defined]
            line.poll(0.02)
            units, now = _traded(folder), time.time_ns()
            if units > heard:
                market.take("feed", [Trade("AAA", "sim", 100.0, units - heard, None, str(units), now, now)])
                heard, line.control.traded = units, market.traded
        line.close()


def _traded(folder: Path) -> float:
    path = folder / "traded"
    return float(path.read_text()) if path.exists() else 0.0


def _preload() -> multiprocessing.context.ForkServerContext:
    """Processes that have imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "cli.commands.work", "cli.working", "modules.live.working.remote"])
    return context


CONTEXT = _preload()


def desk_process(place: Place) -> BaseProcess:
    """A desk that may be killed."""
    ends, ready = CONTEXT.Event(), CONTEXT.Event()
    made = CONTEXT.Process(target=serve_desk, args=(place.folder, place.build, ends, ready), daemon=True)
    made.start()
    assert ready.wait(60.0)
    return made


def work_process(home: Path, log: Path, *argv: str) -> BaseProcess:
    """`cws work` in a process that may be killed; what it says is in `log`."""
    made = CONTEXT.Process(target=_cws_work, args=(home, log, argv), daemon=True)
    made.start()
    return made


def _cws_work(home: Path, log: Path, argv: tuple[str, ...]) -> None:
    os.environ.update(CWS_HOME=str(home), NO_COLOR="1")
    with log.open("a") as said, redirect_stdout(said), redirect_stderr(said):
        code = main(("work", *argv))
    os._exit(code)


@contextlib.contextmanager
def a_place() -> Iterator[tuple[Path, Place]]:
    """Its home (`CWS_HOME`), and the place."""
    with tempfile.TemporaryDirectory(prefix="cws") as home:
        made = Place(Path(home))
        try:
            yield Path(home), made
        finally:
            made.end()
