"""After the merge.

Invariants:
1. A benefit that stands is measured once for each state of the world, and nothing follows.
2. One below its bound is taken to a human as a rollback, once; a crash on the way loses nothing.
3. What cannot be measured is said, and is no decay. What is not in force is not watched.
4. Bars after those that judged are used as soon as there are enough of them.

The returns here are invented, as those of the record are; the bootstrap, git and the ledger are real. The whole of it
on real runs is in tests/supervisor/test_verification.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from ablations.arms import Job, Outcome, run_arms
from ablations.patch import Change
from ablations.record import AblationRecord
from harness.repository import ENGINE
from modules.datastore import DataStore
from modules.panel import iso
from modules.registry import read_settings
from supervisor.aftercare import LATER_DAYS, Watched, _Case, watch
from supervisor.forge.port import find
from supervisor.review import approve
from supervisor.rollback import propose_rollback
from tests.supervisor.conftest import ADA, DAY_NS, SIZE, Desk, certify, shipped_record
from traces.events import Event, PatchWatched, RollbackProposed, TrialRecorded

IN_FORCE = float(read_settings("size", "rank_neutral").model_dump()["no_trade_band"])
BEFORE = 0.04
SETTINGS = f"modules/{SIZE}/settings.yaml"


@dataclass
class Lab:
    """An executor whose arms have invented returns: taking the patch back costs `benefit` a bar."""

    benefit: float
    fails: bool = False
    jobs: list[Any] = field(default_factory=list)

    def map(self, function: Callable[[Job], Outcome], jobs: Sequence[Job], /) -> list[Outcome]:
        assert function is run_arms
        self.jobs += jobs
        return [self._outcome(job, at) for at, job in enumerate(jobs)]

    def _outcome(self, job: Job, at: int) -> Outcome:
        rng = np.random.Generator(np.random.PCG64(at))
        in_force = rng.normal(0.0003, 0.01, 800)
        noise = rng.normal(0.0, 0.001, 800) if self.benefit else 0.0
        back = in_force - self.benefit + noise
        return Outcome(
            name=job.name, task=job.task, baseline=None, patched=None, not_reproduced="", not_contained="",
            failed="the patched arm was refused" if self.fails else "", diverges="",
            ts=np.arange(800, dtype=np.int64) * DAY_NS, series=None if self.fails else (in_force, back),
            bars_per_year=252.0, events=(),
        )  # fmt: skip


def merged(desk: Desk) -> AblationRecord:
    """A patch that brought the settings to what is in force in the code that runs here, merged by a human."""
    text = (desk.root / SETTINGS).read_text()
    (desk.root / SETTINGS).write_text(text.replace(f"no_trade_band: {IN_FORCE}", f"no_trade_band: {BEFORE}"))
    desk.commit()
    record = shipped_record(Change(old=BEFORE, new=IN_FORCE), certificate_id=certify(desk.workspace.certificates))
    approve(desk.workspace, desk.open(record), desk.emit, by=ADA)
    return record


def look(desk: Desk, lab: Lab, emit: Callable[[Event], None] | None = None, **options: Any) -> tuple[Watched, ...]:
    return watch(desk.workspace, desk.forge, emit or desk.emit, executor=lab, **options)


@pytest.mark.slow
def test_1_a_benefit_that_stands(desk: Desk) -> None:
    assert look(desk, Lab(1.0)) == ()
    record = merged(desk)
    lab = Lab(9e-4)
    [found] = look(desk, lab)
    assert found.fresh and found.rollback is None and not found.event.decayed
    assert record.floor is not None and found.event.bound == record.floor.lower_bound
    assert found.event.benefit is not None and found.event.benefit > found.event.bound > 0.0
    assert found.event.lower_bound < found.event.benefit < found.event.upper_bound  # type: ignore[operator]
    [job] = {j.patch.digest: j.patch for j in lab.jobs}.values()
    assert job.changes["no_trade_band"] == Change(old=IN_FORCE, new=BEFORE)
    events = desk.events()
    assert (
        sum(isinstance(e, TrialRecorded) and e.trial_id.startswith("watch-") and e.p_value is None for e in events) == 1
    )
    lab.jobs.clear()
    [again] = look(desk, lab)
    assert (again.event, again.fresh, again.rollback) == (found.event, False, None)
    assert lab.jobs == [] and desk.events() == events


def test_2_a_benefit_below_its_bound_is_taken_to_a_human(desk: Desk) -> None:
    record = merged(desk)
    before = desk.checked_out()
    [found] = look(desk, Lab(-2e-4))
    branch = f"rollback/{record.ablation_id}"
    assert found.event.decayed and found.rollback == branch
    assert desk.checked_out() == before
    request = find(desk.forge, branch)
    assert request.author == str(ENGINE) and request.state == "open"
    body = desk.forge.show(branch).body
    assert "is below its bound" in body and f"data {found.event.data_digest[:16]}" in body
    [again] = look(desk, Lab(-2e-4))
    assert not again.fresh and again.rollback is None
    assert sum(isinstance(e, RollbackProposed) for e in desk.events()) == 1
    approve(desk.workspace, branch, desk.emit, by=ADA)
    assert f"no_trade_band: {BEFORE}" in (desk.root / SETTINGS).read_text()
    assert look(desk, Lab(-2e-4)) == ()


@pytest.mark.slow
def test_2_a_crash_before_the_rollback_loses_nothing(desk: Desk) -> None:
    record = merged(desk)

    def until_asked(event: Event) -> None:
        if isinstance(event, RollbackProposed):
            raise KeyboardInterrupt
        desk.emit(event)

    with pytest.raises(KeyboardInterrupt):
        look(desk, Lab(-2e-4), until_asked)
    assert sum(isinstance(e, PatchWatched) for e in desk.events()) == 1
    lab = Lab(-2e-4)
    [found] = look(desk, lab)
    assert lab.jobs == [] and found.rollback == f"rollback/{record.ablation_id}"
    assert approve(desk.workspace, found.rollback, desk.emit, by=ADA).trailers["Asked-By"] == str(ENGINE)


@pytest.mark.slow
def test_2_no_effect_any_more_is_decay(desk: Desk) -> None:
    merged(desk)
    [found] = look(desk, Lab(0.0))
    assert (found.event.benefit, found.event.decayed) == (0.0, True) and found.rollback


@pytest.mark.slow
def test_3_what_does_not_run_is_said_and_is_no_decay(desk: Desk) -> None:
    merged(desk)
    [found] = look(desk, Lab(0.0, fails=True))
    assert (found.event.benefit, found.event.decayed, found.rollback) == (None, False, None)
    assert "was refused" in found.event.note


@pytest.mark.slow
def test_3_after_the_deadline_nothing_is_begun(desk: Desk) -> None:
    merged(desk)
    events = desk.events()
    lab = Lab(-1.0)
    assert look(desk, lab, deadline_s=time.monotonic() - 1.0) == ()
    assert lab.jobs == [] and desk.events() == events


@pytest.mark.slow
def test_3_what_is_not_in_force_is_not_watched(desk: Desk) -> None:
    certificate_id = certify(desk.workspace.certificates)
    approve(
        desk.workspace,
        desk.open(shipped_record(Change(old=IN_FORCE, new=BEFORE), certificate_id=certificate_id)),
        desk.emit,
        by=ADA,
    )
    lab = Lab(-1.0)
    assert look(desk, lab) == () and lab.jobs == []  # the code that runs here holds another value


@pytest.mark.slow
def test_3_what_a_human_asked_back_already_stays_one_request(desk: Desk) -> None:
    record = merged(desk)
    propose_rollback(desk.workspace, desk.forge, record.ablation_id, "a human's reason", desk.emit)
    [found] = look(desk, Lab(-2e-4))
    assert found.rollback == f"rollback/{record.ablation_id}"
    assert [e.reason for e in desk.events() if isinstance(e, RollbackProposed)] == ["a human's reason"] * 2


@pytest.mark.slow
def test_4_later_bars_are_used_where_there_are_enough(desk: Desk) -> None:
    record = merged(desk)
    version = DataStore(desk.workspace.data).current("us20")

    def on(end: str) -> _Case:
        case = _Case.of(
            desk.workspace, record.model_copy(update={"suite": record.suite.model_copy(update={"end": end})})
        )
        assert case is not None
        return case

    judged = on(iso(version.lockbox_start_ns))
    assert not judged.later and judged.tasks[0].start_ns == version.mining_end_ns
    later = on("2010-01-04")
    assert later.later and later.tasks[0].start_ns == 14_613 * DAY_NS  # 2010-01-04
    assert {t.end_ns for t in later.tasks} == {version.lockbox_start_ns}
    assert judged.question != later.question
    edge = version.lockbox_start_ns // DAY_NS - LATER_DAYS
    assert on(str(np.datetime64(int(edge), "D"))).later and not on(str(np.datetime64(int(edge) + 1, "D"))).later
