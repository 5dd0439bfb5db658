"""The artifact store: whole or not there.

1. What was put comes back; a file that was cut short or changed anywhere is refused by name and never parsed.
2. Putting the content again mends a spoiled file.
3. A disk that does not take a file is named, and nothing is left of it.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.artifacts import ArtifactError, ArtifactStore, HoldingStore, StoreError
from modules.canonical import Artifact, digest_artifact
from modules.manifest import Manifest, ManifestStore
from modules.panel import Panel
from tests.pipelines import Desk

PANEL = Panel(np.arange(50), ("A", "B"), {"close": np.random.default_rng(1).random((50, 2))})
TABLE = pl.DataFrame({"symbol": ["A", None, "Ä"] * 9, "value": [1.0, None, float("nan")] * 9})
BOTH = pytest.mark.parametrize("artifact", [PANEL, TABLE], ids=["panel", "table"])


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def file_of(store: ArtifactStore, digest: str) -> Path:
    path = store.find(digest)
    assert path is not None
    return path


@BOTH
def test_what_was_put_comes_back(store: ArtifactStore, artifact: Artifact) -> None:
    digest = store.put(artifact)
    assert digest_artifact(store.get(digest)) == digest == digest_artifact(artifact)
    assert store.kind(digest) == ("panel" if artifact is PANEL else "table")


@BOTH
def test_a_file_changed_anywhere_is_refused_before_it_is_parsed(store: ArtifactStore, artifact: Artifact) -> None:
    """A parquet reader aborts the process on some of these files, so that nothing could be caught."""
    digest = store.put(artifact)
    path = file_of(store, digest)
    whole, draw = path.read_bytes(), random.Random(5)
    for _ in range(300):
        spoiled = bytearray(whole)
        if draw.random() < 0.3:
            del spoiled[draw.randrange(len(spoiled)) :]
        else:
            spoiled[draw.randrange(len(spoiled))] ^= draw.randrange(1, 256)
        path.write_bytes(spoiled)
        with pytest.raises(ArtifactError, match=f"artifact {digest[:12]}: its file was changed or cut short; delete"):
            store.get(digest)


@BOTH
def test_putting_it_again_mends_a_spoiled_file(store: ArtifactStore, artifact: Artifact) -> None:
    digest = store.put(artifact)
    file_of(store, digest).write_bytes(b"garbage")
    assert store.put(artifact) == digest
    assert digest_artifact(store.get(digest)) == digest


@pytest.mark.parametrize("sum_text", [None, b"", b"0" * 63, b"\xff" * 64])
def test_a_file_without_a_whole_sum_is_not_there(store: ArtifactStore, sum_text: bytes | None) -> None:
    """A process killed between the two leaves this."""
    digest = store.put(TABLE)
    beside = file_of(store, digest).with_suffix(".sum")
    beside.unlink() if sum_text is None else beside.write_bytes(sum_text)
    assert not store.has(digest)
    with pytest.raises(ArtifactError, match="is not in"):
        store.get(digest)
    assert store.put(TABLE) == digest and store.has(digest)


def test_another_artifact_under_the_name_is_refused(store: ArtifactStore) -> None:
    one, other = store.put(TABLE), store.put(TABLE.head(3))
    for suffix in (".parquet", ".sum"):
        file_of(store, one).with_suffix(suffix).write_bytes(file_of(store, other).with_suffix(suffix).read_bytes())
    with pytest.raises(ArtifactError, match=f"artifact {one[:12]} now has digest {other[:12]}"):
        store.get(one)


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit; writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@BOTH
@pytest.mark.parametrize("limit", [0, 10, 300])
def test_a_full_disk_is_named_and_leaves_nothing(store: ArtifactStore, artifact: Artifact, limit: int) -> None:
    with full_disk(limit), pytest.raises(StoreError, match=r"artifact \w{12} cannot be written below .*; free space"):
        store.put(artifact)
    assert [p for p in store.root.rglob("*") if p.is_file()] == []
    assert not store.has(digest_artifact(artifact))
    assert digest_artifact(store.get(store.put(artifact))) == digest_artifact(artifact)


def test_a_store_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot be written below .*taken"):
        ArtifactStore(tmp_path / "taken").put(TABLE)


def test_a_manifest_is_whole_or_not_there(tmp_path: Path) -> None:
    manifest: Manifest = Desk(tmp_path).run(until="ingest")
    runs = ManifestStore(tmp_path / "others")
    with full_disk(50), pytest.raises(StoreError, match=f"manifest of run {manifest.run_id} cannot be written"):
        runs.save(manifest)
    assert list(runs) == [] and [p for p in runs.root.rglob("*") if p.is_file()] == []
    runs.save(manifest)
    assert runs.load("last") == manifest


@BOTH
def test_what_is_held_is_on_disk_and_nobody_changes_it(tmp_path: Path, artifact: Artifact) -> None:
    """Held or read, an artifact is the same; a reader who changes its table changes its own."""
    store = HoldingStore(tmp_path)
    digest = store.put(artifact)
    assert digest_artifact(ArtifactStore(tmp_path).get(digest)) == digest
    for _ in range(2):
        mine = store.get(digest)
        if isinstance(mine, pl.DataFrame):
            mine.insert_column(0, pl.Series("mine", [0] * mine.height))
            mine.drop_in_place(mine.columns[-1])
        assert digest_artifact(store.get(digest)) == digest
    for file in tmp_path.rglob("*.*"):
        file.unlink()
    assert digest_artifact(store.get(digest)) == digest, "it is held"
    assert store.put(artifact) == digest and ArtifactStore(tmp_path).has(digest), "gone from disk: written again"


def test_what_is_held_is_limited(tmp_path: Path) -> None:
    tables = [pl.DataFrame({"a": np.arange(1000) + i}) for i in range(5)]
    store = HoldingStore(tmp_path, most_bytes=3 * 8_000)
    digests = [store.put(table) for table in tables]
    for file in tmp_path.rglob("*.*"):
        file.unlink()
    for digest in digests[:2]:
        with pytest.raises(ArtifactError, match="is not in"):
            store.get(digest)
    assert [digest_artifact(store.get(d)) for d in digests[2:]] == digests[2:]
    assert HoldingStore(tmp_path / "none", most_bytes=10).put(tables[0]) == digests[0]
