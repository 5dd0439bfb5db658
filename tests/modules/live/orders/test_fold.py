"""What recorded messages add up to, and what of a report has to be recorded.

1. Of a report only what the book has just so is left out, and leaving it out changes nothing.
2. Ids are functions of the decision, tell whose they are and when it was, and sort by that time.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace as changed

from modules.live.messages import Ask, Cancelled, Filled, OpenAtVenue, Report, Ruled
from modules.live.orders import ids
from modules.live.orders.fold import Fold

A, B = (ids.client_id("main", "alpha", n, "AAA") for n in (1, 2))


def ask(client_id: str, lots: int) -> Ask:
    return Ask(client_id, "alpha", "AAA", lots, "sim", "paper", "b", 1)


def fill(client_id: str, exec_id: str, lots: int, fee: int = 0) -> Filled:
    return Filled(client_id, exec_id, "AAA", lots, 10.0, lots * 10_000_000, fee, 1)


def fold() -> Fold:
    """A filled whole; B reduced to 6, 4 of them filled, and cancelled."""
    found = Fold("main")
    for message in (
        Report("sim", (), {}, 0, True, 1), ask(A, 10), Ruled(A, 0, 0, 10, None, None, 1), fill(A, "a", 10),
        ask(B, 10), Ruled(B, 1, 0, 6, None, None, 1), fill(B, "b", 4), Cancelled(B, 1),
    ):  # fmt: skip
        found.take(message)
    return found


WHOLE = OpenAtVenue(A, "AAA", 10, (fill(A, "a", 10),), "filled")
CUT = OpenAtVenue(B, "AAA", 6, (fill(B, "b", 4),), "cancelled")
ROWS = [
    ("just so", WHOLE, False),
    ("just so, reduced", CUT, False),
    ("another end without a fill between", changed(CUT, ended="expired"), False),
    ("other lots", changed(CUT, lots=10), True),
    ("open", changed(CUT, ended=None), True),
    ("not filled whole", changed(WHOLE, ended="cancelled"), True),
    ("one fill more", changed(CUT, fills=(fill(B, "b", 4), fill(B, "c", 1))), True),
    ("a fill less", changed(CUT, fills=()), True),
    ("a fee", changed(CUT, fills=(fill(B, "b", 4, 7),)), True),
    ("another instrument", changed(WHOLE, symbol="BBB"), True),
    ("not known", changed(WHOLE, client_id=ids.client_id("main", "alpha", 3, "AAA")), True),
]


@pytest.mark.parametrize(("name", "told", "is_news"), ROWS, ids=[r[0] for r in ROWS])
def test_what_of_a_report_is_recorded(name: str, told: OpenAtVenue, is_news: bool) -> None:
    whole, cut = fold(), fold()
    orders = (told, CUT if told.client_id == A else WHOLE)
    report = Report("sim", orders, {"AAA": 14}, 0, True, 2)
    news = cut.news_in(report)
    assert [o.client_id for o in news.orders] == ([told.client_id] if is_news else [])
    for _ in range(2):
        whole.take(report)
        cut.take(news)
    assert whole.book == cut.book and whole.admission == cut.admission
    assert (cut.admission.cancel_only is None) or is_news


def test_an_open_order_is_never_left_out() -> None:
    found = fold()
    third = ids.client_id("main", "alpha", 3, "AAA")
    found.take(ask(third, 5))
    found.take(Ruled(third, 0, 0, 5, None, None, 1))
    told = OpenAtVenue(third, "AAA", 5, (), "cancelled")
    assert found.news_in(Report("sim", (told,), {}, 0, True, 1)).orders == (told,)


def test_ids() -> None:
    rng = random.Random(1)
    given = [(rng.choice("xy"), rng.choice("st"), rng.randrange(2**63), rng.choice("AB"), n % 3) for n in range(500)]
    made = [ids.client_id(*g) for g in given]
    assert made == [ids.client_id(*g) for g in given] and len(set(made)) == len(set(given))
    for (account, _, decided, _, _), client_id in zip(given, made, strict=True):
        assert ids.is_of(account, client_id) and not ids.is_of("z" + account, client_id)
        assert ids.decided_ns(client_id) == decided and len(client_id) == 31
    mine = sorted((g[2], i) for g, i in zip(given, made, strict=True) if g[0] == "x")
    assert [i for _, i in mine] == sorted(i for _, i in mine)
    for wrong in ("", "o1", made[0][:-1], made[0] + "0", made[0].upper()):
        assert not ids.is_of("x", wrong) and not ids.is_of("y", wrong)
        with pytest.raises(ValueError, match="not made by"):
            ids.decided_ns(wrong)
    for wrong_time in (-1, 2**63):
        with pytest.raises(ValueError, match="decided_ns"):
            ids.client_id("x", "s", wrong_time, "A")
