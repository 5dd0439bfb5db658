"""The signal language on Alpha158, 500 symbols: beside polars and a hand-written loop, bar by bar, and from cold.

Wall times, medians of five, peers in turn with ours so that a drift of the machine hits all alike. Each has two
threads: polars takes them from `POLARS_MAX_THREADS`, which a machine with more than two processors must set.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars

from benchmarks import alpha158_loop, alpha158_polars
from benchmarks.common import RUNS, Row, report
from benchmarks.market import make_panel
from modules.feature.alpha158.definitions import FEATURES
from modules.panel import FloatArray, Panel
from modules.signal import Streams, evaluate_all
from modules.signal.operators import find, kernel_of

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
ROWS, SYMBOLS = 2_500, 500
BARS = 600

# What the operators cost at 500 x 2,500 on one thread, in ms: operator, inputs, window, numbers after it, goal.
KERNELS = (
    ("ts_std", ("close",), 20, (), 5.0), ("ts_std", ("close",), 60, (), 12.0),
    ("ts_max", ("high",), 20, (), 2.0), ("ts_max", ("high",), 60, (), 6.0),
    ("ts_rank", ("close",), 20, (), 3.0), ("ts_rank", ("close",), 60, (), 9.0),
    ("ts_corr", ("close", "volume"), 20, (), 14.0), ("ts_corr", ("close", "volume"), 60, (), 29.0),
    ("ts_median", ("close",), 20, (), None), ("rank", ("close",), 0, (), None),
)  # fmt: skip

# Ten operators: what a newcomer's first signal costs. Imports of the language and of numba apart.
COLD = """
import json, time
import modules.signal as signal, numba, modules.jit
numba.njit(lambda: 0)()  # Numba's own start, about 0.9 s whatever is compiled
from benchmarks.market import make_panel
panel = make_panel(600, 50)
text = ("rank(ts_mean(returns(close, 5), 20) / ts_std(returns(close, 1), 20)) * zscore(log(volume))"
        " + where(ts_max(high, 20) > close, ts_corr(close, volume, 10), ema(close, 12) / close)")
start = time.perf_counter()
signal.evaluate(signal.parse(text), panel)
print(json.dumps(time.perf_counter() - start))
"""


def in_turn(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each, one after the other in every round; the first round is not counted."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(RUNS + 1):
        for work, kept in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if turn:
                kept.append(time.perf_counter() - start)
    return [statistics.median(t) for t in times]


def batch(panel: Panel) -> list[Row]:
    """All 158 features, two threads each."""
    if polars.thread_pool_size() != THREADS:
        raise RuntimeError(f"polars has {polars.thread_pool_size()} threads; set POLARS_MAX_THREADS={THREADS}")
    nodes = [row.node for row in FEATURES]
    frame = alpha158_polars.table(panel)
    check(evaluate_all(nodes, panel, threads=THREADS), alpha158_loop.evaluate(panel, THREADS))
    ours, limit, peer, single = in_turn(
        lambda: evaluate_all(nodes, panel, threads=THREADS),
        lambda: alpha158_loop.evaluate(panel, THREADS),
        lambda: alpha158_polars.evaluate(frame),
        lambda: evaluate_all(nodes, panel, threads=1),
    )
    return [
        Row("Alpha158, 158 features, two threads", ours, "s", "hand-written Numba loop", limit, goal=1.5 * limit),
        Row("Alpha158, 158 features, two threads", ours, "s", "polars, 143 of 158", peer, goal=peer / 8),
        Row("Alpha158, 158 features, one thread", single, "s"),
    ]


def check(ours: list[FloatArray], loop: FloatArray) -> None:
    """The loop computes what the language computes; else its time says nothing. Raises AssertionError."""
    for row, values in zip(FEATURES, ours, strict=True):
        found = loop[alpha158_loop.NAMES.index(row.name)]
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=row.name)


def kernels(panel: Panel) -> list[Row]:
    """Single kernels on the whole panel, one thread. One kernel has mean and deviation together."""
    rows = []
    for name, inputs, window, more, goal in KERNELS:
        operator = find(name)
        assert operator is not None
        kernel, first = kernel_of(operator), max(window - 1, 0)
        out = np.empty((ROWS - first, SYMBOLS))
        arguments = (*(panel[i] for i in inputs), *((window, *more, first) if window else more), out)
        (seconds,) = in_turn(lambda kernel=kernel, arguments=arguments: kernel(*arguments))  # type: ignore[misc]
        title = f"{name}, window {window}" if window else name
        rows.append(Row(f"{title}, one thread", seconds * 1e3, "ms", goal=goal))
    return rows


def streaming(panel: Panel) -> list[Row]:
    """One new bar for 500 symbols, all 158 features."""
    streams = Streams([row.node for row in FEATURES], panel.symbols)
    times = []
    for t in range(BARS):
        bar = {name: values[t] for name, values in panel.fields.items()}
        start = time.perf_counter()
        streams.push(int(panel.ts[t]), bar)
        times.append(time.perf_counter() - start)
    warm = np.array(times[100:]) * 1e3
    return [
        Row("one bar, 500 symbols, 158 features: p50", float(np.percentile(warm, 50)), "ms", goal=2.0),
        Row("one bar, 500 symbols, 158 features: p99", float(np.percentile(warm, 99)), "ms", goal=5.0),
    ]


def memory() -> list[Row]:
    """Peak of a process that computes the 158 features, less what it held before, over the size of the results."""
    code = """
import json, re
from pathlib import Path
from benchmarks.features import FEATURES, ROWS, SYMBOLS, THREADS
from benchmarks.market import make_panel
from modules.signal import evaluate_all
def peak():  # of this program alone; what getrusage says begins with the peak of the process that started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
panel, nodes = make_panel(ROWS, SYMBOLS), [row.node for row in FEATURES]
evaluate_all(nodes, make_panel(100, 40), threads=1)
before = peak()
values = evaluate_all(nodes, panel, threads=THREADS)
grown = peak() - before
print(json.dumps(grown * 1024 / sum(v.nbytes for v in values)))
"""
    return [Row("Alpha158, peak memory over that of the results", _child(code), "times", goal=3.0)]


def cold_and_warm() -> list[Row]:
    """A signal with ten operators on a machine that never ran one, and in the next process."""
    cold, warm = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(_child(COLD, NUMBA_CACHE_DIR=folder))
            warm.append(_child(COLD, NUMBA_CACHE_DIR=folder))
    return [
        Row("ten operators, kernels not compiled, imports apart", statistics.median(cold), "s", goal=3.0),
        Row("ten operators, kernels on disk, imports apart", statistics.median(warm), "s", goal=0.3),
    ]


def _child(code: str, **environment: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return float(json.loads(done.stdout))


def measure() -> list[Row]:
    """All rows."""
    panel = make_panel(ROWS, SYMBOLS)
    return [*batch(panel), *kernels(panel), *streaming(panel), *memory(), *cold_and_warm()]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__ or ""))
