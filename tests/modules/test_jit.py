"""Machine code: what it is made of names it, and only whole files are believed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modules.jit import kernel_sources
from modules.machinecode import CodeFiles
from modules.workspace import CHECKOUT


def test_every_file_with_a_kernel_names_the_folder_wherever_it_is(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "modules" / "size" / "rank_neutral" / "kernels.py"
    own.write_text("from modules.jit import kernel\n")
    found = {p.relative_to(tmp_path / "modules").as_posix() for p in kernel_sources(tmp_path)}
    assert {"size/rank_neutral/kernels.py", "mathematics.py", "engine/loop.py", "signal/kernels/rolling.py"} <= found
    assert "datastore.py" not in found


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.slow
def test_intel_vector_mathematics_is_off_before_numba_looks_for_it() -> None:
    """With a library and an LLVM that would both have it."""
    code = """
import llvmlite.binding as binding
binding.load_library_permanently = binding.set_option = lambda *_: None
binding.targets.has_svml = lambda: True
import modules.jit
import numba.core.config
print(numba.core.config.USING_SVML)
"""
    assert python(code) == "False"


@pytest.mark.slow
def test_files_cut_short_or_changed_are_compiled_again(tmp_path: Path) -> None:
    code = "from modules.mathematics import log; print(log(3.7).hex(), sum(log.stats.cache_hits.values()))"
    first = python(code, NUMBA_CACHE_DIR=str(tmp_path)).split()
    assert first[1] == "0"
    assert python(code, NUMBA_CACHE_DIR=str(tmp_path)).split() == [first[0], "1"]
    files = sorted(tmp_path.rglob("*.nbc"))
    spoiled = [b"", b"garbage" * 9, files[0].read_bytes()[:-1]]
    for content in spoiled:
        for path in files:
            path.write_bytes(content)
        assert python(code, NUMBA_CACHE_DIR=str(tmp_path)).split() == first


def test_a_file_of_one_key_is_not_another_keys(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "kernel", 1)
    for key in ("float64", "int64"):
        files.save(key, key)
    assert (files.load("float64"), files.load("int64"), files.load("int32")) == ("float64", "int64", None)
    assert CodeFiles(tmp_path, "kernel", 2).load("int64") is None
    files.flush()
    assert files.load("int64") is None and list(tmp_path.iterdir()) == []
    CodeFiles(tmp_path / "nowhere", "kernel", 1).save("int64", 1)
