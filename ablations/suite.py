"""Task suites: which signals, on which data, judge a patch. Mining and judging never share a bar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ablations.executors.port import ONE_CPU, Needs
from ablations.gate import FEWEST_TASKS
from ablations.guards import GuardRule
from ablations.paths import settings_file
from modules.canonical import digest_json
from modules.contract import Stage
from modules.datastore import DataVersion
from modules.panel import iso
from modules.task import PipelineSpec, Task, make_task
from modules.workspace import CHECKOUT

SUITES = CHECKOUT / "ablations" / "suites"
MOST_TASKS = 64

Part = Literal["mining", "judging"]
"""0-50 % of history mines, 50-80 % judges; the rest is the lockbox, which no suite can name."""


class SuiteError(ValueError):
    """A suite that cannot judge; names file, field and rule."""


class SuiteTask(BaseModel):
    """One signal of a suite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    signal: Annotated[str, Field(min_length=1, max_length=500)]
    needs: Annotated[Needs, Field(exclude_if=lambda needs: needs == Needs())] = ONE_CPU
    """What its job takes of the machine; no part of the suite's identity where it takes one cpu."""


class Carrier(BaseModel):
    """A real change of settings. The A/A certificate removes its effect and keeps how its difference behaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    settings: dict[str, int | float | bool | str]

    @field_validator("module")
    @classmethod
    def _is_a_module(cls, module: str) -> str:
        settings_file(module)
        return module

    @property
    def stage(self) -> str:
        """The stage it changes."""
        return self.module.split("/")[0]


class Suite(BaseModel):
    """A named list of tasks with the guards that hold for any patch judged on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    summary: str
    data: str
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    guards: tuple[GuardRule, ...]
    carriers: Annotated[tuple[Carrier, ...], Field(min_length=1, max_length=16)]
    tasks: Annotated[tuple[SuiteTask, ...], Field(min_length=FEWEST_TASKS, max_length=MOST_TASKS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, values in (("name", [t.name for t in self.tasks]), ("signal", [t.signal for t in self.tasks])):
            twice = sorted({v for v in values if values.count(v) > 1})
            if twice:
                raise ValueError(f"task {what} {twice[0]!r} stands twice; a task given twice is counted twice")
        if not self.guards:
            raise ValueError("guards is empty; a patch could buy its gain at any cost")
        return self

    @property
    def digest(self) -> str:
        """Identity of the suite: what it holds, not how its file is written."""
        return digest_json(self.model_dump(mode="json"))


def load_suite(name: str, root: Path = SUITES) -> Suite:
    """The suite `ablations/suites/<name>.yaml`. Raises SuiteError naming file, field and rule."""
    have = sorted(p.stem for p in root.glob("*.yaml"))
    if name not in have:
        raise SuiteError(f"suite {name!r} does not exist; there are {', '.join(have) or 'none'}")
    path = root / f"{name}.yaml"
    try:
        values = yaml.safe_load(path.read_text())
        suite = Suite.model_validate(values)
    except yaml.YAMLError as error:
        raise SuiteError(f"{path.name} is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'suite'}: {e['msg']}" for e in error.errors())
        raise SuiteError(f"{path.name}: {problems}") from error
    if suite.name != name:
        raise SuiteError(f"{path.name} says name: {suite.name}; name it like its file")
    return suite


def period(version: DataVersion, part: Part) -> tuple[int, int]:
    """`(start_ns, end_ns)` of a part: trading starts at the first, nothing known after the second is read."""
    if part == "mining":
        return version.first_ns, version.mining_end_ns
    return version.mining_end_ns, version.lockbox_start_ns


def check_period(task: Task, version: DataVersion, part: Part) -> None:
    """Refuse a task that leaves its part: a bar that mined may not judge. Raises SuiteError."""
    start, end = period(version, part)
    if task.data_digest != version.digest:
        raise SuiteError(f"task is on data {task.data_digest[:12]}, the suite on {version.digest[:12]}")
    if task.start_ns < start or task.end_ns > end:
        raise SuiteError(
            f"task runs from {iso(task.start_ns)} to {iso(task.end_ns)}, outside the {part} part of {version.name} "
            f"({iso(start)} to {iso(end)}); mining and judging may not share a bar"
        )


def suite_tasks(
    suite: Suite,
    version: DataVersion,
    spec: PipelineSpec,
    part: Part = "judging",
    stages: Mapping[Stage, str] | None = None,
) -> tuple[Task, ...]:
    """The suite's tasks on `version`, through the pipeline of `spec` with `stages` in place of its own."""
    if version.name != suite.data:
        raise SuiteError(f"suite {suite.name} is on data {suite.data}, not {version.name}")
    start, end = period(version, part)
    # A suite names its own bars; the facts of the pipeline accompany other ones.
    through = spec.model_copy(update={"stages": {**spec.stages, **(stages or {})}, "symbols": None, "facts": None})
    tasks = tuple(
        make_task(through, version, signal=t.signal, start=start, end=end, seed=suite.seed) for t in suite.tasks
    )
    for task in tasks:
        check_period(task, version, part)
    return tasks
