"""Events in groups: order kept, nothing that others rely on waits."""

from __future__ import annotations

from supervisor.grouping import MOST_WAITING, Grouped, one_by_one
from traces.events import Event, ReviewApproved, RunFinished


def _run(at: int) -> RunFinished:
    return RunFinished(run_id=f"run-{at}", digest="d", metrics={}, seconds=0.0)


REVIEW = ReviewApproved(branch="b", by="Ada", merge_commit="c")


def test_runs_wait_for_what_follows_them() -> None:
    groups: list[list[Event]] = []
    emit = Grouped(lambda events: groups.append(list(events)))
    emit(_run(0))
    emit(_run(1))
    assert groups == []
    emit(REVIEW)
    assert groups == [[_run(0), _run(1), REVIEW]]
    emit(_run(2))
    emit.flush()
    emit.flush()
    assert groups[1:] == [[_run(2)]]


def test_a_group_has_a_limit() -> None:
    groups: list[list[Event]] = []
    emit = Grouped(lambda events: groups.append(list(events)))
    for at in range(MOST_WAITING + 1):
        emit(_run(at))
    assert [len(g) for g in groups] == [MOST_WAITING]


def test_a_ledger_known_by_its_emit_gets_them_one_by_one() -> None:
    seen: list[Event] = []
    emit = Grouped(one_by_one(seen.append))
    emit(_run(0))
    emit(REVIEW)
    assert seen == [_run(0), REVIEW]
