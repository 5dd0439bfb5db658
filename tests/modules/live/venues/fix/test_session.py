"""The FIX session, a row a rule: what comes in, what goes out, what is delivered, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.live.venues.fix.codec import Heard, Stream
from modules.live.venues.fix.session import Names, Sequences, Session, Step
from tests.modules.live.venues.peers.fix import frame, unframe

S = 1_000_000_000
NAMES = Names("DESK", "VENUE", heartbeat_s=10, username="me", password="secret")


def message(kind: str, number: int, *fields: tuple[int, object]) -> Heard:
    [heard] = Stream().feed(frame(kind, number, list(fields), "VENUE", "DESK"))
    return heard


def sent(step: Step) -> list[tuple[str, dict[int, str]]]:
    found = [dict(reversed(unframe(data))) for data in step.send]
    return [(m[35], m) for m in found]


def standing(numbers: Sequences | None = None) -> Session:
    session = Session(NAMES, numbers or Sequences(), {}, reset=True)
    session.logon(0)
    assert session.hear(message("A", 1, (98, 0), (108, 10), (141, "Y")), 0).is_up
    return session


def test_a_logon_says_who_and_begins_at_one() -> None:
    fields = dict(unframe(Session(NAMES, Sequences(), {}, reset=True).logon(0)))
    assert (fields[35], fields[34], fields[108], fields[141], fields[553], fields[554]) == (
        "A", "1", "10", "Y", "me", "secret",
    )  # fmt: skip
    assert "secret" not in repr(NAMES)


@pytest.mark.parametrize(
    ("heard", "answer", "more"),
    [
        (message("1", 2, (112, "ping")), "0", {112: "ping"}),
        (message("2", 2, (7, 1), (16, 0)), "4", {34: "1", 36: "2", 123: "Y", 43: "Y"}),
        (message("5", 2, (58, "bye")), "5", {}),
        (message("8", 4, (11, "x")), "2", {7: "2", 16: "0"}),
    ],
)
def test_what_is_answered(heard: Heard, answer: str, more: dict[int, str]) -> None:
    [(kind, fields)] = sent(standing().hear(heard, S))
    assert kind == answer
    assert {tag: fields[tag] for tag in more} == more


def test_nothing_is_delivered_out_of_order_and_a_gap_is_asked_for_once() -> None:
    session = standing()
    first, second = session.hear(message("8", 3, (11, "b")), S), session.hear(message("8", 4, (11, "c")), S)
    assert [k for k, _ in sent(first)] == ["2"] and sent(second) == []
    assert first.deliver == second.deliver == []
    repeats = [message("8", n, (43, "Y"), (11, i)) for n, i in ((2, "a"), (3, "b"), (4, "c"))]
    delivered = [m.need(11) for r in repeats for m in session.hear(r, S).deliver]
    assert delivered == ["a", "b", "c"]
    assert session.hear(message("8", 3, (43, "Y"), (11, "b")), S).deliver == []
    assert [k for k, _ in sent(session.hear(message("8", 7, (11, "f")), S))] == ["2"]


def test_a_gap_fill_goes_on_behind_it_and_never_back() -> None:
    session = standing()
    session.hear(message("8", 5, (11, "d")), S)
    session.hear(message("4", 2, (43, "Y"), (123, "Y"), (36, 5)), S)
    assert [m.need(11) for m in session.hear(message("8", 5, (43, "Y"), (11, "d")), S).deliver] == ["d"]
    assert "goes back" in (session.hear(message("4", 6, (123, "Y"), (36, 3)), S).down or "")


def test_an_order_that_the_venue_missed_is_withheld() -> None:
    session = standing()
    session.application("D", [(11, "old")], S, order="old")
    session.application("F", [(11, "c1")], S)
    session.application("D", [(11, "new")], S, order="new")
    step = session.hear(message("2", 2, (7, 2), (16, 0)), S)
    assert step.withheld == ["old", "new"]
    [(kind, fields)] = sent(step)
    assert (kind, fields[34], fields[36]) == ("4", "2", "5")
    assert dict(unframe(session.application("0", [], S)))[34] == "5"


def test_a_gap_asked_for_again_is_filled_as_before_and_takes_no_later_order_with_it() -> None:
    """A venue asks at each message behind the gap; what we sent after the first fill it hears in order."""
    session = standing()
    session.application("D", [(11, "old")], S, order="old")
    first = session.hear(message("2", 2, (7, 2), (16, 0)), S)
    session.application("D", [(11, "new")], S, order="new")
    again = session.hear(message("2", 3, (7, 2), (16, 0)), S)
    assert (first.filled_from, first.withheld) == (2, ["old"])
    assert (again.filled_from, again.withheld) == (None, [])
    assert [fields[36] for step in (first, again) for _, fields in sent(step)] == ["3", "3"]
    later = session.hear(message("2", 4, (7, 3), (16, 0)), S)
    assert (later.filled_from, later.withheld) == (3, ["new"])


def test_a_resend_is_given_even_if_we_miss_something_too() -> None:
    step = standing().hear(message("2", 9, (7, 1), (16, 0)), S)
    assert [k for k, _ in sent(step)] == ["4", "2"]


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (message("8", 1, (11, "x")), "below 2"),
        (message("1", 2), "no tag 112"),
        (message("2", 2, (7, "x"), (16, 0)), "cannot be read"),
        (message("A", 2, (141, "Y")), "reset"),
    ],
)
def test_what_ends_a_session(heard: Heard, why: str) -> None:
    numbers = Sequences()
    session = standing(numbers)
    session._reset = False
    step = session.hear(heard, S)
    assert why in (step.down or "")
    assert [k for k, _ in sent(step)] == ["5"]
    assert not session.is_up


def test_another_party_is_not_talked_to() -> None:
    [stranger] = Stream().feed(frame("8", 2, [(11, "x")], "OTHER", "DESK"))
    assert "OTHER" in (standing().hear(stranger, S).down or "")


def test_nothing_is_heard_before_the_logon() -> None:
    session = Session(NAMES, Sequences(), {}, reset=True)
    session.logon(0)
    step = session.hear(message("8", 1, (11, "x")), 0)
    assert step.deliver == [] and "before the logon" in (step.down or "")


def test_silence_is_tested_then_ended() -> None:
    session = standing()
    assert [k for k, _ in sent(session.tick(11 * S))] == ["0"]
    assert [k for k, _ in sent(session.tick(13 * S))] == ["1"]
    assert session.tick(20 * S).down is None
    assert "test request" in (session.tick(24 * S).down or "")
    session = standing()
    session.tick(13 * S)
    session.hear(message("0", 2, (112, "x")), 14 * S)
    assert session.tick(24 * S).down is None


def test_no_logon_and_a_gap_that_stays_end_it() -> None:
    session = Session(NAMES, Sequences(), {}, reset=True)
    session.logon(0)
    assert "no logon" in (session.tick(11 * S).down or "")
    session = standing()
    for at in range(1, 30):
        step = session.hear(message("8", 3 + at, (11, "x")), at * S)
        step = session.tick(at * S)
        if step.down:
            break
    assert "not filled" in (step.down or "") and at > 20


def test_numbers_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "numbers"
    numbers = Sequences(file)
    session = Session(NAMES, numbers, {}, reset=False)
    session.logon(0)
    session.hear(message("A", 1), 0)
    session.application("D", [(11, "a")], 0, order="a")
    numbers.close()
    again = Sequences(file)
    assert (again.out, again.into) == (3, 2)
    file.write_text("no numbers")
    with pytest.raises(ValueError, match="two numbers"):
        Sequences(file)
