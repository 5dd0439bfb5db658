"""An order worked over the desk's socket by a worker that hears nothing of the venue, or whose asking is lost.

1. What the desk knows of a child is enough: a fill that no news told ends the order.
2. A child of which no answer came is sent again only when the desk says that it never had it.
3. Gone on with, nothing is sent while the desk cannot say what is out; ended meanwhile, that is kept.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.live.algorithms.algorithm import Algorithm
from modules.live.algorithms.parent import Parent
from modules.live.algorithms.settings import Twap, build
from modules.live.desk.asking import ByHand, Told
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.control import Control
from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import VenueNews
from modules.live.orders.ids import client_id
from modules.live.working.remote import RemoteDesk
from modules.live.working.work import Work
from tests.modules.live.desk.faulty import FaultyLink, Truth

pytestmark = pytest.mark.slow


class Deaf:
    """A connection to the risk core that says nothing."""

    def news(self, timeout_s: float) -> list[VenueNews]:
        time.sleep(min(timeout_s, 0.02))
        return []


def order(lots: int) -> Algorithm:
    """All of it at once, with ten minutes for whoever is late."""
    now = time.time_ns()
    name = client_id("test", "manual", now, "AAA")
    parent = Parent(name, "test", "manual", "AAA", lots, now, now + 600 * 10**9, ("sim",))
    return build(parent, Twap(slice_s=600, style="market", retry_s=0.1))


class Scene:
    """A desk in this thread, the worker in another."""

    def __init__(self, folder: Path) -> None:
        self.truth, self.path = Truth(is_calm=True), folder / "desk.sock"
        self.journal = FileJournal(folder / "journal")
        link = lambda: FaultyLink(self.truth, random.Random(1))  # noqa: E731
        self.desk = Desk(Identity("test", "paper", "b"), link, self.journal, settle_s=0.0)
        self.control: Control | None = None

    def serve(self) -> None:
        """Let the desk answer."""
        self.desk.recover()
        self.control = Control(self.path, self.desk)

    def works(self, worker: Callable[[], None], each: Callable[[], None] = lambda: None) -> None:
        """The desk's loop while the worker works."""
        thread, until = threading.Thread(target=worker), time.monotonic() + 120.0
        thread.start()
        while thread.is_alive() and time.monotonic() < until:
            each()
            assert self.control is not None
            self.control.poll()
            self.desk.poll(0.0)
            self.desk.tend()
            thread.join(0.002)
        assert not thread.is_alive()

    def fill(self) -> None:
        """The venue fills whatever it has."""
        for name in sorted(self.truth.orders):
            self.truth.trade(name, 1_000)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="cws") as folder:
        made = Scene(Path(folder))
        yield made
        if made.control is not None:
            made.control.close()
        made.desk.close()
        made.journal.close()


def test_1_the_desk_knows(scene: Scene) -> None:
    scene.serve()
    algorithm, desk = order(50), RemoteDesk(scene.path, 60.0)
    scene.works(Work(algorithm, desk, Deaf(), 1.0).run, scene.fill)
    desk.close()
    assert algorithm.children.filled == 50 and len(scene.truth.orders) == 1


@pytest.mark.parametrize("is_taken", [True, False])
def test_2_no_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch, is_taken: bool) -> None:
    """The first child's answer does not come, twice: the desk had it, or had it not."""
    scene.serve()
    submit, asked = DeskClient.submit, list[ByHand]()

    def faulty(client: DeskClient, child: ByHand) -> Told:
        asked.append(child)
        if len(asked) > 2:
            return submit(client, child)
        if is_taken:
            submit(client, child)
        client.close()
        raise DeskUnavailableError("no answer", may_be_out=True)

    monkeypatch.setattr(DeskClient, "submit", faulty)
    algorithm, desk = order(50), RemoteDesk(scene.path, 60.0)
    scene.works(Work(algorithm, desk, Deaf(), 1.0).run, scene.fill)
    desk.close()
    assert algorithm.children.filled == 50 and len(scene.truth.orders) == 1 and algorithm.stopped is None
    assert len(asked) == (2 if is_taken else 3) and asked[0] == asked[1]


def test_3_nothing_before_the_desk_can_say(scene: Scene) -> None:
    scene.control = Control(scene.path, scene.desk)  # the venue was not asked yet
    scene.desk.tend = lambda: None  # type: ignore[method-assign]
    stopped, said, ended = list[str](), list[str](), threading.Event()
    algorithm, desk = order(50), RemoteDesk(scene.path, 60.0)
    work = Work(
        algorithm, desk, Deaf(), 1.0, said.append, lambda: "by hand" if ended.is_set() else None,
        is_begun=True, stopped=stopped.append,
    )  # fmt: skip

    def run() -> None:
        with pytest.raises(DeskUnavailableError, match="by hand, before the desk could say what is out"):
            work.run()

    scene.works(run, lambda: ended.set() if said else None)
    desk.close()
    assert stopped == ["by hand"] and said[0].startswith("waits for the desk to say what is out")
    assert scene.truth.orders == {}
