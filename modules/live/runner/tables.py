"""The tables that a day's decisions rest on, kept once beside the tapes and named there by digest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from modules.canonical import digest_table
from modules.live.runner.core import Runner
from modules.live.runner.tape import Kind, TapeError, read_tape, sync_folder
from modules.live.runner.taped import Began

LABEL = "label"


@dataclass(frozen=True)
class Tables:
    """History, instruments and facts as the runner had them when it began; `rows`: how many records that was,
    `forgotten`: labels of bars before them."""

    records: str
    instruments: str
    facts: str | None
    rows: int
    forgotten: str | None = None

    @classmethod
    def keep(cls, folder: Path, runner: Runner) -> Tables:
        """Write what is not there yet. Raises TapeError."""
        records = runner.all_records()
        return cls(
            _keep(folder, records),
            _keep(folder, runner.instruments),
            None if runner.facts is None else _keep(folder, runner.facts),
            records.height,
            _keep(folder, pl.DataFrame({LABEL: runner.forgotten})) if runner.forgotten.size else None,
        )

    def named_in(self, began: Began) -> Began:
        """The first message of a tape, naming these tables."""
        return msgspec.structs.replace(
            began, records=self.records, instruments=self.instruments, facts=self.facts, forgotten=self.forgotten
        )

    def since(self, runner: Runner) -> pl.DataFrame:
        """The records that became known since."""
        return runner.all_records()[self.rows :]


def table(folder: Path, digest: str) -> pl.DataFrame:
    """A table by its digest. Raises TapeError where it is gone or another one."""
    path = _path(folder, digest)
    try:
        found = pl.read_ipc(path.read_bytes())
    except OSError as error:
        raise TapeError(f"table {path} of a tape cannot be read: {error}; restore it from a backup") from error
    if digest_table(found) != digest:
        raise TapeError(f"table {path} is not what its name says; restore it from a backup")
    return found


def records_on(path: Path) -> pl.DataFrame:
    """The records that a tape's runner knew at its end. Raises TapeError."""
    parts: list[pl.DataFrame] = []
    for frame in read_tape(path):
        if isinstance(frame.message, Began):
            parts.append(table(path.parent, frame.message.records))
        elif frame.rows is not None and frame.kind is Kind.RECORDS:
            parts.append(frame.rows)
    if not parts:
        raise TapeError(f"{path} holds nothing; the runner ended before its first word")
    return pl.concat(parts)


def _keep(folder: Path, rows: pl.DataFrame) -> str:
    digest = digest_table(rows)
    path = _path(folder, digest)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            rows.write_ipc(file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(folder)
    return digest


def _path(folder: Path, digest: str) -> Path:
    return folder / f"{digest[:32]}.table"
