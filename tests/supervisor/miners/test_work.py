"""Miners of refusals, retries and time."""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.miners.cache_misses import CacheMisses
from supervisor.miners.refusals import Refusals
from supervisor.miners.retried_runs import RetriedRuns
from supervisor.miners.slow_stages import SlowStages
from tests.supervisor.conftest import CLEAN, FEATURE, IN_FORCE, SIZE, Traces
from traces.events import RunFailed, RunFinished, StageRefused


def refuse(traces: Traces, run_id: str, rules: Mapping[str, int], code: str = "code-now") -> None:
    traces.events.append(
        StageRefused(
            run_id=run_id,
            stage="feature",
            module="expression",
            side="acceptance",
            rules=rules,
            message="m",
            code_digest=code,
            settings_digest="settings-now" if code else "",
        )
    )


def test_refusals_by_rule(traces: Traces) -> None:
    refuse(traces, traces.run({}), {"signal: has a value in 41.0% of the cells": 7})
    refuse(traces, traces.run({}), {"signal: has a value in 12.5% of the cells": 5, "signal: same for all": 1})
    refuse(traces, traces.run({}, end="2010-01-01"), {"signal: same for all": 1})  # beyond the mining period
    refuse(traces, traces.run({}, purpose="ablation"), {"signal: same for all": 1})  # a patch's arm
    refuse(traces, traces.run({}), {"signal: same for all": 1}, code="code-before")
    found = Refusals().mine(traces.mined())
    assert [(f.module, f.size, f.occurrences, f.evidence) for f in found] == [
        (FEATURE, 12.0, 2, ("run-000", "run-001")),
        (FEATURE, 1.0, 1, ("run-001",)),
    ]
    assert found[0].pattern == "acceptance refused: signal: has a value in N% of the cells"


def test_refusals_of_a_ledger_that_does_not_say_whose_they_were(traces: Traces) -> None:
    refuse(traces, traces.run({}), {"x: y": 1}, code="")
    assert [f.size for f in Refusals().mine(traces.mined())] == [1.0]


def failing(traces: Traces, task: str, error: str, stage: str | None = "feature") -> None:
    run = traces.run({}, task=task)
    traces.events.append(RunFailed(run_id=run, stage=stage, error=error, message="m"))


def test_runs_that_were_tried_again(traces: Traces) -> None:
    failing(traces, "a", "SignalError")
    failing(traces, "a", "SignalError")
    done = traces.run({}, task="a")
    traces.events.append(RunFinished(run_id=done, digest="d", metrics={}, seconds=1.0))
    failing(traces, "never again", "SignalError")
    failing(traces, "b", "OSError", None)
    traces.run({}, task="b")
    [finding] = RetriedRuns().mine(traces.mined())
    assert (finding.module, finding.size, finding.evidence) == (FEATURE, 2.0, ("run-000", "run-001"))
    assert "1 tasks were started again" in finding.statement and "1 of these went through" in finding.statement
    [_, other] = RetriedRuns(least=1).mine(traces.mined())
    assert (other.module, other.evidence) == ("pipeline", ("run-004",))


def test_a_failure_that_nobody_tried_again_is_no_retry(traces: Traces) -> None:
    for task in "abc":
        failing(traces, task, "SignalError")
    assert RetriedRuns(least=1).mine(traces.mined()) == []


def test_a_module_that_takes_most_of_the_time(traces: Traces) -> None:
    traces.run({}, seconds=2.0)
    assert SlowStages().mine(traces.mined()) == []  # five stages, a fifth each
    assert [f.size for f in SlowStages(share=0.19, seconds=1.9).mine(traces.mined())] == [2.0] * len(IN_FORCE)
    assert SlowStages(share=0.19, seconds=2.0).mine(traces.mined()) == []


def test_a_module_that_became_slower(traces: Traces) -> None:
    for task in "abc":
        traces.run({}, task=task, seconds=1.0, code="code-before")
        traces.run({}, task=task, seconds=4.0)
        traces.run({}, task=task, seconds=9.0, cached=True)
    found = SlowStages().mine(traces.mined())
    assert {f.module: (f.size, f.occurrences) for f in found} == dict.fromkeys(IN_FORCE, (9.0, 3))
    assert "4.0 times" in found[0].statement
    assert SlowStages(slower=4.0).mine(traces.mined()) == SlowStages(least=4).mine(traces.mined()) == []


def test_misses_by_cause(traces: Traces) -> None:
    order: list[dict[str, str]] = [
        {"inputs": "x", "code": "before"},
        {"inputs": "x"},
        {"inputs": "y"},
        {"inputs": "y", "settings": "others"},
        {"inputs": "y", "settings": "others"},
    ]
    for task in "ab":
        for changes in order:
            traces.run({}, task=task, seconds=2.0, **changes)
    found = [f for f in CacheMisses().mine(traces.mined()) if f.module == SIZE]
    assert len(CacheMisses(seconds=3.9).mine(traces.mined())) == len(CacheMisses().mine(traces.mined())) > 0
    assert CacheMisses(seconds=4.0).mine(traces.mined()) == []
    causes = {f.pattern.removeprefix("computed again because "): (f.size, f.evidence) for f in found}
    assert causes == {
        "its code changed": (4.0, ("run-001", "run-006")),
        "its inputs changed": (4.0, ("run-002", "run-007")),
        "its settings changed": (4.0, ("run-003", "run-008")),
        "nothing changed that the ledger shows": (4.0, ("run-004", "run-009")),
    }


def test_what_is_recalled_or_computed_once_is_no_miss(traces: Traces) -> None:
    for task in "ab":
        traces.run({}, task=task, inputs="x")
        traces.run({}, task=task, inputs="y", cached=True)
    assert CacheMisses().mine(traces.mined()) == []
    traces.run({}, task="a", inputs="y", seconds=5.0)
    assert CacheMisses().mine(traces.mined()) == []  # once is chance
    assert CacheMisses(least=1, seconds=5.0).mine(traces.mined()) == []
    assert {f.module for f in CacheMisses(least=1).mine(traces.mined())} == {*IN_FORCE, CLEAN}


def test_a_task_and_a_run_count_once_however_often_they_are_refused(traces: Traces) -> None:
    for _ in range(2):
        rules = {"signal: has 41.0% of the cells": 3, "signal: has 12.5% of the cells": 4}
        refuse(traces, traces.run({}, task="the same"), rules)
    [finding] = Refusals().mine(traces.mined())
    assert (finding.size, finding.occurrences, finding.evidence) == (14.0, 2, ("run-000", "run-001"))
    assert finding.statement.startswith("Without this, 1 tasks would have gone on: 2 runs ended")
