"""Plans with their costs.

1. Every operator and every part has a cost, and no kernel is in the table that no plan can name.
2. More rows, more symbols or a longer window never cost less time.
3. A subexpression that stands twice is one step; the plan counts what that saved.
4. Every input of a step is an earlier step; shares of the time add up to 1.
5. The memory foretold is that of the buffers which the driver makes.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from benchmarks.kernels import probe, probes
from modules.reach import reached
from modules.signal import SignalError, evaluate, operators, parse
from modules.signal.cost import COSTS, KernelCost, costs, kernel_name, plan_cost
from modules.signal.kernels import parts
from modules.signal.nodes import Call, Field
from modules.signal.operators import Kind, Operator, Slot, registered
from modules.signal.units import RATIO
from modules.workspace import CHECKOUT
from tests.modules.signal.panels import make_panel, random_tree

SHARED = "rank(ts_mean(returns(close, 1), 20)) - ts_std(returns(close, 1), 20) * rank(ts_mean(returns(close, 1), 20))"


def test_every_kernel_of_a_plan_has_a_cost() -> None:
    """Invariant 1."""
    for row in operators():
        found = plan_cost(probe(row, 20))
        assert found.warm_ms > 0 and set(found.kernels) <= set(costs().kernels), row.name
    named = {kernel_name(steps[0]) for steps in probes()}
    assert set(costs().kernels) == named - {None}
    of_parts = {
        n for n in vars(parts) if hasattr(vars(parts)[n], "py_func") and vars(parts)[n].__module__ == parts.__name__
    }
    assert {k.removeprefix("parts.") for k in costs().kernels if k.startswith("parts.")} == of_parts


def test_a_kernel_that_was_never_measured_is_named() -> None:
    row = Operator("fresh", Kind.ELEMENTWISE, ("x",), "x", "elementwise.fresh", RATIO)
    with (
        registered(row, lambda x, out: np.copyto(out, x)),
        pytest.raises(SignalError, match=r"elementwise\.fresh is not in kernels\.json; measure it"),
    ):
        plan_cost(Call("fresh", (Field("close"),)))


@pytest.mark.parametrize("row", operators(), ids=lambda o: o.name)
def test_more_never_costs_less(row: Operator) -> None:
    """Invariant 2."""
    windows = [w for w in (10, 20, 60, 250) if all(p.slot is not Slot.WINDOW or w <= p.high for p in row.parameters)]
    times = [plan_cost(probe(row, w)).warm_ms for w in windows]
    assert times == sorted(times)
    for shapes in ([(n, 50) for n in (1, 100, 5_000)], [(500, n) for n in (1, 31, 32, 500, 3_000)]):
        times = [plan_cost(probe(row, 20), *shape).warm_ms for shape in shapes]
        assert times == sorted(times) and times[0] < times[-1]


def test_what_stands_twice_is_computed_once() -> None:
    """Invariant 3."""
    found = plan_cost(parse(SHARED))
    assert (found.written, found.computed) == (10, 6)
    said = [(s.operation, s.inputs) for s in found.steps]
    assert len(set(said)) == len(said)
    assert sum(s.operation == "returns(bars=1)" for s in found.steps) == 1
    assert sum(s.operation == "rank" for s in found.steps) == 1


@pytest.mark.parametrize("seed", range(30))
def test_a_plan_is_in_order_and_its_shares_add_up(seed: int) -> None:
    """Invariant 4."""
    table = operators()
    found = plan_cost(random_tree(table, np.random.default_rng(seed), 4), 100, 20)
    for step in found.steps:
        assert all(0 < i < step.number for i in step.inputs)
    assert sum(map(found.share, found.steps)) == pytest.approx(1.0)
    assert found.computed <= found.written
    assert found.cold_ms > found.warm_ms > 0 and found.peak_bytes >= 8 * 100 * 20


def test_steps_say_what_they_do() -> None:
    found = plan_cost(parse("ts_mean(close, 20) / close"), 1_000, 50)
    assert [(s.operation, s.kernel, s.window_rows, s.inputs) for s in found.steps] == [
        ("close", None, 1, ()),
        ("ts_mean(window=20)", "rolling.ts_mean", 20, (1,)),
        ("div", "elementwise.div", 1, (2, 1)),
    ]
    assert found.warmup_bars == 19


def test_measuring_again_changes_the_identity_of_no_run() -> None:
    code = reached((CHECKOUT / "modules").glob("*/*/run.py"))
    assert CHECKOUT / "modules" / "signal" / "batch.py" in code
    assert COSTS.parent not in {path.parent for path in code}


@pytest.mark.parametrize(("rows", "symbols"), [(0, 5), (5, 0)])
def test_an_empty_panel_has_no_plan(rows: int, symbols: int) -> None:
    with pytest.raises(SignalError, match="give at least one of each"):
        plan_cost(Field("close"), rows, symbols)


def test_costs_may_not_be_negative() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        KernelCost(cell=-1.0, window_row=0.0, compile_ms=0.0)


MEASURED = [SHARED, "ts_mean(close, 20) / close", "ema(close, 12) - ema(close, 26)", "rank(close) + rank(volume)"]


@pytest.mark.slow
@pytest.mark.parametrize("text", MEASURED)
def test_memory_is_as_foretold(text: str) -> None:
    """Invariant 5."""
    node, panel = parse(text), make_panel(1, 1_500, 150, rough=False)
    evaluate(node, panel)
    tracemalloc.start()
    try:
        evaluate(node, panel)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert plan_cost(node, *panel.shape).peak_bytes == pytest.approx(peak, rel=0.1)
