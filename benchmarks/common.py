"""What every benchmark shares: rows, goals, the machine, one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is value over peer_value; `goal` holds for `value`, as `at_least` or `at_most`."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    goal: float | None = None
    sense: Literal["at_least", "at_most"] = "at_most"

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's, measured in the same run."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def ok(self) -> bool | None:
        """Whether the goal holds; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.sense == "at_least" else self.value <= self.goal


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median wall time of `runs` calls after one that is not counted (compilation, caches)."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def on_processor(number: int) -> Iterator[None]:
    """Meanwhile this process, with the threads that it starts, keeps to one of its processors, as `taskset` does it.

    Nothing is done where there are fewer than two, or where the system does not offer it.
    """
    if not hasattr(os, "sched_setaffinity") or len(all_ := os.sched_getaffinity(0)) < 2:
        yield
        return
    os.sched_setaffinity(0, {sorted(all_)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    }


def report(measure: Callable[[], list[Row]], description: str) -> int:
    """Parse `--json`, measure, print, and give the exit code: 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    as_json = parser.parse_args().json
    rows = measure()
    if as_json:
        print(json.dumps({"rows": [asdict(r) | {"ratio": r.ratio, "ok": r.ok} for r in rows], "machine": machine()}))
    else:
        for r in rows:
            peer = f"   {r.peer} {r.peer_value:,.4g}, ratio {r.ratio:,.3g}" if r.peer_value and r.ratio else ""
            goal = (
                ""
                if r.goal is None
                else f"   goal {r.sense.replace('_', ' ')} {r.goal:,g}: {'ok' if r.ok else 'MISSED'}"
            )
            print(f"{r.name:<56} {r.value:>14,.4g} {r.unit}{peer}{goal}")
    missed = [r.name for r in rows if r.ok is False]
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0
