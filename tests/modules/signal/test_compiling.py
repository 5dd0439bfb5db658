"""Kernels compiled ahead, half of them in a forked process.

1. What was compiled ahead is what the run calls: no kernel is compiled for a second set of types.
2. The bits are those of a process that compiles on its own.
3. A fork that dies, or that cannot be had, costs time and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.workspace import CHECKOUT

pytestmark = pytest.mark.slow

CODE = """
import json, os, sys
from modules.canonical import digest_panel
from modules.panel import Panel
from modules.signal import batch, compiling, evaluate, parse
from modules.signal.operators import kernel_of, find
from tests.modules.signal.panels import make_panel

case = sys.argv[1]
forks = []
real = os.fork

def fork():
    if case == "refused":
        raise OSError("no more processes")
    child = real()
    if child == 0 and case == "dies":
        os._exit(9)
    forks.append(child)
    return child

os.fork = fork
if case == "alone":
    batch._processors = lambda: 1
panel = make_panel(5, rows=60)
node = parse("rank(ts_mean(returns(close, 2), 5) / ts_std(returns(close, 1), 5)) + where(ts_max(high, 5) > close, "
             "ts_corr(close, volume, 5), ema(close, 3) / close) + zscore(log(volume))")
values = evaluate(node, panel)
names = ("rank", "ts_mean", "returns", "ts_corr", "ema", "zscore", "log", "where", "ts_max")
counts = {n: len(kernel_of(find(n)).signatures) for n in names}
digest = digest_panel(Panel(panel.ts, panel.symbols, {"v": values}))
print(json.dumps({"digest": digest, "signatures": counts, "forks": len(forks)}))
"""


def _run(case: str, cache: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, case],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
def test_compiled_ahead_or_not_the_bits_are_the_same(tmp_path: Path) -> None:
    alone = _run("alone", tmp_path / "alone")
    assert alone["forks"] == 0
    for case in ("forked", "dies", "refused"):
        found = _run(case, tmp_path / case)
        assert found["digest"] == alone["digest"], case
        signatures = found["signatures"]
        assert isinstance(signatures, dict) and max(signatures.values()) == 1, (case, signatures)
    if len(os.sched_getaffinity(0)) > 1:
        assert _run("forked", tmp_path / "again")["forks"] == 1
        assert _run("forked", tmp_path / "again")["forks"] == 0
