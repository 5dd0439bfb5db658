"""How a signal is computed, as a table: what each step calls, keeps and takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from cli.errors import RequestError
from cli.output import emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from modules.signal import Node
    from modules.signal.cost import PlanCost

MOST = 10_000_000_000
"""Most rows, and most symbols, that a plan is made for."""


def show_plan(node: Node, data: str | None, rows: int | None, symbols: int | None, json: bool) -> None:
    """Print the plan of a signal for the bars of a data set, or for so many rows and symbols."""
    from modules.signal import format_signal
    from modules.signal.cost import ROWS, SYMBOLS, costs, plan_cost

    if data is not None:
        if rows is not None or symbols is not None:
            raise RequestError("--data says how many rows and symbols there are", "leave out --rows and --symbols")
        rows, symbols = _shape(node, data)
    cost = plan_cost(node, ROWS if rows is None else rows, SYMBOLS if symbols is None else symbols)
    result = {
        "expr": format_signal(node),
        "rows": cost.rows,
        "symbols": cost.symbols,
        "steps": [asdict(s) | {"share": cost.share(s)} for s in cost.steps],
        "operators_written": cost.written,
        "operators_computed": cost.computed,
        "kernels": list(cost.kernels),
        "warmup_bars": cost.warmup_bars,
        "peak_bytes": cost.peak_bytes,
        "warm_ms": cost.warm_ms,
        "cold_ms": cost.cold_ms,
        "measured_on": dict(costs().machine),
    }
    emit(result, json, lambda out: _human(out, cost))


def _shape(node: Node, data: str) -> tuple[int, int]:
    """Of the cleaned bars, which must hold what the signal reads."""
    from cli.barsource import bars_of
    from cli.session import session
    from modules.signal.batch import check_panel

    with session() as s, working("reading the bars"):
        bars = bars_of(s, data)
    check_panel(node, bars)
    return bars.shape


def _human(out: Console, cost: PlanCost) -> None:
    from cli.present import rows, table, text

    made = table(
        "step", "operation", "kernel", "window", "inputs", "buffer", "ms", "share",
        right=("step", "window", "buffer", "ms", "share"),
    )  # fmt: skip
    cells = (
        (
            s.number, s.operation, s.kernel, s.window_rows, ", ".join(map(str, s.inputs)), memory(s.buffer_bytes),
            f"{s.milliseconds:,.2f}", f"{cost.share(s):.0%}",
        )
        for s in cost.steps
    )  # fmt: skip
    out.print(rows(made, cells))
    totals = {
        "for": f"{cost.rows:,} rows x {cost.symbols:,} symbols",
        "operators": f"{text(cost.written)} written, {text(cost.computed)} computed",
        "kernels": text(len(cost.kernels)),
        "warm-up": f"{text(cost.warmup_bars)} bars",
        "peak memory": f"{memory(cost.peak_bytes)}, the result included; buffers are used in turn",
        "time": f"{seconds(cost.warm_ms)}; with no kernel compiled yet {seconds(cost.cold_ms)}",
    }
    for name, value in totals.items():
        out.print(f"{name:<12}  {value}", markup=False, soft_wrap=True)
    out.print(
        "\nTimes are of one thread on the machine of modules/signal/cost/kernels.json: for orientation.",
        style="dim", soft_wrap=True,
    )  # fmt: skip


def memory(size: int) -> str:
    """In the largest unit that leaves a digit before the point."""
    if size < 1 << 10:
        return f"{size} B"
    unit, power = next(((u, p) for u, p in (("KiB", 10), ("MiB", 20)) if size < 1 << (p + 10)), ("GiB", 30))
    return f"{size / (1 << power):,.1f} {unit}"


def seconds(milliseconds: float) -> str:
    """Milliseconds below one second, seconds above."""
    return f"{milliseconds:,.1f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:,.1f} s"
