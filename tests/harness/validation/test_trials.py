"""The trial count comes from the ledger, and nothing but the ledger changes it."""

from __future__ import annotations

import inspect
import math

import pytest

from harness.validation.trials import TrialLedger, trials_on, variant_trial_id
from harness.validation.validate import validate
from traces.events import DataRegistered, Envelope, Event, RunFinished, RunStarted, StageFinished, TrialRecorded

STAGE = {"code_digest": "c", "settings_digest": "s", "inputs": {}, "seconds": 0.0, "cached": False, "metrics": {}}


def started(run: str, purpose: str = "run", data: str = "us20", digest: str = "aa") -> Event:
    return RunStarted.model_validate(
        {"run_id": run, "task_digest": "t", "data": data, "data_digest": digest, "signal": None, "start": "", "end": "",
         "seed": 0, "modules": {}, "purpose": purpose}
    )  # fmt: skip


def run(
    run: str, purpose: str = "run", sharpe: float | None = 1.0, output: str | None = None, **data: str
) -> list[Event]:
    metrics = {"net_sharpe": sharpe, "bars_per_year": 252.0}
    feature = {
        "run_id": run,
        "stage": "feature",
        "module": "expression",
        "settings": {"expr": f"e{run}"},
        "outputs": {},
    }
    account = {"run_id": run, "stage": "execute", "module": "next_bar", "settings": {}, "outputs": {"nav": f"nav{run}"}}
    return [
        started(run, purpose, **data),
        StageFinished.model_validate({**STAGE, **feature}),
        StageFinished.model_validate({**STAGE, **account}),
        RunFinished(run_id=run, digest=output or f"out{run}", metrics=metrics, seconds=0.0),
    ]


def trial(trial_id: str, digest: str = "aa") -> Event:
    return TrialRecorded(trial_id=trial_id, family="screen", subject="x", data_digest=digest)


def registered(name: str, digest: str) -> Event:
    return DataRegistered(
        name=name, version="1", digest=digest, ingest="files", rows=1, symbols=1, start="", end="", refused={}
    )


def ledger(*events: Event) -> TrialLedger:
    lines = [Envelope(seq=k, ts_ns=k, prev="0" * 64, event=event) for k, event in enumerate(events)]
    return trials_on(lines, "us20", "aa")


# events, trials, runs with a series
COUNTS = [
    ("nothing", [], 0, 0),
    ("screens count", [trial("a"), trial("b")], 2, 0),
    ("the same look counts once", [trial("a"), trial("a")], 1, 0),
    ("other data do not", [trial("a"), trial("b", "zz")], 1, 0),
    ("another version of the set does", [registered("us20", "bb"), trial("a"), trial("b", "bb")], 2, 0),
    ("another version that was only run does", [*run("1", digest="bb"), trial("b", "bb")], 1, 1),
    ("the same rows under another name do", [registered("mine", "aa"), trial("a")], 1, 0),
    ("a run has a series", [*run("1"), trial("run-1")], 1, 1),
    ("research and ablations too", [*run("1", "research"), *run("2", "ablation")], 0, 2),
    ("replays and controls do not", [*run("1", "replay"), *run("2", "certify"), *run("3", "validate")], 0, 0),
    ("equal outputs once", [*run("1", output="o"), *run("2", output="o")], 0, 1),
    ("a run that failed has none", [started("1"), trial("run-1")], 1, 0),
    ("a variant is a try", [*run("1", "validate", output="f" * 64), trial(variant_trial_id("f" * 64))], 1, 1),
]


@pytest.mark.parametrize(("events", "count", "runs"), [r[1:] for r in COUNTS], ids=[r[0] for r in COUNTS])
def test_counts(events: list[Event], count: int, runs: int) -> None:
    found = ledger(*events)
    assert (found.count, len(found.runs)) == (count, runs)


def test_what_is_known_of_a_run() -> None:
    found = ledger(*run("1", sharpe=1.5), *run("2", sharpe=None)).runs
    assert (found[0].subject, found[0].nav) == ("e1", "nav1")
    assert found[0].sharpe == pytest.approx(1.5 / math.sqrt(252.0)) and found[1].sharpe is None


def test_no_one_can_type_the_count_in() -> None:
    from cli.lazy import load
    from cli.table import COMMANDS

    assert set(inspect.signature(validate).parameters) == {"manifest", "desk", "seed", "quick"}
    command = load(next(e for e in COMMANDS if e.name == "validate"))
    assert {o for p in command.params for o in p.opts} == {"run", "--quick", "--seed", "--json"}
