"""`cws work`: an order through the desk's socket, a real risk core and a venue that keeps its own books.

1. All of it is filled at the venue, in children that name their parent and never exceed it; PAPER in what is said.
2. A desk that ends in the middle: what it had sent is not sent again, and the next desk goes on with the rest.
3. Ended by hand: nothing more is sent, what rests is withdrawn.
4. What may not be worked is refused by name, and nothing was sent.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.live.orders.ids import is_of
from tests.cli.conftest import Cws
from tests.cli.workplace import Place, a_place

pytestmark = pytest.mark.slow


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with a_place() as (home, made):
        monkeypatch.setenv("CWS_HOME", str(home))
        yield made


FAST = ("--minutes", "0.05", "--slice", "0.5")
SURE = ("--by", "shortfall", "--minutes", "2", "--slice", "1", "--risk-aversion", "1", "--spread-bps", "0.01")
"""In some seconds, and in two minutes where the machine has no time for it."""


def test_an_order_is_worked(cws: Cws, place: Place) -> None:
    """1."""
    place.start()
    done = cws("work", "buy", "AAA", "20", *SURE, "--json")
    assert done.code == 0, done.err
    assert (done.json["filled"], done.json["mode"]) == (20, "paper")
    sent = [int(o["lots"]) for o in place.orders]  # type: ignore[call-overload]
    assert sum(sent) == 20 and len(sent) == done.json["children"] > 1
    assert not list((place.folder / "working").glob("*.json"))  # it has ended: the same words are a new order
    said = cws("work", "sell", "AAA", "4", *SURE)
    assert said.out == "PAPER t1: 4 of 4 lots sold\n" and "PAPER t1: works -4 lots" in said.err
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
    done = cws("work", "buy", "AAA", "20", *SURE, "--json")
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


def test_killed_before_its_end_was_kept(cws: Cws, place: Place) -> None:
    """2: the same words tell the end of the order that there was, and order nothing."""
    place.start()
    found: list[tuple[Path, bytes]] = []

    def look() -> None:
        found.extend((path, path.read_bytes()) for path in (place.folder / "working").glob("*.json"))

    timer = place.after_the_first(look)
    first = cws("work", "buy", "AAA", "20", *SURE, "--json")
    timer.join()
    sent, (path, data) = place.orders, found[0]
    path.write_bytes(data)
    again = cws("work", "buy", "AAA", "20", *SURE, "--json")
    assert again.code == first.code == 0 and again.json == first.json
    assert place.orders == sent and not path.exists()


def test_by_the_clock(cws: Cws, place: Place) -> None:
    """1: as much as there was time for."""
    place.start()
    done = cws("work", "buy", "AAA", "20", *FAST, "--json")
    assert sum(int(o["lots"]) for o in place.orders) == done.json["filled"] > 0, done.out  # type: ignore[call-overload]
    assert done.code == int(done.json["filled"] < 20)


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
        (("buy", "AAA", "5", "--limit", "0"), 2, "greater than or equal to 0.000001"),
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
