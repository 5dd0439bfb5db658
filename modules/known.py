"""What identical stages gave before: one small file per identity, believed only if it is whole.

artifacts/known/ab/cdef….json   digests of the outputs, metrics and notes, with a digest over all of it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from modules.artifacts import ArtifactStore, Kind, StoreError, write_whole
from modules.canonical import digest_json


class Known(BaseModel):
    """What a stage gave: digests of its outputs, its metrics and notes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outputs: dict[str, str]
    metrics: dict[str, float] = {}
    notes: tuple[str, ...] = ()


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    known: Known
    digest: str

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.digest != _digest(self.key, self.known):
            raise ValueError("digest does not fit the entry")
        return self


def recall(
    store: ArtifactStore, key: str, expected: Mapping[str, Kind], optional: frozenset[str] = frozenset()
) -> Known | None:
    """What the stage with identity `key` gave; None where that is unknown, which only costs its computation.

    Unknown is also: an entry that is cut short, edited or of another identity, one that does not name exactly
    the artifacts `expected` (`optional` ones may be absent), and one whose artifacts are no longer in the store or of
    another kind.
    """
    try:
        entry = _Entry.model_validate_json(_path(store, key).read_bytes())
    except (OSError, ValidationError):
        return None
    outputs = entry.known.outputs
    whole = entry.key == key and expected.keys() - optional <= outputs.keys() <= expected.keys()
    return entry.known if whole and all(store.kind(d) == expected[n] for n, d in outputs.items()) else None


def remember(store: ArtifactStore, key: str, known: Known) -> None:
    """Keep `known` under `key`, unless the store keeps nothing. Raises StoreError where the disk does not take it."""
    if not store.lasting:
        return
    entry = _Entry(key=key, known=known, digest=_digest(key, known))
    try:
        write_whole(_path(store, key), entry.model_dump_json().encode())
    except OSError as error:
        raise StoreError(f"what is known of stage {key[:12]}", store.root, error) from error


@dataclass(frozen=True)
class Memory:
    """What a run may take as known. `lasting`: what the store holds of earlier runs.

    Without it a run computes everything anew, but what was computed anew under this memory before: several runs that
    share their first stages (tasks that differ in the signal) prove them once.
    """

    store: ArtifactStore
    lasting: bool = True
    anew: dict[str, Known] = field(default_factory=dict)

    def recall(self, key: str, expected: Mapping[str, Kind], optional: frozenset[str] = frozenset()) -> Known | None:
        """What is known of the stage with identity `key`."""
        return recall(self.store, key, expected, optional) if self.lasting else self.anew.get(key)

    def remember(self, key: str, known: Known) -> None:
        """Keep what was just computed. Raises StoreError."""
        remember(self.store, key, known)
        if not self.lasting:
            self.anew[key] = known


def _path(store: ArtifactStore, key: str) -> Path:
    return store.root / "known" / key[:2] / f"{key[2:]}.json"


def _digest(key: str, known: Known) -> str:
    return digest_json({"key": key, "known": known.model_dump(mode="json")})
