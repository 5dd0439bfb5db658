"""The same run, under other conditions.

1. Nothing of the process around it moves a bit of an output or of a metric: hash seed, time zone, language, folder,
   threads, vector units of numpy, code chosen by the C library, engine of polars, umask.
2. A run killed at any write leaves nothing that a later run believes: the next gives the same digest.
3. Two processes that run the same task in one home at once give the same digest and a whole store.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import modules.artifacts as artifacts
from modules.workspace import CHECKOUT
from tests.pipelines import Desk

# Every function whose last bit the C library leaves open, and no rank that would hide it.
SIGNAL = (
    "exp(returns(close, 3)) + signed_power(returns(close, 10), 0.37) + ts_mean(log_returns(close, 1), 60) "
    "+ log(close / ts_mean(close, 20))"
)

RUN = """
import json, sys
from pathlib import Path
from tests.pipelines import Desk
desk = Desk(Path(sys.argv[1]))
manifest = desk.run(desk.task(signal=sys.argv[2]))
print(json.dumps({
    "digest": manifest.digest, "outputs": [s.outputs for s in manifest.stages],
    "metrics": {k: v.hex() for k, v in manifest.metrics.items()}, "environment": manifest.environment,
}))
"""


def start(home: Path, folder: Path, code: str = RUN, umask: int = 0o022, **environment: str) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(home), SIGNAL],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "CWS_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        umask=umask,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> dict[str, object]:
    out, error = process.communicate(timeout=1200)
    assert process.returncode == 0, error[-2000:]
    found: dict[str, object] = json.loads(out)
    return found


@pytest.mark.slow
def test_nothing_around_the_process_moves_a_bit(tmp_path: Path) -> None:
    plain = result(start(tmp_path / "a", tmp_path))
    other = result(
        start(
            tmp_path / "b",
            tmp_path / "elsewhere",
            umask=0o077,
            PYTHONHASHSEED="7",
            PYTHONOPTIMIZE="2",
            TZ="Asia/Kathmandu",
            LC_ALL="tr_TR.UTF-8",
            POLARS_MAX_THREADS="3",
            POLARS_ENGINE_AFFINITY="streaming",
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
            NUMBA_NUM_THREADS="1",
            NPY_DISABLE_CPU_FEATURES="AVX512F AVX512CD AVX512_SKX AVX2 FMA3",
            GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
        )
    )
    recorded = other.pop("environment")
    assert plain.pop("environment") != recorded and "-FMA" in recorded["GLIBC_TUNABLES"]  # type: ignore[index]
    assert other == plain


@pytest.mark.slow
def test_two_processes_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    assert desk.version.rows
    both = [result(p) for p in [start(tmp_path / "home", tmp_path) for _ in range(2)]]
    assert both[0] == both[1]
    stored = [p.parent.name + p.stem for p in desk.store.root.glob("??/*") if p.suffix in (".npz", ".parquet")]
    assert len(stored) > 12
    for digest in stored:
        desk.store.get(digest)
    assert [p for p in desk.store.root.rglob(".*") if p.is_file()] == []


KILLED = """
import os, signal
at, real = int(os.environ["KILL_AT"]), os.fsync
def fsync(handle):
    global at
    at -= 1
    if at == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)
import modules.artifacts as artifacts
artifacts.os.fsync = fsync
"""


@pytest.mark.slow
def test_a_process_killed_in_a_write_leaves_a_home_that_works(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    assert desk.version.rows
    process = start(tmp_path / "home", tmp_path, code=KILLED + RUN, KILL_AT="14")
    process.communicate(timeout=1200)
    assert process.returncode == -9
    survivor = desk.run(desk.task(signal=SIGNAL))
    assert [s.cached for s in survivor.stages][:2] == [True, True] and not survivor.stages[-1].cached
    assert survivor.digest == Desk(tmp_path / "fresh").run(desk.task(signal=SIGNAL)).digest


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", [1, 2, 3, 7, 12, 19, 26, 33])
@pytest.mark.parametrize("half", [False, True], ids=["before the rename", "half written in place"])
def test_a_run_that_ends_at_any_write_is_followed_by_the_same_digest(tmp_path: Path, at: int, half: bool) -> None:
    """`half written in place` is a file system that renames before it has the bytes."""
    left, real = at, artifacts.write_whole

    def write(target: Path, content: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            target.parent.mkdir(parents=True, exist_ok=True)
            place = target if half else target.with_name(f".{target.name}.0")
            place.write_bytes(content[: len(content) // 2])
            raise Killed
        real(target, content)

    desk = Desk(tmp_path)
    with (
        mock.patch("modules.artifacts.write_whole", write),
        mock.patch("modules.known.write_whole", write),
        pytest.raises(Killed),
    ):
        desk.run(use_cache=False)
    first, again = desk.run(), desk.run()
    assert not all(s.cached for s in first.stages) and all(s.cached for s in again.stages)
    assert first.digest == again.digest == REFERENCE.setdefault("digest", first.digest)
    for stage in first.stages:
        for digest in stage.outputs.values():
            desk.store.get(digest)


REFERENCE: dict[str, str] = {}
