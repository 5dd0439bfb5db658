"""The day's books beside the venue's statement: each kind of difference, and none where there is none."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest

from modules.live.analysis.breaks import Books, Break, Open, aged, compare
from modules.live.messages import (
    AnyMessage,
    Busted,
    Corrected,
    Filled,
    Marked,
    Moved,
    OpenAtVenue,
    Report,
    Restated,
)

M = 1_000_000


def fill(exec_id: str, lots: int, price: float = 10.0, symbol: str = "A.X", fee: int = 5) -> Filled:
    return Filled("c1", exec_id, symbol, lots, price, round(lots * price * M), fee, 1)


def statement(books: Books, fills: list[Filled] | None = None) -> Report:
    """What a venue says that has what the books have, or other executions."""
    told = list(books.executions.values()) if fills is None else fills
    order = OpenAtVenue("c1", "A.X", 100, tuple(told))
    return Report("sim", (order,), dict(books.positions), books.cash_micros, True, 2)


def books(*messages: AnyMessage, cash: int = 1_000 * M) -> Books:
    made = Books(cash_micros=cash)
    for message in messages:
        made.take(message)
    return made


DAY: tuple[AnyMessage, ...] = (
    fill("e1", 10), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X"), Moved("borrow", "B.X", -3, 1),
    Marked("A.X", 9.0, 1),
)  # fmt: skip


def test_by_hand() -> None:
    found = books(*DAY)
    assert found.positions == {"A.X": 6, "B.X": 7}
    assert found.cash_micros == 1_000 * M - 100 * M + 44 * M - 35 * M - 15 - 3
    assert compare(found, statement(found)) == ()


@pytest.mark.parametrize("seed", range(20))
def test_busts_and_corrections_in_any_order_and_twice(seed: int) -> None:
    changed = Corrected("c1", "e1", "A.X", 9, 10.5, round(9 * 10.5 * M), 7, 2)
    told: list[AnyMessage] = [*DAY[:3], changed, Busted("c1", "e2", 3), DAY[0], changed, Busted("c1", "e2", 3)]
    rng = random.Random(seed)
    rng.shuffle(told)
    found = books(*told)
    assert found.positions == {"A.X": 9, "B.X": 7}
    assert found.cash_micros == 1_000 * M - round(9 * 10.5 * M) - 7 - 35 * M - 5
    assert found.executions["e1"].price == 10.5 and "e2" not in found.executions


def test_a_split_says_what_is_held() -> None:
    found = books(*DAY, Restated("A.X", 24, 4, 1, 5), fill("e4", 1, 3.0))
    assert found.positions["A.X"] == 25


DIFFERENCES = [
    # the venue's executions, what is found
    ([fill("e1", 10), fill("e2", -4, 11.0)], [("missing there", "e3", 35 * M + 5)]),
    ([fill("e1", 10), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X"), fill("e9", 1)],
     [("missing here", "e9", 10 * M + 5)]),
    ([fill("e1", 12), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X")], [("lots", "e1", 20 * M)]),
    ([fill("e1", 10, 10.5), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X")], [("price", "e1", 5 * M)]),
    ([fill("e1", 10), fill("e2", -4, 11.0, fee=9), fill("e3", 7, 5.0, "B.X")], [("fee", "e2", 4)]),
    ([msgspec.structs.replace(fill("e1", 10), value_micros=1), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X")],
     [("value", "e1", 1 - 100 * M)]),
    ([fill("e1", 10, symbol="Z.X"), fill("e2", -4, 11.0), fill("e3", 7, 5.0, "B.X")], [("lots", "e1", 100 * M + 5)]),
    ([], [("missing there", "e1", 100 * M + 5), ("missing there", "e2", -44 * M + 5),
          ("missing there", "e3", 35 * M + 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("told", "wanted"), DIFFERENCES)
def test_executions_that_differ(told: list[Filled], wanted: list[tuple[str, str, int]]) -> None:
    ours = books(*DAY)
    assert [(b.what, b.subject, b.micros) for b in compare(ours, statement(ours, told))] == wanted


def test_positions_cash_and_an_incomplete_statement() -> None:
    ours = books(*DAY)
    said = statement(ours)
    other = msgspec.structs.replace(
        said, positions={"A.X": 5, "B.X": 7, "C.X": 2, "D.X": 0}, cash_micros=said.cash_micros - 1
    )
    found = compare(ours, other, {"A.X": 9.0 * M})
    assert [(b.what, b.subject, b.micros) for b in found] == [
        ("position", "A.X", -9 * M),
        ("position", "C.X", None),
        ("cash", "cash", -1),
    ]
    gone = compare(ours, msgspec.structs.replace(said, positions={"B.X": 7}))
    assert [(b.subject, b.ours, b.theirs) for b in gone] == [("A.X", "6 lots", "0 lots")]
    part = compare(ours, msgspec.structs.replace(said, complete=False, positions={}))
    assert [b.what for b in part] == ["statement"]


def test_breaks_grow_old_until_they_are_gone() -> None:
    one, two = (Break("position", s, s, "1 lots", "2 lots", None) for s in ("A.X", "B.X"))
    mon, tue, wed, thu = "2023-01-09", "2023-01-10", "2023-01-11", "2023-01-12"
    monday = aged((), [one], mon)
    assert monday == (Open(one, mon, mon, 1),) == aged(monday, [one], mon)
    worse = replace(one, theirs="3 lots")
    tuesday = aged(monday, [two, worse], tue)
    assert tuesday == (Open(worse, mon, tue, 2), Open(two, tue, tue, 1))
    assert aged(tuesday, [two], wed) == (Open(two, tue, wed, 2),)
    assert aged(aged(tuesday, [], wed), [one], thu) == (Open(one, thu, thu, 1),)
    with pytest.raises(ValueError, match="days in order"):
        aged(tuesday, [], mon)
