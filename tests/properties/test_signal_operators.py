"""What holds of every operator in the table, on panels with gaps, ties, constants, late starts and extreme values.

1. Batch equals stream: the row that a stream returns has the bits that the batch has in that row.
2. Truncation: taking later rows away changes no earlier bit.
3. Order of symbols: permuted symbols give the permuted result, to the bit.
4. Restart: a stream restored from its checkpoint, through JSON, at any bar goes on as if nothing had happened.
5. No infinities: whatever the input, a value is finite or NaN; NaN and zero have one form.
6. Warm-up: no row before the warm-up has a value, unless the operator says that it never is NaN.
7. Start of history: dropping rows that a window cannot reach changes nothing (all but the operators with memory).
8. Canonical form: evaluating it gives the bits of the original; so does evaluating several signals together.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.panel import Panel
from modules.signal import Checkpoint, Stream, evaluate, evaluate_all, parse, warmup
from modules.signal.batch import compute
from modules.signal.canonical import canonical
from modules.signal.operators import Kind, Operator, operators
from modules.signal.prove import stream_all
from tests.modules.signal.panels import bits, call_on_fields, grouped_panel, make_panel, random_tree

SEEDS = st.integers(0, 2**32 - 1)
EVERY_OPERATOR = pytest.mark.parametrize("operator", operators(), ids=lambda o: o.name)
ROWS = 40


def _row(panel: Panel, t: int) -> dict[str, np.ndarray]:
    return {name: values[t] for name, values in panel.fields.items()}


@EVERY_OPERATOR
@settings(max_examples=6, deadline=None)
@given(seed=SEEDS)
def test_one_kernel_two_drivers(operator: Operator, seed: int) -> None:
    """Invariants 1, 2, 3, 5, 6 and 7."""
    rng = np.random.default_rng(seed)
    panel = grouped_panel(seed, ROWS)
    node = call_on_fields(operator, rng)
    full = evaluate(node, panel)

    assert bits(stream_all(node, panel)) == bits(full)

    cut = int(rng.integers(1, ROWS))
    (short,) = compute([node], panel.rows(0, cut))
    assert bits(short) == bits(full[:cut])

    order = rng.permutation(len(panel.symbols))
    permuted = Panel(
        panel.ts, tuple(panel.symbols[i] for i in order), {k: v[:, order] for k, v in panel.fields.items()}
    )
    assert bits(evaluate(node, permuted)) == bits(full[:, order])

    assert not np.isinf(full).any()
    zeros, nans = full[full == 0.0], full[np.isnan(full)]
    assert not np.signbit(zeros).any()
    assert set(nans.view(np.uint64).tolist()) <= {0x7FF8000000000000}

    assert np.isnan(full[: warmup(node)]).all()
    if operator.kind is not Kind.STATE:
        begin = int(rng.integers(0, ROWS - warmup(node)))
        (late,) = compute([node], panel.rows(begin, ROWS))
        assert bits(late[warmup(node) :]) == bits(full[begin + warmup(node) :])


@EVERY_OPERATOR
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_restart_at_any_bar(operator: Operator, seed: int) -> None:
    """Invariant 4, with the operator on top of another one with history."""
    rng = np.random.default_rng(seed)
    panel = grouped_panel(seed, 24, 4)
    node = call_on_fields(operator, rng)
    full = evaluate(node, panel)
    stream = Stream(node, panel.symbols)
    for t in range(panel.shape[0]):
        stream = Stream.restore(node, Checkpoint.model_validate_json(stream.checkpoint().model_dump_json()))
        assert bits(stream.push(int(panel.ts[t]), _row(panel, t))) == bits(full[t])


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_whole_trees(seed: int) -> None:
    """Invariants 1, 2, 4 and 8 for operators on operators."""
    rng = np.random.default_rng(seed)
    panel = grouped_panel(seed, 60, 4)
    node = random_tree(operators(), rng, 3)
    (full,) = compute([node], panel)
    assert bits(stream_all(node, panel)) == bits(full)
    cut = int(rng.integers(1, 60))
    (short,) = compute([node], panel.rows(0, cut))
    assert bits(short) == bits(full[:cut])
    (again,) = compute([canonical(node)], panel)
    assert bits(again) == bits(full)

    stop = int(rng.integers(0, 59))
    stream = Stream(node, panel.symbols)
    for t in range(stop):
        stream.push(int(panel.ts[t]), _row(panel, t))
    restored = Stream.restore(node, stream.checkpoint())
    for t in range(stop, 60):
        assert bits(restored.push(int(panel.ts[t]), _row(panel, t))) == bits(full[t])


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_together_as_alone(seed: int) -> None:
    """Invariant 8: signals that share a plan do not touch each other's values."""
    rng = np.random.default_rng(seed)
    panel = grouped_panel(seed, 30, 4)
    nodes = [random_tree(operators(), rng, 2) for _ in range(4)]
    for node, values in zip(nodes, compute(nodes, panel), strict=True):
        assert bits(values) == bits(compute([node], panel)[0])


def test_the_panel_is_left_as_it_was() -> None:
    panel = grouped_panel(5)
    before = {name: bits(values) for name, values in panel.fields.items()}
    nodes = [call_on_fields(o, np.random.default_rng(1)) for o in operators()]
    evaluate_all(nodes, panel)
    assert {name: bits(values) for name, values in panel.fields.items()} == before
    assert bits(evaluate(parse("close"), make_panel(5, rough=False))) == bits(make_panel(5, rough=False)["close"])
