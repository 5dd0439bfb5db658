"""Memory for large results."""

from __future__ import annotations

import math
import mmap

import numpy as np

from modules.panel import FloatArray, IntArray

_PAGE = 2 * 2**20
_LARGE = 2 * _PAGE


def empty(shape: tuple[int, ...]) -> FloatArray:
    """An array to be filled, in pages of 2 MiB where it is large and the system has them.

    A page is handed over on the first write to it. For 158 results of 10 MB in pages of 4 KiB this costs as much time
    as a third of the arithmetic; numpy asks for large pages too, but starts between two and leaves the ends small.
    """
    count = math.prod(shape)
    held = _pages(8 * count)
    return np.empty(shape) if held is None else np.frombuffer(held, np.float64, count).reshape(shape)


def zeros(shape: tuple[int, ...]) -> IntArray:
    """Whole numbers, all 0, in pages as those of `empty`: what is never written to costs nothing.

    Memory that numpy was given back before, and gives out again, it first overwrites with zeros.
    """
    count = math.prod(shape)
    held = _pages(8 * count)
    return np.zeros(shape, np.int64) if held is None else np.frombuffer(held, np.int64, count).reshape(shape)


def _pages(size: int) -> mmap.mmap | None:
    """Fresh pages, which hold zeros; None for little memory."""
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    held = mmap.mmap(-1, -(-size // _PAGE) * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held.madvise(mmap.MADV_HUGEPAGE)
    return held
