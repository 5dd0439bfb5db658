"""The one way to compile a kernel: no fastmath, no parallel reductions, cached by what it was made of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba
import numba.core.config

from modules.workspace import CHECKOUT, Workspace

P = ParamSpec("P")
R = TypeVar("R")


def _source_digest() -> str:
    """Digest of every kernel source. Numba's own cache looks only at the file of the outer kernel,
    so a changed inner kernel in another file would leave stale machine code behind."""
    h = hashlib.sha256()
    for folder in ("signal", "engine"):
        for path in sorted((CHECKOUT / "modules" / folder).rglob("*.py")):
            h.update(path.relative_to(CHECKOUT).as_posix().encode())
            h.update(path.read_bytes())
    return h.hexdigest()[:16]


_base = Path(os.environ.get("NUMBA_CACHE_DIR") or Workspace.here().home / "kernels")
# Intel's vector mathematics, where it is installed, rounds exp and log otherwise than libm does.
numba.core.config.DISABLE_INTEL_SVML = True  # type: ignore[attr-defined]
numba.core.config.CACHE_DIR = str(_base / _source_digest())  # type: ignore[attr-defined]  # numba sets it by name


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use: IEEE arithmetic in the order written, GIL released, cached on disk."""
    compiled = numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)
