"""A drafter opened for one research, with what the ledger says of the tapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drafters.model.drafter import ModelDrafter
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.opening import Opening, open_drafter, vouched
from harness.llm.recorder import Recorded, settle_price
from harness.llm.scripted import Scripted
from harness.llm.tape import Tape, TapeError, tape_path
from tests.harness.llm.answers import FREE, TEXT, drafter, reading
from traces.events import ExchangeRecorded
from traces.ledger import Ledger

FIRST = "research-1"


def recorded(home: Path) -> Ledger:
    """A research that asked a model, on its tape and in the ledger."""
    ledger, tape = Ledger(home / "ledger", home / "checkpoints"), Tape(tape_path(home, FIRST))

    def emit(event: ExchangeRecorded) -> None:
        ledger.append(event)

    settle_price(tape, tape, FIRST, emit, FREE.name, lambda: FREE)
    made, _ = drafter(tape, [])
    model = Recorded(Scripted([reading()]), FREE, tape, FIRST, emit)
    ModelDrafter(type(made.opened)(model, FREE, None), made.known).specify(TEXT, seed=0)
    return ledger


def replay(home: Path, events: list[ExchangeRecorded]) -> ModelDrafter:
    opened = open_drafter(Opening(f"replay:{FIRST}", home, "research-2", events.append)).drafter
    assert isinstance(opened, ModelDrafter)
    return opened


def test_offline_touches_nothing(tmp_path: Path) -> None:
    opened = open_drafter(Opening("offline", tmp_path, FIRST, lambda e: None))
    assert isinstance(opened.drafter, OfflineDrafter) and opened.cutoff is None
    assert not list(tmp_path.iterdir())


def test_the_ledger_vouches_for_every_line(tmp_path: Path) -> None:
    recorded(tmp_path)
    known = vouched(FIRST, tmp_path / "ledger")
    assert set(known) == {e.digest for e in Tape(tape_path(tmp_path, FIRST))} and len(known) == 2
    assert vouched("research-0", tmp_path / "ledger") == {}


def test_a_replay_of_an_altered_reply_is_refused(tmp_path: Path) -> None:
    recorded(tmp_path)
    events: list[ExchangeRecorded] = []
    found = replay(tmp_path, events).specify(TEXT, seed=0)
    assert found.reading is not None and found.reading.sign == -1 and len(events) == 2
    path = tape_path(tmp_path, FIRST)
    path.write_bytes(path.read_bytes().replace(rb"Hurried sellers", rb"Buy now! sellers"))
    with pytest.raises(TapeError, match="it was altered"):
        replay(tmp_path, events)
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    with pytest.raises(TapeError, match="gone from the tape"):
        replay(tmp_path, events)


def test_a_tape_from_elsewhere_can_be_replayed(tmp_path: Path) -> None:
    recorded(tmp_path / "there")
    here = tape_path(tmp_path / "here", FIRST)
    here.parent.mkdir(parents=True)
    here.write_bytes(tape_path(tmp_path / "there", FIRST).read_bytes())
    assert replay(tmp_path / "here", []).specify(TEXT, seed=0).reading is not None
