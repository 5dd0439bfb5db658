"""What `cws verify` makes of a reflection's tape: the record's patch must be what the model wrote on that base."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.patch import Change
from harness.llm.scripted import Scripted
from supervisor.case import ORIGIN, TAPE
from supervisor.origin import Origin
from supervisor.proposers.reflection import tape_of
from supervisor.verification import Case, _tape
from tests.supervisor.conftest import SIZE, Desk, shipped_record
from tests.supervisor.proposers.test_reflection import BAND, GOOD, PATH, answer, reflecting
from tests.supervisor.proposers.test_reflection import desk as proposers_desk


@pytest.mark.parametrize(("new", "holds"), [(0.02, True), (0.03, False)])
def test_the_patch_is_the_one_that_was_written(desk: Desk, tmp_path: Path, new: float, holds: bool) -> None:
    proposal = reflecting(tmp_path, Scripted([answer(GOOD)])).propose(SIZE, [BAND], proposers_desk())
    assert proposal is not None and proposal.tape is not None
    tape = tape_of(tmp_path, proposal.tape)
    assert tape is not None
    settings = desk.root / PATH
    settings.write_text(settings.read_text().replace("no_trade_band: 0.0", f"no_trade_band: {new}"))
    commit = desk.commit(message="what the record says")
    origin = Origin(proposer="reflection", rationale="", tape=proposal.tape, findings=())
    files = {TAPE: tape.read_bytes(), ORIGIN: origin.model_dump_json().encode()}
    record = shipped_record(Change(old=0.0, new=new))
    check = _tape(record, Case("a", "here", commit, files), desk.repo)
    assert check.holds is holds
    assert holds or "another patch" in check.words
    assert _tape(record, Case("a", "here", None, files), None).holds is True  # without git the tape alone is proven
