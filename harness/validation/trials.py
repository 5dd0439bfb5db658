"""What the ledger says was ever tried on a data set: how often, how good the tries looked, and where their series are.

Every recorded trial counts, whoever made it: screens, sheets, runs, ablations, and the variants that a validation
itself looks at. A Sharpe ratio is known only of those that went through the pipeline. Versions of a set share its name
and most of its history, so a trial on any version of it counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from traces.events import DataRegistered, Envelope, RunFinished, RunStarted, StageFinished, TrialRecorded

_SELECTED_FROM = frozenset({"run", "research", "ablation"})
"""Purposes of runs that are tries. A replay or a control repeats one, degraded or not; nobody chooses from those."""


@dataclass(frozen=True)
class Tried:
    """One run that counts as a try, each output once. `sharpe` a bar, None where the account never moved."""

    subject: str
    digest: str
    nav: str
    sharpe: float | None


@dataclass(frozen=True)
class TrialLedger:
    """`count` trials on the data, and the runs among them, oldest first."""

    count: int
    runs: tuple[Tried, ...]


def variant_trial_id(run_digest: str) -> str:
    """The trial of a variant: the same outputs are the same trial, however often they are validated."""
    return f"variant-{run_digest[:16]}"


def trials_on(records: Iterable[Envelope], data: str, data_digest: str) -> TrialLedger:
    """From ledger records in order; every version registered as `data` counts, and `data_digest` under any name."""
    digests = {data_digest}
    trials: dict[str, str] = {}
    started: dict[str, RunStarted] = {}
    navs: dict[str, tuple[str, str | None]] = {}
    finished: list[RunFinished] = []
    for record in records:
        event = record.event
        match event:
            case DataRegistered(name=name) if name == data:
                digests.add(event.digest)
            case TrialRecorded():
                trials.setdefault(event.trial_id, event.data_digest)
            case RunStarted():
                started[event.run_id] = event
                if event.data == data:
                    digests.add(event.data_digest)
            case StageFinished(stage="feature"):
                expr = event.settings.get("expr")
                navs[event.run_id] = ("", str(expr) if expr else f"feature/{event.module}")
            case StageFinished(stage="execute") if "nav" in event.outputs:
                navs[event.run_id] = (event.outputs["nav"], navs.get(event.run_id, ("", None))[1])
            case RunFinished():
                finished.append(event)
            case _:
                pass
    mine = {trial_id for trial_id, digest in trials.items() if digest in digests}
    runs: dict[str, Tried] = {}
    for event in finished:
        begun, (nav, subject) = started.get(event.run_id), navs.get(event.run_id, ("", None))
        if begun is None or begun.data_digest not in digests or not nav or event.digest in runs:
            continue
        if begun.purpose in _SELECTED_FROM or variant_trial_id(event.digest) in mine:
            runs[event.digest] = Tried(subject or begun.data, event.digest, nav, _per_bar(event))
    return TrialLedger(len(mine), tuple(runs.values()))


def _per_bar(event: RunFinished) -> float | None:
    yearly, per_year = event.metrics.get("net_sharpe"), event.metrics.get("bars_per_year")
    return None if yearly is None or not per_year else yearly / math.sqrt(per_year)
