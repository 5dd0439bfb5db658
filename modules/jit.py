"""The one way to compile a kernel: no fastmath, no parallel reductions, cached by what it was made of."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from modules.reach import reached
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

_COMPILERS = ("numba", "llvmlite", "numpy")
_BEGUN_NS = time.time_ns()

_base = Path(os.environ.get("NUMBA_CACHE_DIR") or Workspace.here().home / "kernels")
numba.core.config.CACHE_DIR = str(_base)  # type: ignore[attr-defined]  # numba sets it by name


@functools.cache
def _compilers() -> str:
    return "".join(f"{name} {version(name)}\n" for name in _COMPILERS)


@functools.cache
def sources_stamp(path: Path, root: Path = CHECKOUT) -> str | None:
    """Digest of what the kernels in a file are compiled from: the file, every first-party file it can reach by
    import, and the compilers. Numba's own cache looks only at the file of the outer kernel, so a changed inner kernel
    in another file would leave stale machine code behind.

    None where a file has changed since this process began: it runs what the file said before.
    """
    h = hashlib.sha256(_compilers().encode())
    for part in sorted(reached([path], packages=False, root=root)):
        if part.stat().st_ctime_ns > _BEGUN_NS:
            return None
        h.update(part.as_posix().removeprefix(root.as_posix()).encode())
        h.update(hashlib.sha256(part.read_bytes()).digest())
    return h.hexdigest()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use: IEEE arithmetic in the order written, GIL released, cached on disk."""
    return _compiled(function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, but put into each kernel that calls it as if its lines stood there, without reference counts.

    Otherwise a call with arrays, and each array taken out of a tuple, counts references, which costs more than a bar's
    arithmetic. Nothing is counted here, so the function must not make an array: room is passed in. Views are fine.
    """
    return _compiled(function, forceinline=True, _nrt=False)


def _compiled(function: Callable[P, R], **options: bool) -> Callable[P, R]:
    compile_with: Any = numba.njit  # its stubs do not know every option
    compiled = compile_with(cache=True, nogil=True, fastmath=False, error_model="numpy", **options)(function)
    cache = getattr(compiled, "_cache", None)  # absent where NUMBA_DISABLE_JIT leaves the function as it is
    if cache is not None:
        source = Path(function.__code__.co_filename)
        cache._cache_file = CodeFiles(Path(cache.cache_path), cache._impl.filename_base, lambda: sources_stamp(source))
    return cast("Callable[P, R]", compiled)
