"""A model on the tape, and the ledger that vouches for it.

1. Every call is on the tape and in the ledger once; a call heard before is neither made nor recorded again.
2. After a crash between tape and ledger, the ledger is made whole; an altered or missing line is refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.llm.port import MAX_REQUEST_BYTES, Message, ModelError, Reason, Request
from harness.llm.recorder import Recorded, Replayed, call_of, event_of, reconcile
from harness.llm.scripted import Scripted, says
from harness.llm.tape import Tape, TapeError
from tests.harness.llm.test_money import PRICE
from traces.events import ExchangeRecorded


def ask(label: str = "draft/1", text: str = "u") -> Request:
    return Request(label=label, system="s", messages=(Message(role="user", text=text),))


def recorded(path: Path, events: list[ExchangeRecorded], *texts: str) -> tuple[Recorded, Scripted]:
    scripted = Scripted([says(t) for t in texts])
    return Recorded(scripted, PRICE, Tape(path), "r", events.append), scripted


def test_asked_once_recorded_once(tmp_path: Path) -> None:
    events: list[ExchangeRecorded] = []
    model, scripted = recorded(tmp_path / "t.jsonl", events, "one", "two")
    first = model.ask(ask())
    assert model.ask(ask()) == first and len(scripted.asked) == 1
    assert model.complete(ask("draft/2")).text == "two"
    assert [(e.label, e.cost_micro_usd, e.replayed) for e in events] == [("draft/1", 70, False), ("draft/2", 70, False)]
    resumed, untouched = recorded(tmp_path / "t.jsonl", events)
    assert resumed.ask(ask()) == first
    assert not untouched.asked and len(events) == 2


def test_another_model_is_asked_anew(tmp_path: Path) -> None:
    recorded(tmp_path / "t.jsonl", [], "one")[0].complete(ask())
    other = Recorded(
        Scripted([says("other")], name="scripted:other"), PRICE, Tape(tmp_path / "t.jsonl"), "r", lambda e: None
    )
    assert other.complete(ask()).text == "other"


def test_too_long_a_request_is_not_sent(tmp_path: Path) -> None:
    model, scripted = recorded(tmp_path / "t.jsonl", [], "one")
    with pytest.raises(ModelError, match="send less") as caught:
        model.complete(ask(text="x" * MAX_REQUEST_BYTES))
    assert caught.value.reason is Reason.BAD_REQUEST and not scripted.asked


def test_a_replay_knows_nothing_else(tmp_path: Path) -> None:
    recorded(tmp_path / "t.jsonl", [], "one")[0].complete(ask())
    replay = Replayed(
        Tape(tmp_path / "t.jsonl", ask_outside=False), Tape(tmp_path / "u.jsonl"), "u", lambda e: None, "scripted:model"
    )
    assert replay.complete(ask()).text == "one"
    with pytest.raises(TapeError, match="in other words"):
        replay.complete(ask(text="v"))


def test_the_ledger_is_made_whole_after_a_crash(tmp_path: Path) -> None:
    events: list[ExchangeRecorded] = []
    model, _ = recorded(tmp_path / "t.jsonl", events, "one", "two")
    model.complete(ask())
    model.complete(ask("draft/2"))
    vouched = {events[0].request: events[0].line}  # the second never reached the ledger
    made_up: list[ExchangeRecorded] = []
    assert reconcile(Tape(tmp_path / "t.jsonl"), "r", vouched, made_up.append) == 1
    assert made_up == [events[1]]
    assert reconcile(Tape(tmp_path / "t.jsonl"), "r", {e.request: e.line for e in events}, made_up.append) == 0


def test_an_altered_reply_is_refused(tmp_path: Path) -> None:
    path, events = tmp_path / "t.jsonl", list[ExchangeRecorded]()
    recorded(path, events, "buy")[0].complete(ask())
    vouched = {e.request: e.line for e in events}
    path.write_text(path.read_text().replace('"text":"buy"', '"text":"sell"'))
    assert call_of(next(iter(Tape(path)))).reply.text == "sell"
    with pytest.raises(TapeError, match="it was altered"):
        reconcile(Tape(path), "r", vouched, events.append)
    path.write_text("")
    with pytest.raises(TapeError, match="gone from the tape"):
        reconcile(Tape(path), "r", vouched, events.append)


def test_the_event_speaks_for_the_line(tmp_path: Path) -> None:
    events: list[ExchangeRecorded] = []
    recorded(tmp_path / "t.jsonl", events, "one")[0].complete(ask())
    assert events == [event_of("r", next(iter(Tape(tmp_path / "t.jsonl"))))]
