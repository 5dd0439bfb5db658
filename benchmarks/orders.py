"""The decision on an order with 500 open positions, the desk with its journal on, and a tick's way to an order."""

from __future__ import annotations

import sys
import time

from benchmarks import desk as orderdesk
from benchmarks import riskd, tape, ticktoorder
from benchmarks.common import RUNS, Row, median_seconds, report
from modules.jit import uncounted
from modules.live.risk import layout as at
from modules.live.risk.core import Instrument, Intent, RiskCore
from modules.live.risk.kernel import judge
from modules.live.risk.limits import LiveLimits
from modules.panel import FloatArray, IntArray

POSITIONS = 500
CALLS = 200_000


@uncounted
def many(ints: IntArray, floats: FloatArray, strategies: IntArray, limits: FloatArray, calls: int) -> int:
    """As many decisions, each on another quantity, so that none can be left out."""
    said = 0
    for call in range(calls):
        ints[1, at.ASKED] = 100 + (call & 7)
        said += judge(ints, floats, strategies, limits)
    return said


def desk() -> tuple[RiskCore, Intent]:
    """A core that holds `POSITIONS` positions, and an order that passes."""
    limits = LiveLimits(strategies={"alpha": 5e6}, max_leverage=2.0, messages_a_second=1_000, repeats_a_minute=120)
    instruments = [
        Instrument(f"S{i}", f"sector{i % 11}", sigma_day=0.02, adv_lots=10**7, located_lots=10**6)
        for i in range(POSITIONS)
    ]
    core = RiskCore(limits, instruments, cash_micros=10**13, mode="paper", build="b")
    for i, x in enumerate(instruments):
        core.mark(x.symbol, 50.0 + i % 7, 0)
        order = Intent(f"c{i}", "alpha", x.symbol, 100 if i % 2 else -100, "sim", "paper", "b", i * 5_000_000)
        assert core.ask(order).goes_out
        core.filled(order.client_id, order.lots, 50.0 + i % 7)
    return core, Intent("next", "alpha", "S8", 100, "sim", "paper", "b", POSITIONS * 5_000_000)


def measure() -> list[Row]:
    """Medians."""
    core, order = desk()
    assert core.look(order).goes_out
    tables = core._ints, core._floats, core._strategies, core._limits

    def from_python() -> None:
        for _ in range(CALLS // 10):
            judge(*tables)

    def with_names() -> None:
        for _ in range(CALLS // 100):
            core.look(order)

    compiled = median_seconds(lambda: many(*tables, CALLS), RUNS) / CALLS
    python = median_seconds(from_python, RUNS) / (CALLS // 10)
    named = median_seconds(with_names, RUNS) / (CALLS // 100)
    began = time.perf_counter()
    core.mark("S8", 51.0, POSITIONS * 5_000_000)
    marked = time.perf_counter() - began
    return [
        Row(f"risk decision compiled, {POSITIONS} positions", compiled * 1e9, "ns", goal=100.0),
        Row("risk decision called from Python", python * 1e6, "us", goal=1.0),
        Row("order with its names looked up", named * 1e6, "us"),
        Row("a price taken in", marked * 1e6, "us"),
        *riskd.rows(),
        *orderdesk.rows(),
        *ticktoorder.rows(),
        *tape.rows(),
    ]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
