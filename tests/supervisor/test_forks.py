"""Forks of a workspace, and ledgers that forget: attacks of a peeking supervisor that need git and a real ledger.

The others stand in tests/ablations/test_peeking.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ablations.stream import trials_so_far
from ablations.trials import TrialBook, first_level
from modules.workspace import Workspace
from supervisor.refusals import Refusal, ReviewError
from supervisor.review import approve
from tests.supervisor.conftest import Desk
from traces.events import TrialRecorded
from traces.log import LedgerError

ADA = "Ada Byron <ada@example.org>"


def trial(number: int) -> TrialRecorded:
    return TrialRecorded(
        trial_id=f"{number:016x}",
        family="ablation",
        subject="size/rank_neutral",
        data_digest="d" * 64,
        p_value=0.5,
        level=1e-3,
        rejected=False,
    )


def fork(desk: Desk, folder: Path) -> Desk:
    """The same checkout with a copy of all state, as it was when it had seen few trials."""
    shutil.copytree(desk.workspace.home, folder, dirs_exist_ok=True)
    return Desk(Workspace(desk.root, folder))


def test_what_a_fork_ships_cannot_be_merged_where_its_trials_are_unknown(desk: Desk, tmp_path: Path) -> None:
    """In a fork the stream is young and its levels are high; its branch is no request of this workspace."""
    desk.emit(trial(0))
    young = fork(desk, tmp_path / "fork")
    desk.emit(*(trial(i) for i in range(1, 30)))
    here, there = (TrialBook.replay(trials_so_far(d.workspace)).ticket("new").level for d in (desk, young))
    assert there > 5.0 * here
    branch = young.open()
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.NOT_TRACED
    assert desk.snapshot() == before
    approve(young.workspace, branch, young.emit, by=ADA)  # where its trials stand a human may


def test_a_trial_made_again_in_a_fork_pays_in_the_stream_it_comes_to(desk: Desk, tmp_path: Path) -> None:
    desk.emit(trial(0))
    young = fork(desk, tmp_path / "fork")
    desk.emit(*(trial(i) for i in range(1, 30)))
    there, here = (TrialBook.replay(trials_so_far(d.workspace)).ticket("mine") for d in (young, desk))
    assert (there.place, here.place, here.known) == (2, 31, False)
    assert here.level < 0.2 * there.level < first_level()


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_a_ledger_that_forgets_trials_is_refused(desk: Desk, kept: int) -> None:
    """The last trials cut off, so that the next is granted a level as if they had not been."""
    for i in range(10):
        desk.emit(trial(i))
    [log] = [p for p in desk.workspace.ledger.rglob("*") if p.is_file() and p.read_bytes().count(b"trial.recorded") > 1]
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:kept]))
    with pytest.raises(LedgerError):
        trials_so_far(desk.workspace)
