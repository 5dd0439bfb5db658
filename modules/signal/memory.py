"""Memory for large results."""

from __future__ import annotations

import math
import mmap

import numpy as np

from modules.panel import FloatArray

_PAGE = 2 * 2**20
_LARGE = 2 * _PAGE


def empty(shape: tuple[int, ...]) -> FloatArray:
    """An array to be filled, in pages of 2 MiB where it is large and the system has them.

    A page is handed over on the first write to it. For 158 results of 10 MB in pages of 4 KiB this costs as much time
    as a third of the arithmetic; numpy asks for large pages too, but starts between two and leaves the ends small.
    """
    size = 8 * math.prod(shape)
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(shape)
    held = mmap.mmap(-1, -(-size // _PAGE) * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(held, dtype=np.float64, count=math.prod(shape)).reshape(shape)
