"""How long a newcomer waits for an answer: `cws --help`, and the first import of each package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.common import Row, median_seconds, report

ROOT = Path(__file__).resolve().parent.parent


def _start(*arguments: str) -> float:
    command = [sys.executable, *arguments]
    return median_seconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True), runs=7)


def measure() -> list[Row]:
    """Whole-process wall times, interpreter start included."""
    bare = _start("-c", "pass")
    return [
        Row("cws --help, whole process", _start("-m", "cli.main", "--help"), "s", "python -c pass", bare, goal=0.3),
        Row("import modules.contract, whole process", _start("-c", "import modules.contract"), "s"),
        Row("import modules.pipeline, whole process", _start("-c", "import modules.pipeline"), "s"),
        Row("import modules.signal, whole process", _start("-c", "import modules.signal"), "s"),
    ]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
