"""What a sandbox costs beside starting the interpreter, and how far beyond its limits a program gets."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.common import Row, median_seconds, report
from harness.sandbox.choose import examine, known
from harness.sandbox.port import MIB, Job, Limits, Sandbox

BARE = ("-I", "-S", "-c", "pass")
RUNS = 9
HUNGRY = "held = []\nwhile True: held.append(bytearray(1 << 20))"


def measure() -> list[Row]:
    """Rows for each sandbox that works here; `make and clear up` is the job's whole time less the program's own."""
    bare = median_seconds(lambda: subprocess.run([sys.executable, *BARE], check=True), runs=RUNS)
    rows = []
    works = {finding.name for finding in examine() if finding.works}
    for sandbox in (s for s in known() if s.name in works):
        rows += [
            Row(f"{sandbox.name}: make and clear up", _start(sandbox), "s", "python -c pass", bare),
            Row(f"{sandbox.name}: a program of {TIMEOUT_S} s that never ends, over its time", _over(sandbox), "s"),
            Row(f"{sandbox.name}: memory beyond 128 MiB when it is ended", _beyond(sandbox), "MiB"),
        ]
    return rows


TIMEOUT_S = 0.5


def _start(sandbox: Sandbox) -> float:
    job = Job({"a.txt": b""}, ("python", *BARE))
    sandbox.run(job)  # an engine may have an image to build
    return statistics.median(sandbox.run(job).usage.start_s for _ in range(RUNS))


def _over(sandbox: Sandbox) -> float:
    job = Job({}, ("python", "-I", "-S", "-c", "while True: pass"), Limits(timeout_s=TIMEOUT_S))
    return statistics.median(sandbox.run(job).usage.wall_s - TIMEOUT_S for _ in range(3))


def _beyond(sandbox: Sandbox) -> float:
    """Two processes, so that the limit of one does not answer for both."""
    code = f"import os\nos.fork()\n{HUNGRY}"
    job = Job({}, ("python", "-I", "-S", "-c", code), Limits(timeout_s=20, memory_bytes=128 * MIB))
    return statistics.median(sandbox.run(job).usage.peak_memory_bytes / MIB - 128 for _ in range(3))


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
