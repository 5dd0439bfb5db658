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

import llvmlite.binding
import numba
import numba.core.config

from modules.machinecode import CodeFiles

if numba.core.config.USING_SVML:  # type: ignore[attr-defined]  # numba sets it by name
    raise RuntimeError(
        "numba was imported before modules.jit and uses Intel SVML, whose results are not reproducible; "
        "set NUMBA_DISABLE_INTEL_SVML=1"
    )

# The loops that count are vectorised; unrolling the others as well costs a tenth of a first use and gains nothing.
llvmlite.binding.set_option("modules.jit", "-unroll-runtime=0")

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


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of kernels, set into each that calls it before any is compiled.

    As a kernel of its own it would be optimised and translated once by itself and again in every caller, which is
    most of what a first use waits for.
    """
    return _compiled(function, inline="always")


def uncounted(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, without reference counts: the function must not make an array, room is passed in. Views are fine.

    Otherwise a call with arrays, and each array taken out of a tuple, is counted, which costs more than a bar's
    arithmetic.
    """
    return _compiled(function, _nrt=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `uncounted`, and put into each kernel that calls it as if its lines stood there."""
    return _compiled(function, forceinline=True, _nrt=False)


def around(function: Callable[P, R], part: Callable[..., object]) -> Callable[P, R]:
    """As `uncounted`, for a function that calls the kernel `part`, which it holds in its closure.

    Kept on disk by the files of both: by itself Numba would name a kernel in a closure anew in each process.
    """
    made_of = _function_of(part)
    compiled = _compiled(function, made_of, _nrt=False)
    cache = getattr(compiled, "_cache", None)
    if cache is not None:
        name = f"{made_of.__module__}.{made_of.__qualname__}"
        cache._index_key = lambda signature, codegen: (signature, codegen.magic_tuple(), name)
    return compiled


def _function_of(part: Callable[..., object]) -> Callable[..., object]:
    found: Callable[..., object] = getattr(part, "py_func", part)
    return found


def _compiled(function: Callable[P, R], *parts: Callable[..., object], **options: bool | str) -> Callable[P, R]:
    compile_with: Any = numba.njit  # its stubs do not know every option
    always = {"cache": True, "nogil": True, "fastmath": False, "error_model": "numpy"}
    compiled = compile_with(**always, **options)(function)
    cache = getattr(compiled, "_cache", None)  # absent where NUMBA_DISABLE_JIT leaves the function as it is
    if cache is not None:
        sources = [Path(f.__code__.co_filename) for f in (function, *parts)]
        folder = _folder(sources[0].parent) or Path(cache.cache_path)
        cache._cache_file = CodeFiles(folder, cache._impl.filename_base, lambda: _stamp(sources))
    return cast("Callable[P, R]", compiled)


@functools.cache
def _folder(sources: Path) -> Path | None:
    """Where the machine code of a folder of the checkout is kept: named by its place in the checkout, as the stamp is.
    Numba would name it by the whole path, and a clone or a copy of the checkout would compile everything again.
    """
    try:
        folder = _base / sources.resolve().relative_to(CHECKOUT)
        folder.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError):  # a file of elsewhere; a home that takes nothing
        return None
    return folder


def _stamp(sources: list[Path]) -> str | None:
    stamps = [sources_stamp(source) for source in sources]
    return None if None in stamps else " ".join(s for s in stamps if s)
