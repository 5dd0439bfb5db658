"""Task suites: which signals, on which data, judge a patch. Mining and judging never share a bar."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ablations.executors.port import ONE_CPU, Needs
from ablations.gate import FEWEST_TASKS
from ablations.guards import GuardRule
from ablations.paths import settings_file
from ablations.planted.register import current
from modules.canonical import digest_json
from modules.contract import Stage
from modules.datastore import DataStore, DataVersion
from modules.panel import iso
from modules.registry import settings_model
from modules.task import PipelineSpec, Task, make_task
from modules.workspace import CHECKOUT

SUITES = CHECKOUT / "ablations" / "suites"
MOST_TASKS = 64
DEFAULT_SUITE = "broad"
"""Judges a module that no suite names."""

Part = Literal["mining", "judging"]
"""0-50 % of history mines, 50-80 % judges; the rest is the lockbox, which no suite can name."""


def _unset(value: object) -> bool:
    """Left out of a suite's dump: a suite keeps the digest that it had before there was the field."""
    return not value


class SuiteError(ValueError):
    """A suite that cannot judge; names file, field and rule."""


class Symbols(BaseModel):
    """Canonical symbols of a task, by part. None mines and judges: what a patch was tuned on may not judge it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mining: Annotated[tuple[str, ...], Field(min_length=2)]
    judging: Annotated[tuple[str, ...], Field(min_length=2)]


class SuiteTask(BaseModel):
    """One task of a suite: a signal, where named on symbols of its own and through stages of its own.

    A patch of a feature module that takes no expression is judged without `signal`; then symbols or stages must tell
    the tasks apart.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    signal: Annotated[str, Field(min_length=1, max_length=500)]
    needs: Annotated[Needs, Field(exclude_if=lambda needs: needs == Needs())] = ONE_CPU
    """What its job takes of the machine; no part of the suite's identity where it takes one cpu."""
    symbols: Annotated[Symbols | None, Field(exclude_if=_unset)] = None
    stages: Annotated[dict[Stage, str], Field(exclude_if=_unset)] = {}
    sentence: Annotated[str | None, Field(min_length=8, max_length=2_000, exclude_if=_unset)] = None
    """Of a recorded research task: what was asked, `signal` being what came of it then. A patch of skills has it
    researched anew in both arms (`ablations.drafted`); other patches trade the signal as it was recorded."""

    @property
    def what(self) -> tuple[object, ...]:
        """All but its name and family."""
        return self.signal, self.symbols, tuple(sorted(self.stages.items()))


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
    default_for: tuple[str, ...] = ()
    """Modules (stage/name) that are judged here unless another suite is asked for; no part of the digest."""
    data: str
    data_digest: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", exclude_if=_unset)] = None
    """The one version that may be judged on; null = the current one."""
    lockbox_symbols: Annotated[tuple[str, ...], Field(exclude_if=_unset)] = ()
    """Symbols of the data that no task may name."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    guards: tuple[GuardRule, ...]
    carriers: Annotated[tuple[Carrier, ...], Field(min_length=1, max_length=16)]
    tasks: Annotated[tuple[SuiteTask, ...], Field(min_length=FEWEST_TASKS, max_length=MOST_TASKS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [t.name for t in self.tasks]
        tasks = [t.what for t in self.tasks]
        for task in self.tasks:
            if names.count(task.name) > 1 or tasks.count(task.what) > 1:
                what = f"task name {task.name!r}" if names.count(task.name) > 1 else f"task signal {task.signal!r}"
                raise ValueError(f"{what} stands twice; a task given twice is counted twice")
        asked = [t.sentence for t in self.tasks if t.sentence is not None]
        if asked and (len(asked) < len(self.tasks) or len(set(asked)) < len(asked)):
            raise ValueError("sentences are of some tasks only, or stand twice; give each task of a suite its own")
        if not self.guards:
            raise ValueError("guards is empty; a patch could buy its gain at any cost")
        return self

    @model_validator(mode="after")
    def _one_pipeline(self) -> Self:
        first = self.tasks[0]
        for task in self.tasks:
            if task.stages != first.stages:
                raise ValueError(
                    f"tasks {first.name} and {task.name} name different stages; a record holds one pipeline, so make "
                    "two suites of them"
                )
        return self

    @model_validator(mode="after")
    def _parts_share_no_symbol(self) -> Self:
        split = [t.symbols for t in self.tasks if t.symbols is not None]
        if split and len(split) < len(self.tasks):
            raise ValueError("some tasks name symbols and some do not; name them for all tasks or for none")
        mining, judging = ({s for part in split for s in getattr(part, side)} for side in ("mining", "judging"))
        for what, shared in (
            ("mine and judge", mining & judging),
            ("are in the lockbox", (mining | judging) & set(self.lockbox_symbols)),
        ):
            if shared:
                raise ValueError(f"symbols {', '.join(sorted(shared)[:3])} {what}; a symbol belongs to one part")
        return self

    @property
    def digest(self) -> str:
        """Identity of the suite: what it holds, not how its file is written. What is left at its default is left out,
        so that a suite keeps the identity it had before there were these fields."""
        return digest_json(self.model_dump(mode="json", exclude={"default_for"}))

    @property
    def researches(self) -> bool:
        """Whether its tasks can be researched anew: the suites that judge skills."""
        return all(task.sentence is not None for task in self.tasks)


def load_suite(name: str, root: Path = SUITES) -> Suite:
    """The suite `ablations/suites/<name>.yaml`. Raises SuiteError naming file, field and rule."""
    have = sorted(p.stem for p in root.glob("*.yaml"))
    if name not in have:
        raise SuiteError(f"suite {name!r} does not exist; there are {', '.join(have) or 'none'}")
    path = root / f"{name}.yaml"
    try:
        suite = _parsed(path.read_text())
    except yaml.YAMLError as error:
        raise SuiteError(f"{path.name} is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'suite'}: {e['msg']}" for e in error.errors())
        raise SuiteError(f"{path.name}: {problems}") from error
    if suite.name != name:
        raise SuiteError(f"{path.name} says name: {suite.name}; name it like its file")
    return suite


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> Suite:
    """A night asks for the same few suites hundreds of times."""
    return Suite.model_validate(yaml.safe_load(text))


def suite_names(root: Path = SUITES) -> tuple[str, ...]:
    """Every suite that there is."""
    return tuple(sorted(p.stem for p in root.glob("*.yaml")))


def default_suite(module: str, root: Path = SUITES) -> str:
    """The name of the suite that judges `stage/name` unless another is asked for. Raises SuiteError where two claim it
    or where a suite cannot be read."""
    claims = [name for name in suite_names(root) if module in load_suite(name, root).default_for]
    if len(claims) > 1:
        raise SuiteError(f"suites {' and '.join(claims)} are both the default for {module}; leave it in one")
    return claims[0] if claims else DEFAULT_SUITE


def version_of(suite: Suite, store: DataStore) -> DataVersion:
    """The data that `suite` is on; bundled sets and planted markets are registered on first use. Raises DataError, and
    SuiteError where the suite names the digest of another version."""
    version = current(store, suite.data)
    if suite.data_digest is not None and version.digest != suite.data_digest:
        version = store.get(suite.data, suite.data_digest)
    return version


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
    """The suite's tasks on `version`: its own stages before those of `spec`, `stages` before either.

    Raises SuiteError where the data is another, or where two tasks would be the same: it would be counted twice.
    """
    if version.name != suite.data:
        raise SuiteError(f"suite {suite.name} is on data {suite.data}, not {version.name}")
    if suite.data_digest not in (None, version.digest):
        raise SuiteError(f"suite {suite.name} is on version {suite.data_digest} of {suite.data}, not {version.digest}")
    start, end = period(version, part)
    tasks = []
    for named in suite.tasks:
        through = {**spec.stages, **named.stages, **(stages or {})}
        # A suite names its own bars; the facts of the pipeline accompany other ones.
        asked = spec.model_copy(
            update={
                "stages": through,
                "symbols": None if named.symbols is None else tuple(sorted(getattr(named.symbols, part))),
                "facts": None,
                "signal": None,
            }
        )
        signal = named.signal if _takes_signal(through["feature"]) else None
        tasks.append(make_task(asked, version, signal=signal, start=start, end=end, seed=suite.seed))
    for task in tasks:
        check_period(task, version, part)
    _check_apart(suite, tasks)
    return tuple(tasks)


def _takes_signal(feature: str) -> bool:
    return "expr" in settings_model("feature", feature).model_fields


def _check_apart(suite: Suite, tasks: Sequence[Task]) -> None:
    digests = [t.digest for t in tasks]
    for named, task in zip(suite.tasks, tasks, strict=True):
        first = suite.tasks[digests.index(task.digest)]
        if first is not named:
            module = f"feature/{task.stages['feature']}"
            raise SuiteError(
                f"tasks {first.name} and {named.name} of suite {suite.name} are the same through {module}, which takes "
                f"no signal; judge it on suite {default_suite(module)}, whose tasks differ in symbols"
            )
