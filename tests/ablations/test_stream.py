"""The stream of trials as a long process reads it.

1. Whatever this process read before, it has every trial of the ledger, once and in order; it parses no other kind.
2. A ledger that is shorter than it was, or another one, is refused: it would forget trials.
3. What is not signed was never acknowledged, and is no trial.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ablations.stream import MOST_LEDGERS, trials_so_far
from modules.workspace import CHECKOUT, Workspace
from traces.events import Event, LedgerRepaired, TrialRecorded
from traces.ledger import Ledger
from traces.log import LedgerError


def trial(number: int) -> TrialRecorded:
    return TrialRecorded(trial_id=f"t{number}", family="ablation", subject="s", data_digest="d")


def noise() -> Event:
    return LedgerRepaired(file='"kind":"trial.recorded"', torn_bytes=1, sha256="0" * 64, complete_lines=0)


def test_every_trial_once_and_in_order(tmp_path: Path) -> None:
    workspace = Workspace(CHECKOUT, tmp_path)
    assert trials_so_far(workspace) == []
    expected: list[Event] = []
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        for number in range(5):
            ledger.append(noise(), trial(number), noise())
            expected.append(trial(number))
            assert trials_so_far(workspace) == expected
            assert trials_so_far(workspace) == expected
    trials_so_far(workspace).clear()
    assert trials_so_far(workspace) == expected, "what a caller does with its list is its affair"


def test_a_ledger_that_forgot_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(CHECKOUT, tmp_path / "home")
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        ledger.append(trial(0))
        shutil.copytree(workspace.home, tmp_path / "old")
        ledger.append(trial(1))
    assert len(trials_so_far(workspace)) == 2
    shutil.rmtree(workspace.home)
    shutil.copytree(tmp_path / "old", workspace.home)  # an older log with the checkpoint that was signed for it
    with pytest.raises(LedgerError):
        trials_so_far(workspace)
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        ledger.append(trial(7), trial(8))
    with pytest.raises(LedgerError, match="does not continue the chain"):
        trials_so_far(workspace)


def test_what_was_not_acknowledged_is_no_trial(tmp_path: Path) -> None:
    workspace = Workspace(CHECKOUT, tmp_path)
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        ledger.append(trial(0))
        kept = (workspace.checkpoints / "checkpoint.json").read_bytes()
        ledger.append(trial(1))
    (workspace.checkpoints / "checkpoint.json").write_bytes(kept)  # the crash came before the signature
    assert trials_so_far(workspace) == [trial(0)]


def test_a_process_keeps_its_place_in_so_many_ledgers(tmp_path: Path) -> None:
    from ablations import stream

    for number in range(MOST_LEDGERS + 3):
        workspace = Workspace(CHECKOUT, tmp_path / str(number))
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
            ledger.append(trial(number))
        assert trials_so_far(workspace) == [trial(number)]
    assert len(stream._PLACES) == MOST_LEDGERS
