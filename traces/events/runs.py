"""Runs, their stages, and where their results came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from traces.events.base import Count, EventBase, Metrics, Seconds, Seed, Setting


class RunStarted(EventBase):
    """A task begins its travel through the pipeline. `modules` maps stage to module name."""

    kind: Literal["run.started"] = "run.started"
    run_id: str
    task_digest: str
    data: str
    data_digest: str
    signal: str | None
    start: str
    end: str
    seed: Seed
    modules: Mapping[str, str]
    purpose: Literal["run", "research", "ablation", "replay", "certify", "validate"]
    facts: str | None = None
    facts_digest: str | None = None


class RunFinished(EventBase):
    """The run's outputs exist. `digest` covers all of them."""

    kind: Literal["run.finished"] = "run.finished"
    run_id: str
    digest: str
    metrics: Metrics
    seconds: Seconds


class RunFailed(EventBase):
    """The run stopped. `error` is the exception's class; `stage` is None when no stage had begun."""

    kind: Literal["run.failed"] = "run.failed"
    run_id: str
    stage: str | None
    error: str
    message: str


class StageFinished(EventBase):
    """One stage of a run. `inputs` and `outputs` map artifact name to digest; `cached` = nothing was executed."""

    kind: Literal["stage.finished"] = "stage.finished"
    run_id: str
    stage: str
    module: str
    code_digest: str
    settings_digest: str
    settings: Mapping[str, Setting]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    seconds: Seconds
    cached: bool
    metrics: Metrics


class StageRefused(EventBase):
    """A contract or acceptance rule was broken. `rules` maps each broken rule to its number of violations."""

    kind: Literal["stage.refused"] = "stage.refused"
    run_id: str
    stage: str
    module: str
    side: Literal["inputs", "outputs", "acceptance"]
    rules: Mapping[str, Count]
    message: str
    code_digest: str = ""
    settings_digest: str = ""


class RunProfiled(EventBase):
    """Where a run's result came from, measured on its artifacts. `years` and `regimes` (`calm`, `usual`, `volatile`: by
    the market's volatility as known before each bar) map to annualised net Sharpe ratios, `sectors` and `symbols` to
    net profit in dollars; `figures` says what fills cost against the close of their decision, and what share of the
    volume they took. `measure` is the digest of how it was measured."""

    kind: Literal["run.profiled"] = "run.profiled"
    run_id: str
    measure: str
    years: Metrics
    regimes: Metrics
    sectors: Metrics
    symbols: Metrics
    figures: Metrics
