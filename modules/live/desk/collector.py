"""Garbage collection where microseconds count: seldom, and not over what is there to stay."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def calm_collector() -> None:
    """To be called once a process that trades has loaded what it needs. What is there now is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def tidy_up() -> None:
    """To be called where nothing is in a hurry, once a day: garbage goes, and pages that are free go back.

    What a day allocated lies between what stays, and the C library keeps the holes: a hundredth more in two weeks.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # where the C library is another
        ctypes.CDLL(None).malloc_trim(0)
