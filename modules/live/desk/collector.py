"""Garbage collection where microseconds count: seldom, and not over what is there to stay."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """To be called once a process that trades has loaded what it needs. What is there now is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
