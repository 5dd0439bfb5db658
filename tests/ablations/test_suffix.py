"""Only what a patch can have changed is run again.

1. A second patch of a stage executes that stage and those after it once a task, and nothing before it; the prefix is
   known by digest, and its digests are the baseline's.
2. The baseline is executed anew for each ablation: stages that tasks share once, the others once a task.
3. Where a patch changes no bit of its own stage, nothing after it is executed either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from ablations import arms
from ablations.ablate import ablate
from ablations.patch import propose, together
from ablations.record import AblationRecord
from ablations.suite import Suite, load_suite
from modules import pipeline
from modules.contract import STAGES, Module
from modules.known import Known
from modules.registry import load_module
from modules.workspace import CHECKOUT, Workspace
from traces.events import Event, StageFinished

pytestmark = pytest.mark.slow
TASKS = 6


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(CHECKOUT, tmp_path_factory.mktemp("suffix"))


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each stage's module was really run."""
    counted: Counter[str] = Counter()
    honest = pipeline._compute

    def counting(module: Module, *rest: object) -> Known:
        counted[module.stage] += 1
        return honest(module, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "_compute", counting)
    yield counted


def suite() -> Suite:
    full = load_suite("planted_slow")
    return full.model_copy(update={"tasks": full.tasks[:TASKS]})


def judged(workspace: Workspace, module: str, **changes: float) -> tuple[AblationRecord, list[Event]]:
    arms._PROVEN.clear()  # as in a process that begins
    stage, _, name = module.partition("/")
    events: list[Event] = []
    patch = propose(load_module(stage, name), changes)
    return ablate(patch, suite(), workspace, events.append, history=lambda: ()), events


def test_the_causal_suffix_and_nothing_else(workspace: Workspace, executed: Counter[str]) -> None:
    judged(workspace, "size/vol_target", no_trade_band=0.004)
    executed.clear()
    record, events = judged(workspace, "size/vol_target", no_trade_band=0.003)
    # Baseline anew: ingest is the same for all tasks. Then the patched arm: sizing and what follows.
    anew = {"ingest": 1} | dict.fromkeys(("clean", "feature", "backtest", "size", "execute"), TASKS)
    assert dict(executed) == {**anew, "size": 2 * TASKS, "execute": 2 * TASKS}
    for task in record.tasks:
        same = [s for s in STAGES if task.baseline[s] == task.patched[s]]
        assert same == ["ingest", "clean", "feature", "backtest"]
    patched = {run for _, run in record.runtime.runs}
    cached = {(e.stage, e.cached) for e in events if isinstance(e, StageFinished) and e.run_id in patched}
    assert cached == {(s, s not in ("size", "execute")) for s in STAGES}


def test_an_early_stage_runs_all_after_it(workspace: Workspace, executed: Counter[str]) -> None:
    judged(workspace, "feature/technical", smoothing_bars=2)
    executed.clear()
    record, _ = judged(workspace, "feature/technical", smoothing_bars=3)
    after = ("feature", "backtest", "size", "execute")
    assert dict(executed) == {"ingest": 1, "clean": TASKS} | dict.fromkeys(after, 2 * TASKS)
    assert {t.diverges.split(" ")[0] for t in record.tasks} == {"feature/technical"}


def test_what_changes_no_bit_stops_where_it_is(workspace: Workspace, executed: Counter[str]) -> None:
    """A bound on leverage that never binds: sizing is run, and gives what it gave; execution is not asked."""
    judged(workspace, "size/vol_target", gross_leverage=0.99)
    executed.clear()
    record, _ = judged(workspace, "size/vol_target", gross_leverage=0.98)
    assert executed["size"] == 2 * TASKS
    assert executed["execute"] == TASKS
    assert all(t.baseline == t.patched for t in record.tasks)


def test_each_half_of_a_patch_of_two_costs_its_suffix(workspace: Workspace, executed: Counter[str]) -> None:
    """Neither, first, second, both: the first half alone shares the features that both together need."""
    judged(workspace, "feature/technical", smoothing_bars=2)
    executed.clear()
    arms._PROVEN.clear()
    first = propose(load_module("feature", "technical"), {"smoothing_bars": 4})
    second = propose(load_module("size", "vol_target"), {"no_trade_band": 0.002})
    ablate(together(first, second), suite(), workspace, lambda event: None, history=lambda: ())
    assert executed["feature"] == 2 * TASKS, "anew; the first half, which both together share"
    assert executed["backtest"] == 2 * TASKS
    assert executed["size"] == 4 * TASKS, "anew, the first half alone, the second alone, both"
    assert executed["execute"] == 4 * TASKS
    executed.clear()
    arms._PROVEN.clear()
    third = propose(load_module("size", "vol_target"), {"no_trade_band": 0.003})
    ablate(together(first, third), suite(), workspace, lambda event: None, history=lambda: ())
    assert executed["feature"] == TASKS, "anew; the first half alone is known from before"
    assert executed["size"] == 3 * TASKS, "anew, the second half alone, both"
