"""Machine code: what it is made of names it, and only whole files are believed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modules.jit import inlined, kernel
from modules.machinecode import CodeFiles
from modules.panel import FloatArray
from modules.reach import reached
from modules.workspace import CHECKOUT


def python(code: str, root: Path = CHECKOUT, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=600,
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


INNER = """from modules.jit import kernel
from modules import farther

@kernel
def inner(x: float) -> float:
    return x + farther.FARTHER
"""
OUTER = """from modules.inner import inner
from modules.jit import kernel

@kernel
def outer(x: float) -> float:
    return inner(x) * 2.0
"""
APART = """from modules.jit import kernel

@kernel
def apart(x: float) -> float:
    return x
"""


def _checkout(root: Path) -> Path:
    """A checkout with kernels that use one another across files."""
    (root / "modules").mkdir(parents=True)
    for name in ("__init__", "jit", "machinecode", "reach", "workspace"):
        shutil.copy(CHECKOUT / "modules" / f"{name}.py", root / "modules")
    files = {"inner": INNER, "outer": OUTER, "apart": APART, "farther": "FARTHER = 1.0\n"}
    for name, text in files.items():
        (root / "modules" / f"{name}.py").write_text(text)
    return root


@pytest.mark.slow
def test_what_a_kernel_reaches_is_compiled_again_and_nothing_else(tmp_path: Path) -> None:
    """Rows: file, its new text, the outer kernel's value, whether the outer and the other kernel come from disk."""
    root = _checkout(tmp_path / "here")
    code = """
from modules.outer import outer
from modules.apart import apart
print(outer(1.0), apart(1.0), *(sum(k.stats.cache_hits.values()) for k in (outer, apart)))
"""
    steps = [
        ("apart", APART, "4.0 1.0 0 0"),
        ("apart", APART, "4.0 1.0 1 1"),
        ("inner", INNER.replace("x + ", "x - "), "0.0 1.0 0 1"),
        ("farther", "FARTHER = 2.0\n", "-2.0 1.0 0 1"),
        ("apart", APART.replace("return x", "return -x"), "-2.0 -1.0 1 0"),
        ("farther", "FARTHER = 2.0\n", "-2.0 -1.0 1 1"),
    ]
    for name, text, said in steps:
        (root / "modules" / f"{name}.py").write_text(text)
        assert python(code, root, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == said, (name, text)
    there = Path(shutil.copytree(root, tmp_path / "there", ignore=shutil.ignore_patterns("__pycache__")))
    assert python(code, there, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == steps[-1][2], "a copy has the same code"
    (there / "modules" / "farther.py").write_text("FARTHER = 3.0\n")
    assert python(code, there, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "-4.0 -1.0 0 1", "unless it says otherwise"
    assert python(code, root, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == steps[-1][2], "and neither has the other's"


@pytest.mark.slow
def test_a_file_changed_under_a_running_process_leaves_no_machine_code(tmp_path: Path) -> None:
    """The process runs what the file said; the next one must not take that for what the file says."""
    root = _checkout(tmp_path)
    change = "from pathlib import Path; Path('modules/farther.py').write_text('FARTHER = 5.0\\n')"
    run = "from modules.outer import outer; {}; print(outer(1.0))"
    assert python(run.format(change), root, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "4.0"
    assert python(run.format("0"), root, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "12.0"


def test_reach_follows_names_and_leaves_out_packages_passed_through() -> None:
    rolling = CHECKOUT / "modules" / "signal" / "kernels" / "rolling.py"
    found = {p.relative_to(CHECKOUT / "modules").as_posix() for p in reached([rolling], packages=False)}
    assert {"signal/kernels/rolling.py", "signal/kernels/common.py", "jit.py", "machinecode.py"} <= found
    assert not [name for name in found if name.endswith("__init__.py")]
    whole = {p.relative_to(CHECKOUT / "modules").as_posix() for p in reached([rolling])}
    assert {"signal/__init__.py", "signal/kernels/moments.py"} <= whole


def test_a_file_of_one_key_is_not_another_keys(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "kernel", lambda: "1")
    for key in ("float64", "int64"):
        files.save(key, key)
    assert (files.load("float64"), files.load("int64"), files.load("int32")) == ("float64", "int64", None)
    assert CodeFiles(tmp_path, "kernel", lambda: "2").load("int64") is None
    files.flush()
    assert files.load("int64") is None and list(tmp_path.iterdir()) == []
    CodeFiles(tmp_path / "nowhere", "kernel", lambda: "1").save("int64", 1)
    unsure = CodeFiles(tmp_path, "kernel", lambda: None)
    unsure.save("int64", 1)
    assert unsure.load("int64") is None and list(tmp_path.iterdir()) == []


@inlined
def add_up(pair: tuple[FloatArray, FloatArray], out: FloatArray) -> None:
    a, b = pair
    for i in range(out.size):
        if a[i] < 0.0:
            raise ValueError("negative")
        out[i] += a[i] + b[i]


@kernel
def often(pair: tuple[FloatArray, FloatArray], out: FloatArray, times: int) -> None:
    for _ in range(times):
        add_up(pair, out)


def test_what_is_inlined_counts_no_references() -> None:
    out = np.zeros(2)
    often((np.ones(2), np.full(2, 2.0)), out, 3)
    assert out.tolist() == [9.0, 9.0]
    with pytest.raises(ValueError, match="negative"):
        often((np.full(2, -1.0), np.ones(2)), out, 1)
    fresh = inlined(add_up.py_func)  # type: ignore[attr-defined]
    fresh._cache.disable()  # type: ignore[attr-defined]  # what comes from disk has no text to look at
    fresh((np.ones(2), np.ones(2)), out)
    assert "NRT_incref" not in next(iter(fresh.inspect_llvm().values()))  # type: ignore[attr-defined]
