"""The record of a promotion, committed: what tells the live runner that a strategy may trade, and at which level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from harness.repository import Repository
from modules.canonical import digest_json
from modules.manifest import Manifest
from modules.promotion import LEVELS, Level, PromotionSpec, Target
from supervisor.promotion.criteria import Criterion, all_hold
from supervisor.promotion.look import Look

FOLDER = "ablations/records/promotions/"


class PromotionRecordError(ValueError):
    """A record that cannot be read, or that contradicts itself."""


class StageReference(BaseModel):
    """One stage as it was run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    module: str
    code_digest: str
    settings_digest: str
    settings: dict[str, JsonValue]


class PromotionRecord(BaseModel):
    """One decision, complete. Without clock: the same evidence gives the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    to: Target
    decision: Literal["PROMOTE", "REFUSE"]
    strategy: str
    run_id: str
    run_digest: str
    task_digest: str
    data: str
    data_digest: str
    facts: str | None
    facts_digest: str | None
    signal: str | None
    stages: tuple[StageReference, ...]
    gate: dict[str, JsonValue]
    gate_digest: str
    validation_digest: str | None
    criteria: tuple[Criterion, ...]
    lockbox: Look | None
    by: str

    @property
    def digest(self) -> str:
        """Identity of all of it."""
        return digest_json(self.model_dump(mode="json"))

    @property
    def promotion_id(self) -> str:
        """16 hex digits of the digest."""
        return self.digest[:16]

    @property
    def path(self) -> str:
        """Where it is committed."""
        return f"{FOLDER}{self.promotion_id}.json"

    @property
    def text(self) -> bytes:
        """The file."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def stages_of(manifest: Manifest) -> tuple[StageReference, ...]:
    """The stages of a run, for its record."""
    return tuple(
        StageReference(
            stage=s.stage,
            module=s.module,
            code_digest=s.code_digest,
            settings_digest=s.settings_digest,
            settings=s.settings,
        )
        for s in manifest.stages
    )


def read_record(content: bytes, path: str) -> PromotionRecord:
    """A record from its file. Raises PromotionRecordError where it is none, lies under another name, or does not give
    its own decision."""
    try:
        record = PromotionRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise PromotionRecordError(f"{path}: {where}: {first['msg']}; take it from the commit that added it") from error
    if record.path != path:
        raise PromotionRecordError(f"{path} holds a record whose name is {record.path}; it was changed or moved")
    promoted = all_hold(record.criteria) and (record.to != "paper" or record.lockbox is not None)
    if (record.decision == "PROMOTE") != promoted:
        raise PromotionRecordError(f"{path} says {record.decision}, and its criteria do not")
    return record


def promoted_to(repo: Repository, strategy: str, spec: PromotionSpec, rev: str = "HEAD") -> Level:
    """The level at which the commit `rev` lets a strategy trade: `research` where it holds no promotion of it.

    Every level on the way needs a record of its own, made by the gate that is in force at `rev`: a stricter gate asks
    anew. Raises PromotionRecordError where a record there is not what was decided.
    """
    found: Mapping[str, PromotionRecord] = _records(repo, rev)
    reached: Level = "research"
    for to in LEVELS[1:]:
        mine = [
            r
            for r in found.values()
            if (r.to, r.strategy, r.decision) == (to, strategy, "PROMOTE") and r.gate_digest == spec.digest(r.to)
        ]
        if not mine:
            break
        reached = to
    return reached


def _records(repo: Repository, rev: str) -> dict[str, PromotionRecord]:
    found = {}
    for path in repo.files_under(rev, FOLDER.rstrip("/")):
        content = repo.file_at(rev, path)
        if content is None:
            raise PromotionRecordError(f"{path} is no plain file at {rev}")
        found[path] = read_record(content, path)
    return found
