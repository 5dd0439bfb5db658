"""The one way into a lockbox: a purpose, a record that is durable before a row is read, and one look a strategy.

Looks are counted in the ledger. Rows are handed out only after the ledger, read back as signed, holds the event of
this opening, so that no caller can look without leaving it. A strategy that has had a decision from these rows gets no
second look. One that was cut off between opening and decision may finish: the same run on the same rows gives the same
figures, so nothing is learnt twice.
"""

from __future__ import annotations

import fcntl
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from modules.canonical import digest_bytes, digest_json
from modules.contract import TIME
from modules.datastore import DataStore
from modules.dataversion import DataError, DataVersion
from modules.manifest import Manifest
from modules.marks import Words, names_of
from modules.workspace import Workspace
from traces.events import Event, LockboxOpened, PromotionDecided
from traces.reader import read

Emit = Callable[[Event], None]


class LockboxSpentError(RuntimeError):
    """A strategy asks for a second look at a lockbox. `opened` is the event of the first."""

    remedy = "a lockbox answers each strategy once; develop another idea, or wait for new data"

    def __init__(self, opened: LockboxOpened) -> None:
        self.opened = opened
        super().__init__(
            f"the lockbox of {opened.data} {opened.version} was opened for this strategy already, by {opened.by} for "
            f"run {opened.run_id}; {self.remedy}"
        )


class LockboxRecordError(RuntimeError):
    """The ledger does not hold the opening, so nothing is opened."""


@dataclass(frozen=True)
class Purpose:
    """Why a lockbox is to be opened, for which strategy (`strategy_of`), and who said so."""

    run_id: str
    run_digest: str
    strategy: str
    by: str
    reason: Literal["promotion"] = "promotion"

    def __post_init__(self) -> None:
        for name in ("run_id", "run_digest", "strategy", "by"):
            if not getattr(self, name).strip():
                raise ValueError(f"purpose.{name} is empty; a lockbox opens for a named run, strategy and human only")


@dataclass(frozen=True)
class Standing:
    """What is known of a lockbox before it is opened for a strategy.

    `earlier`: openings of these rows by other strategies, and sets that were let to show some of them. `exposed_share`:
    how much of it, in symbol-days, lies open in other registered sets; None where the version has no marks.
    """

    version: DataVersion
    earlier: int
    exposed_share: float | None
    exposed_by: tuple[str, ...]
    spent: LockboxOpened | None
    resumed: bool


@dataclass(frozen=True, eq=False)
class Opened:
    """All raw rows of a version, those of the lockbox included, and the event of the opening."""

    version: DataVersion
    rows: pl.DataFrame
    event: LockboxOpened


def strategy_of(manifest: Manifest) -> str:
    """Identity of what was run: its signal in canonical form and the modules and settings of the stages after ingest.

    Code, seed, period, symbols and data are left out: the same idea with a patched kernel, another seed or on other
    data is the same strategy. Writing the expression in another way gives no new one.
    """
    from modules.signal import parse, signal_digest

    stages: dict[str, object] = {}
    for record in manifest.stages:
        if record.stage == "ingest":
            continue
        settings = dict(record.settings)
        if isinstance(expr := settings.get("expr"), str):
            settings["expr"] = signal_digest(parse(expr))
        stages[record.stage] = {"module": record.module, "settings": settings}
    return digest_json(stages)


def standing(workspace: Workspace, version: DataVersion, strategy: str, run_digest: str = "") -> Standing:
    """How often, by whom and for whom these rows were opened so far. Reads no row of the lockbox."""
    data = DataStore(workspace.data)
    kin = _kin(data, version)
    names = _names(data, version)
    seen, shown_by = data.shown(names, version.name)
    events = [e.event for e in read(workspace.ledger, _checkpoints(workspace))]
    openings = [e for e in events if isinstance(e, LockboxOpened) and e.data in kin]
    mine = [e for e in openings if e.strategy == strategy]
    told = {(e.strategy, e.run_digest) for e in events if isinstance(e, PromotionDecided) and e.opened}
    unfinished = bool(mine) and (strategy, run_digest) not in told and all(e.run_digest == run_digest for e in mine)
    others = len({e.strategy for e in openings} - {strategy})
    exposing = sum(version.name in v.exposes for v in data.list())
    return Standing(
        version=version,
        earlier=others + exposing,
        exposed_share=seen.size / names.size if names.size else None,
        exposed_by=shown_by,
        spent=mine[0] if mine and not unfinished else None,
        resumed=unfinished,
    )


