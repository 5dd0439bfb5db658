"""The loop on real data, end to end: traces to findings to verdicts to a branch that a human merges.

Invariants:
1. Without a certificate nothing ships, and the refusal says how to get one; nothing is lost by having tried.
2. A verdict stands: a second pass tries nothing again, and opens the branch that a crash kept from being opened.
3. The checkout is left as it was found. No run of the supervisor leaves the mining period; only the judge does.
"""

from __future__ import annotations

import json

import pytest

from ablations.record import read_record, recompute
from harness.repository import RepositoryError
from modules.datastore import DataStore
from modules.panel import iso
from supervisor.loop import Budget, supervise
from supervisor.result import SuperviseResult
from supervisor.review import approve
from supervisor.submit import kept_record
from tests.supervisor.conftest import ADA, SIZE, SUITE, Desk, certify, git
from traces.events import AblationFinished, FindingRecorded, RunStarted, TrialRecorded
from traces.verify import verify


def one_pass(desk: Desk, **budget: float) -> SuperviseResult:
    return supervise(
        desk.workspace,
        desk.emit,
        emit_all=lambda events: desk.emit(*events),
        suite=SUITE,
        budget=Budget(**{"seconds": 500.0, "ablations": 1, **budget}),  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_from_traces_to_merge(desk: Desk) -> None:
    head, status = desk.repo.head(), git(desk.root, "status", "--porcelain")

    first = one_pass(desk)
    assert any(f.module == SIZE and f.miner == "cost_share" for f in first.findings)
    [verdict] = first.verdicts
    assert (verdict.module, verdict.verdict, verdict.reason) == (SIZE, "REJECT", "NO_CERTIFICATE")
    assert "cws certify" in verdict.message and verdict.branch is None
    assert any("were run on the mining period" in note for note in first.notes)
    assert (kept_record(desk.workspace, verdict.ablation_id) / "record.json").is_file()
    _only_the_judge_left_the_mining_period(desk)

    certify(desk.workspace.certificates, SUITE, DataStore(desk.workspace.data).current("us20").digest)
    runs = sum(isinstance(e, RunStarted) and e.purpose == "run" for e in desk.events())
    second = one_pass(desk)
    [shipped] = second.verdicts
    assert (shipped.verdict, shipped.reason, shipped.ablation_id) == ("SHIP", "", verdict.ablation_id)
    assert shipped.branch == f"supervisor/{shipped.ablation_id}" and not shipped.standing
    assert shipped.delta and shipped.delta > (shipped.lower_bound or 0.0) > 0.0
    assert sum(isinstance(e, RunStarted) and e.purpose == "run" for e in desk.events()) == runs
    record = read_record(kept_record(desk.workspace, shipped.ablation_id))
    assert recompute(record)[1] == []

    tip = desk.repo.tip(shipped.branch)
    git(desk.root, "update-ref", "-d", f"refs/heads/{shipped.branch}")  # as if the crash had come before it
    third = one_pass(desk, ablations=0)  # other modules have findings too: nothing new is judged
    [standing] = third.verdicts
    assert standing.standing and (standing.verdict, standing.branch) == ("SHIP", shipped.branch)
    assert desk.repo.tip(shipped.branch) is not None
    assert git(desk.root, "rev-parse", f"{shipped.branch}^{{tree}}") == git(desk.root, "rev-parse", f"{tip}^{{tree}}")
    events = desk.events()
    assert sum(isinstance(e, TrialRecorded) and e.family == "ablation" for e in events) == 1
    assert sum(isinstance(e, AblationFinished) for e in events) == 2
    found = [e.finding_id for e in events if isinstance(e, FindingRecorded)]
    assert len(found) == len(set(found))

    assert (desk.repo.head(), git(desk.root, "status", "--porcelain")) == (head, status)
    approval = approve(desk.workspace, shipped.branch, desk.emit, by=ADA)
    assert desk.repo.head() == approval.merge_commit
    assert [r.state for r in desk.forge.list()] == ["merged"]
    assert verify(desk.workspace.ledger, desk.workspace.checkpoints).ok


def _only_the_judge_left_the_mining_period(desk: Desk) -> None:
    version = DataStore(desk.workspace.data).current("us20")
    mining_end, lockbox = iso(version.mining_end_ns), iso(version.lockbox_start_ns)
    events = desk.events()
    judged_from = next(i for i, e in enumerate(events) if e.kind == "ablation.started")
    before = [e for e in events[:judged_from] if isinstance(e, RunStarted)]
    assert before and all(e.end <= mining_end for e in before)
    assert all(e.end <= lockbox for e in events if isinstance(e, RunStarted))


@pytest.mark.slow
def test_a_spent_budget_is_said(desk: Desk) -> None:
    result = one_pass(desk, ablations=0)
    assert result.verdicts == ()
    assert any("budget of ablations is spent" in note for note in result.notes)
    assert json.dumps(result.notes)


def test_no_commits_is_refused_before_anything_is_spent(desk: Desk) -> None:
    git(desk.root, "checkout", "-q", "--orphan", "empty")
    git(desk.root, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(RepositoryError, match="no commits"):
        one_pass(desk)
    assert not desk.workspace.data.exists()


@pytest.mark.parametrize("budget", [{"seconds": 0.0}, {"seconds": -1.0}, {"ablations": -1}])
def test_a_budget_that_buys_nothing_is_refused(desk: Desk, budget: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="budget"):
        one_pass(desk, **budget)
