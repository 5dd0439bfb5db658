"""Parquet files that a command was asked for: a fit name before any work, then the whole file or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import RequestError

if TYPE_CHECKING:
    import polars as pl


def check_target(path: Path) -> None:
    """Raises RequestError where `--out` cannot be a parquet file."""
    if path.suffix != ".parquet":
        raise RequestError(f"--out {path} does not end in .parquet", "name a .parquet file")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"--out {path}: its folder does not exist", "make the folder first")


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write it whole or not at all."""
    import uuid

    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        table.write_parquet(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