def open_lockbox(workspace: Workspace, version: DataVersion, purpose: Purpose, emit: Emit) -> Opened:
    """Record the opening, then read: all raw rows of `version` and the vintages it builds on, by vintage.

    Raises LockboxSpentError where the strategy has had its look, LockboxRecordError where `emit` did not bring the
    event to the ledger, DataError where the file is not what was registered.
    """
    with _one_at_a_time(workspace.data):
        found = standing(workspace, version, purpose.strategy, purpose.run_digest)
        if found.spent is not None:
            raise LockboxSpentError(found.spent)
        event = LockboxOpened(
            run_id=purpose.run_id,
            run_digest=purpose.run_digest,
            strategy=purpose.strategy,
            data=version.name,
            version=version.version,
            data_digest=version.digest,
            purpose=purpose.reason,
            by=purpose.by,
            earlier=found.earlier,
            exposed_share=found.exposed_share,
            resumed=found.resumed,
        )
        emit(event)
        if not any(e.event == event for e in read(workspace.ledger, _checkpoints(workspace))):
            raise LockboxRecordError(
                f"the opening of {version.name} {version.version} is not in {workspace.ledger}; pass the ledger's own "
                "append as emit"
            )
        data = DataStore(workspace.data)
        return Opened(version, pl.concat(list(_rows(data, version)), how="diagonal_relaxed"), event)


def _rows(data: DataStore, version: DataVersion) -> Iterator[pl.DataFrame]:
    if version.parent is not None:
        yield from _rows(data, data.get(version.name, version.parent))
    yield data.raw(version.model_copy(update={"parent": None}))
    yield _sealed(data.root / version.name / version.version / "lockbox.parquet", version)


def _sealed(path: Path, version: DataVersion) -> pl.DataFrame:
    what = f"data set {version.name} {version.version}: {path.name}"
    remedy = "restore the file; a lockbox that was changed proves nothing"
    try:
        content = path.read_bytes()
        if version.sealed_sum is not None and digest_bytes(content) != version.sealed_sum:
            raise DataError(f"{what} was changed or cut short", remedy)
        rows = pl.read_parquet(io.BytesIO(content))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{what} cannot be read ({error})", remedy) from error
    start = pl.lit(version.lockbox_start_ns).cast(TIME)
    if not rows.filter(pl.col("source_event_time") < start).is_empty():
        raise DataError(f"{what} holds rows from before the lockbox", remedy)
    return rows


def _kin(data: DataStore, version: DataVersion) -> frozenset[str]:
    """Names of the sets whose lockboxes share rows with this one's: a look at one is a look at the other."""
    mine = _names(data, version)
    return frozenset(
        other.name for other in data.list() if other.name == version.name or np.isin(_names(data, other), mine).any()
    )


def _names(data: DataStore, version: DataVersion) -> Words:
    """Name marks of the lockbox of a version and of the vintages it builds on; none for a version without marks."""
    path = data.root / version.name / version.version / "marks.parquet"
    own = names_of(pl.read_parquet(path, glob=False)) if path.exists() else np.empty(0, np.uint64)
    if version.parent is None:
        return own
    return np.union1d(own, _names(data, data.get(version.name, version.parent)))


def _checkpoints(workspace: Workspace) -> Path | None:
    """The signed checkpoints; None before the first event of a workspace."""
    return workspace.checkpoints if workspace.checkpoints.exists() else None


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two promotions of one strategy must not both find the lockbox unopened."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".opening.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
