"""A look's store: reads below, keeps its own in memory, leaves no file; the numbers are those of a store on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.artifacts import ArtifactError, ArtifactStore
from modules.panel import Panel
from supervisor.scratch import ScratchStore

TABLE = pl.DataFrame({"a": [1.0, 2.0]})
PANEL = Panel(np.arange(2, dtype=np.int64), ("A.X",), {"close": np.ones((2, 1))})


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("artifact", [TABLE, PANEL], ids=["table", "panel"])
def test_what_is_put_stays_in_memory(tmp_path: Path, artifact: pl.DataFrame | Panel) -> None:
    below = ArtifactStore(tmp_path)
    scratch = ScratchStore(below)
    digest = scratch.put(artifact)
    assert scratch.has(digest) and scratch.kind(digest) == ("panel" if artifact is PANEL else "table")
    assert files(tmp_path) == [] and not below.has(digest)
    assert below.put(scratch.get(digest)) == digest  # the same bits
    with pytest.raises(ArtifactError):
        ScratchStore(ArtifactStore(tmp_path / "other")).get(digest)


def test_it_reads_what_lies_below(tmp_path: Path) -> None:
    below = ArtifactStore(tmp_path)
    digest = below.put(TABLE)
    scratch = ScratchStore(below)
    assert scratch.get(digest) is not TABLE and scratch.kind(digest) == "table" and scratch.find(digest) is not None
    assert scratch.kind("0" * 64) is None and not scratch.has("0" * 64)


def test_nobody_can_change_what_is_held(tmp_path: Path) -> None:
    scratch = ScratchStore(ArtifactStore(tmp_path))
    digest = scratch.put(TABLE)
    got = scratch.get(digest)
    assert isinstance(got, pl.DataFrame)
    got.insert_column(1, pl.Series("b", [1, 2]))
    again = scratch.get(digest)
    assert isinstance(again, pl.DataFrame) and again.columns == ["a"]
