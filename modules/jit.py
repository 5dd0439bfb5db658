"""The one way to compile a kernel: no fastmath, no parallel reductions, cached by what it was made of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from modules.workspace import CHECKOUT, Workspace

# Intel's vector mathematics, where it is installed, rounds otherwise. Numba looks for it when it is first imported.
os.environ["NUMBA_DISABLE_INTEL_SVML"] = "1"

import numba
import numba.core.config

from modules.machinecode import CodeFiles

if numba.core.config.USING_SVML:  # type: ignore[attr-defined]  # numba sets it by name
    raise RuntimeError(
        "numba was imported before modules.jit and uses Intel SVML, whose results are not reproducible; "
        "set NUMBA_DISABLE_INTEL_SVML=1"
    )

P = ParamSpec("P")
R = TypeVar("R")

_SHARED = ("signal", "engine")
_COMPILERS = ("numba", "llvmlite", "numpy")


def kernel_sources(root: Path = CHECKOUT) -> list[Path]:
    """Every file that machine code is made of: the folders of shared kernels, and wherever else `kernel` is used."""
    shared = [p for folder in _SHARED for p in (root / "modules" / folder).rglob("*.py")]
    others = [p for p in (root / "modules").rglob("*.py") if b"modules.jit" in p.read_bytes()]
    return sorted({*shared, *others})


def _source_digest() -> str:
    """Digest of kernel sources and compilers. Numba's own cache looks only at the file of the outer kernel,
    so a changed inner kernel in another file would leave stale machine code behind."""
    h = hashlib.sha256("".join(f"{name} {version(name)}\n" for name in _COMPILERS).encode())
    for path in kernel_sources():
        h.update(path.relative_to(CHECKOUT).as_posix().encode())
        h.update(hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()[:16]


_base = Path(os.environ.get("NUMBA_CACHE_DIR") or Workspace.here().home / "kernels")
numba.core.config.CACHE_DIR = str(_base / _source_digest())  # type: ignore[attr-defined]  # numba sets it by name


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use: IEEE arithmetic in the order written, GIL released, cached on disk."""
    compiled = numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function)
    cache = getattr(compiled, "_cache", None)  # absent where NUMBA_DISABLE_JIT leaves the function as it is
    if cache is not None:
        cache._cache_file = CodeFiles(
            Path(cache.cache_path), cache._impl.filename_base, cache._impl.locator.get_source_stamp()
        )
    return cast("Callable[P, R]", compiled)
