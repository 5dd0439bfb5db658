"""What the store asks of deltalake: a table made, files committed. Reading needs none of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modules.featurestore.errors import DamagedError, unwritable
from modules.featurestore.identity import Source, Wanted
from modules.featurestore.log import LOG, CommitRecord
from modules.featurestore.piece import Piece

if TYPE_CHECKING:
    from deltalake import Schema
    from deltalake.transaction import AddAction, CommitProperties, PostCommitHookProperties

_COLUMNS = (
    ("event_time", "timestamp", False),
    ("available_at", "timestamp", False),
    ("symbol", "string", False),
    ("feature", "string", False),
    ("value", "double", True),
    ("computation", "string", False),
    ("data", "string", False),
    ("data_version", "string", False),
)


@dataclass(frozen=True)
class Added:
    """A file for the table."""

    piece: Piece
    wanted: Wanted
    source: Source


def create(root: Path, record: CommitRecord) -> None:
    """Version 0: the columns, and no rows. Raises FeatureStoreError where the disk does not take it."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        DeltaTable.create(
            str(root),
            _schema(),
            mode="error",
            name="features",
            description="features by computation; see docs/featurestore.md",
            # Nothing is ever removed: an old version stays readable.
            configuration={"delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false"},
            commit_properties=_properties(record),
            post_commithook_properties=_no_hooks(),
        )
    except (DeltaError, OSError) as error:
        raise unwritable("the feature store", root, error) from error
    _settle(root, 0)


def commit(root: Path, record: CommitRecord, files: Sequence[Added]) -> int:
    """One commit, by who holds the lock; the version it made, on disk. Raises FeatureStoreError."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        found = DeltaTable(str(root))
    except (DeltaError, OSError, ValueError) as error:
        raise DamagedError(f"the log in {root / LOG} cannot be read as a Delta table ({error})", root) from error
    version = int(found.version()) + 1
    try:
        found.create_write_transaction(
            [_action(root, f) for f in files],
            mode="append",
            schema=_schema(),
            commit_properties=_properties(record),
            post_commithook_properties=_no_hooks(),
        )
    except (DeltaError, OSError) as error:
        raise unwritable(f"commit {version} of the feature store", root, error) from error
    _settle(root, version)
    return version


def _schema() -> Schema:
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    return Schema([Field(name, PrimitiveType(kind), nullable=nullable) for name, kind, nullable in _COLUMNS])


def _properties(record: CommitRecord) -> CommitProperties:
    from deltalake.transaction import CommitProperties

    # The lock lets one writer in, so a commit that meets another was made by something else: no retry.
    return CommitProperties(custom_metadata={"cws": record.model_dump(mode="json")}, max_commit_retries=0)


def _no_hooks() -> PostCommitHookProperties:
    """No checkpoints: they are parquet, which a reader parses before anybody could look at its digest."""
    from deltalake.transaction import PostCommitHookProperties

    return PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def _action(root: Path, added: Added) -> AddAction:
    """Delta's entry for a file. Its statistics let any reader skip files of other features and times."""
    from deltalake.transaction import AddAction

    stat = (root / added.piece.path).stat()
    same = {
        "feature": added.wanted.feature,
        "computation": added.wanted.computation,
        "data": added.source.data,
        "data_version": added.source.version,
    }
    stats = {
        "numRecords": added.piece.bars * added.piece.symbols,
        "minValues": {"event_time": _moment(added.piece.start_ns), **same},
        "maxValues": {"event_time": _moment(added.piece.end_ns + 999_999), **same},
        "nullCount": dict.fromkeys(("event_time", *same), 0),
    }
    return AddAction(
        path=added.piece.path,
        size=stat.st_size,
        partition_values={},
        modification_time=stat.st_mtime_ns // 1_000_000,
        data_change=True,
        stats=json.dumps(stats),
    )


def _moment(time_ns: int) -> str:
    """To the millisecond below, as Delta's statistics are."""
    from datetime import UTC, datetime

    whole, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def _settle(root: Path, version: int) -> None:
    """On disk, with its name: deltalake leaves that to the system."""
    for path in (root / LOG / f"{version:020d}.json", root / LOG, root):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
