"""Memory for large results."""

from __future__ import annotations

import math
import mmap
import weakref
from collections import deque

import numpy as np

from modules.panel import FloatArray, IntArray

_PAGE = 2 * 2**20
_LARGE = 2 * _PAGE

MOST_KEPT = 256 * 2**20
"""Bytes of results that nobody reads any more, which are kept for the next ones."""

_kept: deque[mmap.mmap] = deque()


def empty(shape: tuple[int, ...]) -> FloatArray:
    """An array to be filled, in pages of 2 MiB where it is large and the system has them.

    A page is handed over on the first write to it. For 158 results of 10 MB in pages of 4 KiB this costs as much time
    as a third of the arithmetic; numpy asks for large pages too, but starts between two and leaves the ends small.
    Pages of an earlier result that is gone are handed out again, with what it held: the system would overwrite them
    first, which for a run of a million bars takes as long as its account.
    """
    count = math.prod(shape)
    size = _rounded(8 * count)
    if not size:
        return np.empty(shape)
    held = _again(size) or _fresh(size)
    whole = np.frombuffer(held, np.float64, count)
    weakref.finalize(whole, _keep, held).atexit = False  # every view of it holds it
    return whole.reshape(shape)


def zeros(shape: tuple[int, ...]) -> IntArray:
    """Whole numbers, all 0, in pages as those of `empty`: what is never written to costs nothing.

    Memory that numpy was given back before, and gives out again, it first overwrites with zeros.
    """
    count = math.prod(shape)
    size = _rounded(8 * count)
    return np.frombuffer(_fresh(size), np.int64, count).reshape(shape) if size else np.zeros(shape, np.int64)


def _rounded(size: int) -> int:
    """Bytes in whole pages; 0 for little memory, which numpy keeps better."""
    large = size >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE")
    return -(-size // _PAGE) * _PAGE if large else 0


def _fresh(size: int) -> mmap.mmap:
    """Pages that hold zeros."""
    held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held.madvise(mmap.MADV_HUGEPAGE)
    return held


def _again(size: int) -> mmap.mmap | None:
    """Kept pages of just this size. Each step is atomic, since any thread may take and the collector may give back."""
    for held in tuple(_kept):
        if len(held) == size:
            try:
                _kept.remove(held)
            except ValueError:
                continue  # another thread was faster
            return held
    return None


def _keep(held: mmap.mmap) -> None:
    """Keep pages that nobody reads any more; what was kept longest goes first where they are too many."""
    if len(held) <= MOST_KEPT:
        _kept.append(held)
        while sum(map(len, tuple(_kept))) > MOST_KEPT:
            _kept.popleft()
