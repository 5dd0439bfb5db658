"""The board's figures, against the ledger that they were read from.

1. What is counted agrees with what the gate counts: trials, discoveries, the next level.
2. Read piece by piece or at once, the board is the same.
3. A request goes from waiting to merged or turned down as git and the ledger say, and a merge is an improvement.
4. A finding waits in the queue until a verdict on its module comes after it.
5. Reading changes nothing, and needs neither a ledger nor a git checkout.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import pytest

from ablations import patch as patch_of
from ablations.trials import TrialBook
from modules.workspace import Workspace
from supervisor.board import BoardReader, read_board
from supervisor.board.curves import allowance, curves, wilson
from supervisor.board.fold import Fold
from supervisor.board.lists import gains, judged, queue, verdicts
from supervisor.review import approve
from tests.supervisor.board.story import ADA, ablation, finding, groups, spending, write
from tests.supervisor.conftest import Desk, certify, shipped_record
from traces.events import (
    AblationStarted,
    ArmPulled,
    Change,
    Envelope,
    Event,
    PatchProposed,
    PatchRolledBack,
    PatchWatched,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
)
from traces.ledger import Ledger
from traces.reader import read


def a_workspace(folder: Path, verdicts: int) -> Workspace:
    """A workspace without git, its ledger that of a story."""
    home = folder / "home-of-it"
    place = Workspace(root=folder, home=home)
    write(place.ledger, place.checkpoints, verdicts)
    return place


def folded(*events: Event) -> Fold:
    """Events, a second apart."""
    fold = Fold()
    for seq, event in enumerate(events):
        fold.take(Envelope(seq=seq, ts_ns=(seq + 1) * 1_000_000_000, prev="0" * 64, event=event))
    return fold


def test_1_the_account_is_the_gate_s(tmp_path: Path) -> None:
    place = a_workspace(tmp_path, 31)
    board = read_board(place)
    book = TrialBook.replay(e.event for e in read(place.ledger, place.checkpoints))
    assert (board.discovery.trials, board.discovery.discoveries) == (len(book), book.discoveries) == (31, 11)
    assert board.discovery.next_level == book.ticket("new").level
    assert board.discovery.allowed == pytest.approx(0.05 * 11) and board.discovery.looks == {"screen": 31}
    assert board.discovery.spent == pytest.approx(sum(v.level or 0.0 for v in board.verdicts))
    assert board.discovery.wealth == pytest.approx(board.discovery.allowed - board.discovery.spent)
    assert (board.acceptance.judged, board.acceptance.shipped) == (31, 11)
    assert board.acceptance.merged == 6 and board.acceptance.turned_down == 3
    assert board.counts.events == sum(1 for _ in read(place.ledger)) and board.counts.verdicts == 31
    assert sum(board.reasons.values()) == 20 and "GUARD" in board.reasons
    assert sum(m.judged for m in board.modules) == 31 and sum(m.merged for m in board.modules) == 6
    assert board.gain == pytest.approx(sum(v.delta or 0.0 for v in board.verdicts if v.fate == "merged"))
    assert [v.place for v in board.verdicts] == list(range(31, 0, -1))
    spent = board.spending[0]
    assert (spent.calls, spent.input_tokens, spent.cost_usd) == (6, 6_000, pytest.approx(0.075))
    assert (board.effect.researches, board.effect.modules) == (2, 1)
    assert json.loads(json.dumps(asdict(board), allow_nan=False))["counts"]["nights"] == 3


def test_1_a_trial_counts_once_and_a_verdict_reached_again_moves_to_the_end() -> None:
    rng = random.Random(1)
    first, second = (ablation(n, f"size/m{n}", "band", n == 1, 0.001, rng) for n in (1, 2))
    fold = folded(*first, *second, *first)
    assert len(fold.tested) == 2 and [t.started.module for t in judged(fold)] == ["size/m2", "size/m1"]


def test_1_the_interval_of_a_rate() -> None:
    # Newcombe (1998), table I: 81 of 263, Wilson's score interval without continuity correction.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_1_what_the_levels_may_sum_to() -> None:
    # LORD++: the first wealth before the first discovery, then the rate for each.
    assert [allowance(n) for n in (0, 1, 2, 20)] == pytest.approx([0.025, 0.05, 0.1, 1.0])


def test_2_piece_by_piece(tmp_path: Path) -> None:
    place = Workspace(root=tmp_path, home=tmp_path / "home-of-it")
    reader = BoardReader(place)
    assert reader.read().counts.events == 0
    with Ledger(place.ledger, place.checkpoints) as ledger:
        for events in groups(9):
            ledger.append(*events)
            assert reader.read() == read_board(place)
        ledger.append(*spending(3, None))
    assert reader.read() == read_board(place)
    assert reader.read().spending[0].unpriced == 3


def test_3_from_waiting_to_merged(desk: Desk) -> None:
    record = shipped_record(patch_of.Change(old=0.0, new=0.04), certificate_id=certify(desk.workspace.certificates))
    patch = {name: Change(old=c.old, new=c.new) for name, c in record.patch.changes.items()}
    module, suite = record.patch.module, record.suite
    desk.emit(
        AblationStarted(
            ablation_id=record.ablation_id, module=module, patch=patch, suite=suite.name, suite_digest=suite.digest
        )
    )
    branch = desk.open(record)
    reader = BoardReader(desk.workspace)
    waiting = reader.read()
    assert waiting.requests is not None and [r.branch for r in waiting.requests] == [branch]
    assert waiting.requests[0].kind == "patch" and "no_trade_band" in waiting.requests[0].title
    assert waiting.counts.requests == 1 and waiting.verdicts[0].fate == "waiting" and waiting.gain == 0.0
    approve(desk.workspace, branch, desk.emit, by=ADA)
    merged = reader.read()
    assert merged.requests == () and merged.verdicts[0].fate == "merged" and merged.verdicts[0].by == ADA
    assert record.floor is not None and merged.gain == record.floor.delta
    assert [(c.name, c.y) for c in merged.curves.gains] == [(module, (pytest.approx(record.floor.delta),))]


def test_3_merged_and_turned_down_by_name() -> None:
    rng = random.Random(2)
    merged, refused = ablation(1, "size/a", "band", True, 0.001, rng), ablation(2, "size/a", "band", True, 0.001, rng)
    fold = folded(
        *merged,
        *refused,
        *(ReviewOpened(branch=f"supervisor/{n:016x}", ablation_id=f"{n:016x}", commit="c" * 40) for n in (1, 2)),
        ReviewApproved(branch=f"supervisor/{1:016x}", by=ADA, merge_commit="e" * 40),
        ReviewRejected(branch=f"supervisor/{2:016x}", by=ADA, reason="no"),
    )
    assert [(t.merged_ns is not None, t.turned_down, t.by) for t in judged(fold)] == [
        (True, False, ADA),
        (False, True, ADA),
    ]


def test_3_watched_and_taken_back() -> None:
    trial = ablation(1, "size/a", "band", True, 0.001, random.Random(2))
    branch, ablation_id = f"supervisor/{1:016x}", f"{1:016x}"
    merged = (
        ReviewOpened(branch=branch, ablation_id=ablation_id, commit="c" * 40),
        ReviewApproved(branch=branch, by=ADA, merge_commit="e" * 40),
    )
    watched = PatchWatched(
        ablation_id=ablation_id,
        question="q",
        data_digest="d" * 64,
        start="2010-01-01",
        end="2011-01-01",
        later=True,
        benefit=-0.02,
        lower_bound=-0.1,
        upper_bound=0.04,
        bound=0.05,
        decayed=True,
        seconds=1.0,
    )
    back = PatchRolledBack(ablation_id=ablation_id, branch=branch, by=ADA, reason="decayed", merge_commit="f" * 40)
    standing = gains(judged(folded(*trial, *merged, watched)))[0]
    assert (standing.merged, standing.measured, standing.now) == (1, 1, -0.02) and standing.gain > 0.0
    fold = folded(*trial, *merged, watched, back)
    (row,) = verdicts(fold, judged(fold), 5)
    assert (row.fate, row.benefit, row.decayed) == ("rolled back", -0.02, True)
    gone = gains(judged(fold))[0]
    assert (gone.merged, gone.gain, gone.measured) == (0, 0.0, 0)
    (line,) = curves(fold, judged(fold)).gains
    assert line.y[0] > 0.0 and line.y[-1] == 0.0


def test_4_the_queue(tmp_path: Path) -> None:
    rng = random.Random(3)
    early, late = finding(1, "size/a"), finding(2, "size/b")
    proposed = PatchProposed(
        proposal_id="p",
        proposer="search",
        module="size/b",
        findings=[late.finding_id],
        patches=["9" * 64],
        changes={"band": Change(old=0.0, new=0.1)},
    )
    pull = ArmPulled(
        night_id="n", pull=0, module="size/c", proposer="relook", why="due", score=None, due="2026-12-24T00:00:00Z"
    )
    fold = folded(early, late, proposed, pull)
    rows = [(q.module, q.state, q.proposer, q.findings) for q in queue(fold, judged(fold), 9)]
    assert rows == [
        ("size/c", "under way", "relook", 0),
        ("size/a", "found", "", 1),
        ("size/b", "proposed", "search", 1),
    ]
    fold = folded(early, late, proposed, *ablation(1, "size/b", "band", False, 0.001, rng))
    assert [q.module for q in queue(fold, judged(fold), 9)] == ["size/a"]


def test_5_reading_changes_nothing(desk: Desk) -> None:
    desk.open()
    before, files = desk.snapshot(), sorted(p for p in desk.workspace.home.rglob("*"))
    read_board(desk.workspace)
    assert desk.snapshot() == before and sorted(p for p in desk.workspace.home.rglob("*")) == files


def test_5_nothing_there_at_all(tmp_path: Path) -> None:
    place = Workspace(root=tmp_path / "bare", home=tmp_path / "none")
    place.root.mkdir()
    board = read_board(place)
    assert board.requests is None and board.last_ns == 0 and board.acceptance.rate is None
    assert not place.home.exists()
