"""What is asked: the pipeline as a person writes it, and the task as it is executed and digested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modules.canonical import digest_json
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataVersion
from modules.panel import iso, ns
from modules.promotion import PromotionSpec
from modules.registry import load_module

DAY_NS = 86_400_000_000_000


class TaskError(ValueError):
    """A task that cannot be run as asked; names field, value, rule and remedy."""


class LockboxError(TaskError):
    """A task that reaches into the lockbox."""


class Period(BaseModel):
    """ISO dates; null start = the beginning of history, null end = where the lockbox begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str | None = None
    end: str | None = None


class PipelineSpec(BaseModel):
    """`pipeline.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    facts: str | None = None
    symbols: tuple[str, ...] | None = None
    signal: str | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    period: Period = Period()
    stages: dict[Stage, str]
    objective: str = "net_sharpe"
    promotion: PromotionSpec = PromotionSpec()

    @model_validator(mode="after")
    def _some_symbol(self) -> Self:
        if self.symbols is not None and not self.symbols:
            raise ValueError("symbols names zero symbols; leave it null for all of the data set")
        return self

    @model_validator(mode="after")
    def _every_stage_once(self) -> Self:
        missing = [s for s in STAGES if s not in self.stages]
        if missing:
            raise ValueError(f"stages lacks {', '.join(missing)}; name a module for each of {', '.join(STAGES)}")
        return self


class Task(BaseModel):
    """One thing to compute, complete: equal tasks give equal bits.

    `end_ns` is the knowledge time: only what was available by then is read. Trading starts with the
    first bar at or after `start_ns`; earlier bars are warm-up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    data_digest: str
    symbols: tuple[str, ...] | None
    signal: str | None
    seed: int
    start_ns: int
    end_ns: int
    stages: dict[Stage, str]
    objective: str
    facts: str | None = None
    facts_digest: str | None = None

    @model_validator(mode="after")
    def _facts_have_a_digest(self) -> Self:
        if (self.facts is None) != (self.facts_digest is None):
            raise ValueError(f"facts is {self.facts!r} and facts_digest {self.facts_digest!r}; give both or neither")
        return self

    @property
    def digest(self) -> str:
        """Identity of the task. The names of data sets are labels; their digests count. A task without facts has
        the identity it had before there were any."""
        labels = {"data", "facts"} | ({"facts_digest"} if self.facts_digest is None else set())
        return digest_json(self.model_dump(mode="json", exclude=labels))


def load_pipeline(path: Path) -> PipelineSpec:
    """Read `pipeline.yaml`. Raises TaskError naming file, field, value and rule."""
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}; give the path of a pipeline.yaml") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TaskError(f"{path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise TaskError(f"{path} must hold `data:`, `stages:` and so on; it holds {type(values).__name__}")
    try:
        return PipelineSpec.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'pipeline'}: {e['msg']}" for e in error.errors())
        raise TaskError(f"{path}: {problems}") from error


def make_task(
    spec: PipelineSpec,
    version: DataVersion,
    *,
    facts: DataVersion | None = None,
    signal: str | None = None,
    start: str | int | None = None,
    end: str | int | None = None,
    seed: int | None = None,
) -> Task:
    """The task that `spec` asks of `version`, with overrides. ISO dates or ns UTC.

    A date given as `end` is included: what is known by the following midnight may be read. `facts` is the version of
    the set that `spec.facts` names; a period ends where the first of the two lockboxes begins.
    Raises LockboxError where the period reaches into a lockbox, TaskError where it is empty or a set is of the wrong
    kind.
    """
    _check_kinds(spec, version, facts)
    start_ns = _instant(start if start is not None else spec.period.start, version.first_ns, end=False)
    sets = [version] if facts is None else [version, facts]
    first_locked = min(sets, key=lambda v: v.lockbox_start_ns)
    end_ns = _instant(end if end is not None else spec.period.end, first_locked.lockbox_start_ns, end=True)
    if end_ns > first_locked.lockbox_start_ns:
        raise LockboxError(
            f"period.end {iso(end_ns)} reaches into the lockbox of {first_locked.name}, which begins at "
            f"{iso(first_locked.lockbox_start_ns)}; end the period at or before that"
        )
    if start_ns >= end_ns:
        raise TaskError(
            f"period is empty: start {iso(start_ns)}, end {iso(end_ns)}; {version.name} has "
            f"{iso(version.first_ns)} to {iso(first_locked.lockbox_start_ns)} outside the lockbox"
            + ("" if facts is None else f" of {first_locked.name}")
        )
    return Task(
        data=version.name,
        data_digest=version.digest,
        symbols=spec.symbols,
        signal=signal if signal is not None else spec.signal,
        seed=spec.seed if seed is None else seed,
        start_ns=start_ns,
        end_ns=end_ns,
        # What a data set was registered with is part of what it is.
        stages={**spec.stages, "ingest": version.ingest},
        objective=spec.objective,
        facts=facts.name if facts is not None else None,
        facts_digest=facts.digest if facts is not None else None,
    )


def _check_kinds(spec: PipelineSpec, version: DataVersion, facts: DataVersion | None) -> None:
    if version.kind != "bars":
        raise TaskError(f"data: {version.name} is a set of {version.kind}; name it under `facts:`, and bars here")
    if facts is not None and facts.kind != "facts":
        raise TaskError(
            f"facts: {facts.name} is a set of {facts.kind}; register one with `cws data add NAME FILES... --kind facts`"
        )
    if spec.facts is not None and facts is None:
        raise TaskError(f"the pipeline asks for facts {spec.facts}, and no version of them was given")


def _instant(value: str | int | None, default: int, *, end: bool) -> int:
    if value is None:
        return default
    if isinstance(value, int):
        return value
    try:
        moment = ns(value)
    except ValueError as error:
        raise TaskError(f"period.{'end' if end else 'start'}: {error}") from error
    return moment + DAY_NS if end and len(value) == len("2013-02-08") else moment


def load_modules(task: Task, version: DataVersion) -> dict[Stage, Module]:
    """The modules that the task names, with the settings in force, the data set's own ingest
    settings, and the task's signal in place of the feature module's expression."""
    modules = {stage: load_module(stage, task.stages[stage]) for stage in STAGES}
    modules["ingest"] = modules["ingest"].with_settings(version.ingest_settings)
    if task.signal is not None:
        feature = modules["feature"]
        if "expr" not in type(feature.settings).model_fields:
            raise TaskError(
                f"signal {task.signal!r} is given, but feature/{feature.name} takes none; "
                "set stages.feature to expression (with facts: facts_expression), or leave the signal out"
            )
        modules["feature"] = feature.with_settings({"expr": task.signal})
    return modules


def settings_in_force(modules: Mapping[Stage, Module]) -> dict[str, dict[str, object]]:
    """Settings per stage as plain data."""
    return {stage: module.settings.model_dump(mode="json") for stage, module in modules.items()}
