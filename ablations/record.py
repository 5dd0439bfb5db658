"""The record of an ablation: all that a stranger needs to recompute the verdict, with no data and no key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ablations.floor import Floor, FloorError, Series, measure
from ablations.gate import FEWEST_BLOCKS, FEWEST_TASKS, CertificateState, Evidence, Verdict, decide
from ablations.guards import GuardError, GuardReading, GuardRule, read
from ablations.patch import Patch
from ablations.series import PackedSeries
from ablations.suite import Part
from ablations.swap import SwapMatrix
from modules.canonical import canonical_json, digest_json

MOST_BYTES = 400_000
FILE = "record.json"


class RecordError(ValueError):
    """A record that cannot be read."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SuiteReference(_Part):
    """What judged."""

    name: str
    digest: str
    data: str
    data_digest: str
    part: Part
    start: str
    end: str


class TaskRecord(_Part):
    """One task in both arms: output digests per stage, and the metrics that guards read.

    The three texts say what was wrong ("" = nothing); `diverges` names the first difference between the arms.
    """

    name: str
    family: str
    signal: str
    task_digest: str
    baseline: dict[str, str]
    patched: dict[str, str]
    baseline_metrics: dict[str, float]
    patched_metrics: dict[str, float]
    not_reproduced: str
    not_contained: str
    not_accepted: str
    diverges: str


class CertificateReference(_Part):
    """The A/A certificate that stood behind the gate at the time."""

    state: CertificateState
    certificate_id: str | None = None
    patches: int | None = None
    false_ships: int | None = None
    upper_bound: float | None = None
    minimum_detectable: float | None = None

    @model_validator(mode="after")
    def _current_is_complete(self) -> Self:
        if self.state == "CURRENT" and None in (self.certificate_id, self.patches, self.false_ships, self.upper_bound):
            raise ValueError("a current certificate has its id, patches, false_ships and upper_bound")
        return self


class Runtime(_Part):
    """What differs from one execution to the next and is no part of the record's identity."""

    seconds: float
    guards: tuple[GuardReading, ...]
    runs: tuple[tuple[str, str], ...]


class AblationRecord(_Part):
    """One ablation, complete. `digest` covers everything but `runtime`."""

    format: Literal[1] = 1
    ablation_id: str
    patch: Patch
    suite: SuiteReference
    modules: dict[str, str]
    settings_digest: str
    guards_asked: tuple[GuardRule, ...]
    tasks: tuple[TaskRecord, ...]
    series: PackedSeries | None
    guards: tuple[GuardReading, ...]
    floor: Floor | None
    place: int
    level: float
    certificate: CertificateReference
    verdict: Verdict
    environment: dict[str, str]
    swap: Annotated[SwapMatrix | None, Field(exclude_if=lambda swap: swap is None)] = None
    """Of a patch of two modules: what each part is worth alone. It decides nothing."""
    runtime: Runtime

    @property
    def digest(self) -> str:
        """Identity of the record's content."""
        return digest_json(self.model_dump(mode="json", exclude={"runtime"}))

    @property
    def seed(self) -> int:
        """Of the bootstrap: fixed by what is judged, so that nobody can choose it."""
        return seed_of(self.ablation_id)


def identity(
    patch: Patch, suite: SuiteReference, modules: Mapping[str, str], settings_digest: str, task_digests: list[str]
) -> str:
    """The ablation's id: 16 hex digits over all that determines its outcome."""
    return digest_json(
        {
            "patch": patch.digest,
            "suite": suite.digest,
            "data": suite.data_digest,
            "part": suite.part,
            "modules": dict(modules),
            "settings": settings_digest,
            "tasks": task_digests,
        }
    )[:16]


def seed_of(ablation_id: str) -> int:
    """The bootstrap's seed."""
    return int(ablation_id, 16) % 2**63


def weigh(
    tasks: tuple[TaskRecord, ...],
    series: Series | None,
    guards: tuple[GuardReading, ...],
    level: float,
    seed: int,
    certificate: CertificateState,
) -> Evidence:
    """The evidence from what was recorded; the bootstrap runs only where it could matter."""
    wrong = {
        side: tuple(text for t in tasks if (text := getattr(t, side)))
        for side in ("not_reproduced", "not_contained", "not_accepted")
    }
    floor, blocks = None, 0.0
    if series is not None and not any(wrong.values()):
        blocks = FEWEST_BLOCKS  # identical arms have no block length; their bars are not what is lacking
        if series.tasks >= FEWEST_TASKS:
            floor = measure(series, level, seed)
        blocks = floor.blocks if floor is not None else blocks
    return Evidence(
        **wrong,
        tasks=series.tasks if series is not None else len(tasks),
        blocks=blocks,
        floor=floor,
        level=level,
        guards=guards,
        certificate=certificate,
    )


def read_guards(rules: tuple[GuardRule, ...], tasks: tuple[TaskRecord, ...]) -> tuple[GuardReading, ...]:
    """Every guard on the tasks' metrics. Raises GuardError for a metric that no task has."""
    return tuple(
        read(
            rule,
            [t.baseline_metrics.get(rule.metric) for t in tasks],
            [t.patched_metrics.get(rule.metric) for t in tasks],
        )
        for rule in rules
    )


def recompute(record: AblationRecord) -> tuple[Verdict, list[str]]:
    """The verdict from the record alone, and every place where the record contradicts itself (none = sound).

    What it cannot see: whether the series and metrics came from the runs (re-execute them), and whether `level`
    is the one that the trial ledger granted (replay it).
    """
    problems = []
    task_digests = [t.task_digest for t in record.tasks]
    expected = identity(record.patch, record.suite, record.modules, record.settings_digest, task_digests)
    if record.ablation_id != expected:
        problems.append(f"ablation_id is {record.ablation_id}, patch, suite, data and modules give {expected}")
    series: Series | None = None
    guards: tuple[GuardReading, ...] = ()
    try:
        series = record.series.unpack()[1] if record.series is not None else None
        guards = read_guards(record.guards_asked, record.tasks) if series is not None else ()
    except (FloorError, GuardError) as error:
        problems.append(str(error))
    evidence = weigh(
        record.tasks, series, guards + record.runtime.guards, record.level, record.seed, record.certificate.state
    )
    verdict = decide(evidence)
    for name, found, stands in (
        ("floor", evidence.floor, record.floor),
        ("guards", guards, record.guards),
        ("verdict", verdict, record.verdict),
    ):
        if found != stands:
            problems.append(f"{name} recomputes to {found!r:.200}, the record says {stands!r:.200}")
    return verdict, problems


def to_json(record: AblationRecord) -> str:
    """Canonical JSON. Raises RecordError where it is too large to commit."""
    text = canonical_json(record.model_dump(mode="json")) + "\n"
    if len(text) > MOST_BYTES:
        raise RecordError(f"record {record.ablation_id} has {len(text)} bytes; at most {MOST_BYTES} may be committed")
    return text


def write_record(record: AblationRecord, folder: Path) -> Path:
    """Write `record.json` below `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FILE}.{os.getpid()}"
    draft.write_text(to_json(record))
    return draft.replace(folder / FILE)


def read_record(path: Path) -> AblationRecord:
    """Read a `record.json`, or the folder that holds one. Raises RecordError."""
    path = path / FILE if path.is_dir() else path
    try:
        return AblationRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecordError(f"record {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        what = f"{error.error_count()} fields are off, first {where}: {first['msg']}"
        raise RecordError(f"record {path}: {what}") from error
