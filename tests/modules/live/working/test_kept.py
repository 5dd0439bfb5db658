"""The file of an order that is being worked, and the count of what the market trades.

1. What was kept is read again as it was; after its end there is nothing.
2. Nobody else has it meanwhile; other words have another file.
3. A file that is none is refused with its name, whatever is in it.
4. Lots are counted once, whoever counts: over a desk that began anew, over a worker that did.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from modules.live.algorithms.parent import Parent
from modules.live.desk.asking import Stand
from modules.live.working.counter import Counter
from modules.live.working.kept import Kept, KeptError, Shelf

WORDS = {"side": "buy", "symbol": "AAA", "lots": "5"}
PARENT = Parent("p", "a", "s", "AAA", 5, 10, 20, ("sim",), 1_000_000)
KEPT = Kept(WORDS, PARENT, "{}", (0.25, 0.75), 300, 2, 5, volume=3, traded=0.1 + 0.2)


def test_1_kept_and_dropped(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, WORDS)
    with shelf.held() as nothing:
        assert nothing is None
        shelf.keep(KEPT)
        shelf.keep(msgspec.structs.replace(KEPT, stopped="by hand"))
    with shelf.held() as found:
        assert found == msgspec.structs.replace(KEPT, stopped="by hand")
        shelf.drop()
    with shelf.held() as nothing:
        assert nothing is None


def test_2_held_by_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, WORDS)
    with shelf.held():
        with pytest.raises(KeptError, match="the same order is being worked"), Shelf(tmp_path, dict(WORDS)).held():
            pass
        with Shelf(tmp_path, WORDS | {"lots": "6"}).held() as other:
            assert other is None
    with shelf.held():
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"{}",
        b"[1]",
        msgspec.json.encode(KEPT)[:-9],
        msgspec.json.encode(KEPT).replace(b":5", b":0"),
    ],
)
def test_3_garbage(tmp_path: Path, data: bytes) -> None:
    shelf = Shelf(tmp_path, WORDS)
    shelf.path.parent.mkdir()
    shelf.path.write_bytes(data)
    with pytest.raises(KeptError, match=shelf.path.name), shelf.held():
        pass
    shelf.keep(msgspec.structs.replace(KEPT, words={"side": "sell"}))
    with pytest.raises(KeptError, match="is of another order"), shelf.held():
        pass


def stand(units: float, born: int = 1) -> Stand:
    return Stand(
        "paper", "a", "b", 0, None, (), (), {}, 0, 0, None, (), (), {}, traded={"AAA": units, "BBB": 1e9}, born_ns=born
    )


def test_4_counted_once() -> None:
    kept: list[tuple[float, int]] = []
    count = Counter("AAA", 0.5, 1, 10.0, kept=lambda c, lots: kept.append((c.units, lots)))
    assert [count.more(stand(u)) for u in (10.0, 10.2, 10.7, 10.7, 20.0)] == [0, 0, 1, 0, 19]
    assert [count.more(stand(u, 2)) for u in (0.0, 3.0)] == [0, 6]  # another desk counts from nothing
    assert sum(lots for _, lots in kept) == 26 and kept[-1] == (3.0, 6)
    whole, at = 0, 10.0
    for units in (10.2, 10.7, 11.1, 30.0):  # each time a new worker
        again = Counter("AAA", 0.5, 1, at)
        whole += again.more(stand(units))
        at = again.units - again.left * 0.5
    assert whole == 40
