"""The drivers and the proof: what is computed once, what a stream refuses, and how a leak is caught."""

from __future__ import annotations

import numpy as np
import pytest

from modules.panel import FloatArray, Panel, iso
from modules.signal import SignalError, Stream, evaluate, evaluate_all, parse, prove
from modules.signal.nodes import Call, Field
from modules.signal.operators import Kind, Operator, find, registered
from modules.signal.operators.row import window
from modules.signal.plan import Apply, make_plan
from modules.signal.units import of
from tests.modules.signal.panels import DAY_NS, make_panel


def test_common_subexpressions_are_computed_once() -> None:
    nodes = [parse("rank(ts_mean(close, 5)) * ts_mean(close, 5)"), parse("zscore(ts_mean(close, 5)) * (open + close)")]
    nodes.append(parse("(close + open) / 2"))
    applied = [s.operator.name for s in make_plan(nodes).steps if isinstance(s, Apply)]
    assert sorted(applied) == ["add", "div", "mul", "mul", "rank", "ts_mean", "zscore"]


def test_a_kernel_runs_once_for_what_is_written_twice() -> None:
    calls = []

    def counted(x: FloatArray, out: FloatArray) -> None:
        calls.append(1)
        out[:] = x

    with registered(Operator("counted", Kind.ELEMENTWISE, ("x",), "x", "-", of("x")), counted):
        evaluate_all([parse("counted(close) * rank(counted(close))"), parse("-counted(close)")], make_panel(1))
    assert len(calls) == 1


def _tomorrow(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    """A mean that takes one later row in, where there is one: the mistake that the proof is for."""
    for i in range(out.shape[0]):
        t = first + i
        last = min(t + 1, x.shape[0] - 1)
        out[i] = x[t - window + 2 : last + 1].sum(axis=0)


def _whole_history(x: FloatArray, out: FloatArray) -> None:
    """A normalisation by the whole sample: the look-ahead that hides in normalisation."""
    out[:] = x - x.mean(axis=0)


def _only_at_the_end(x: FloatArray, out: FloatArray) -> None:
    """Looks ahead in one single row."""
    out[:] = x
    if x.shape[0] > 30:
        out[30] = x[-1]


LEAKS = [
    (Operator("leak", Kind.WINDOW, ("x",), "-", "-", of("x"), (window(),)), _tomorrow, "leak(close, 3)", 2),
    (Operator("leak", Kind.ELEMENTWISE, ("x",), "-", "-", of("x")), _whole_history, "leak(close)", 0),
    (Operator("leak", Kind.ELEMENTWISE, ("x",), "-", "-", of("x")), _only_at_the_end, "rank(leak(close))", 30),
]


@pytest.mark.parametrize(("row", "kernel", "text", "first"), LEAKS, ids=["window", "normalisation", "one row"])
def test_a_leak_is_caught_at_its_first_bar(row: Operator, kernel: object, text: str, first: int) -> None:
    panel = make_panel(3, rows=50, rough=False)
    with registered(row, kernel):  # type: ignore[arg-type]
        proof = prove(parse(text), panel, seed=0)
    assert not proof.holds
    assert not proof.batch_equals_stream
    found = proof.first_difference
    assert found is not None
    assert (found.row, found.ts) == (first, iso(int(panel.ts[first])))
    assert found.symbol in panel.symbols
    assert found.batch != found.other


def test_truncation_alone_catches_a_leak() -> None:
    panel = make_panel(3, rows=50, rough=False)
    with registered(LEAKS[1][0], LEAKS[1][1]):
        assert not prove(parse("leak(close)"), panel, seed=0).truncation_equal
    assert find("leak") is None


def test_an_honest_signal_is_proven() -> None:
    panel = make_panel(4, rows=50)
    proof = prove(parse("rank(-returns(close, 5)) * ema(volume, 4)"), panel, seed=1, samples=5)
    assert proof.holds
    assert proof.first_difference is None
    assert (proof.rows, len(proof.cuts)) == (50, 5)
    assert all(5 <= cut < 49 for cut in proof.cuts)
    assert proof == prove(parse("rank(-returns(close, 5)) * ema(volume, 4)"), panel, seed=1, samples=5)


def test_what_a_stream_refuses_it_does_not_take() -> None:
    stream = Stream(parse("delta(close, 1)"), ["A", "B"])
    assert np.isnan(stream.push(DAY_NS, {"close": np.array([1.0, 2.0])})).all()
    bad = [
        (DAY_NS, {"close": np.ones(2)}, "is not newer than the last bar, 1970-01-02"),
        (2 * DAY_NS, {"open": np.ones(2)}, "lacks field close; it has open"),
        (2 * DAY_NS, {"close": np.ones(3)}, r"has shape \(3,\); expected \(2,\)"),
    ]
    for ts_ns, row, said in bad:
        with pytest.raises(SignalError, match=said):
            stream.push(ts_ns, row)
    assert stream.push(2 * DAY_NS, {"close": np.array([4.0, 7.0])}).tolist() == [3.0, 5.0]


def test_a_checkpoint_belongs_to_its_signal() -> None:
    stream = Stream(parse("ts_mean(close, 3) + ema(close, 2)"), ["A"])
    stream.push(DAY_NS, {"close": np.array([1.0])})
    saved = stream.checkpoint()
    with pytest.raises(SignalError, match=r"the checkpoint is of ts_mean\(close, 3\)"):
        Stream.restore(parse("ts_mean(close, 4)"), saved)
    broken = {i: b.model_copy(update={"data": b.data[:-4]}) for i, b in saved.history.items()}
    with pytest.raises(SignalError, match="damaged"):
        Stream.restore(parse("ts_mean(close, 3) + ema(close, 2)"), saved.model_copy(update={"history": broken}))


def test_infinite_fields_count_as_missing() -> None:
    panel = Panel(np.arange(3), ("A", "B"), {"close": np.array([[1.0, np.inf], [2.0, 3.0], [-np.inf, 5.0]])})
    assert np.isnan(evaluate(parse("close"), panel)).tolist() == [[False, True], [False, False], [True, False]]
    assert np.isinf(panel["close"]).sum() == 2


def test_an_operator_that_exists_cannot_be_registered() -> None:
    row = find("rank")
    assert row is not None
    with pytest.raises(ValueError, match="operator rank exists"), registered(row, lambda x, out: None):
        pass


def test_a_tree_made_by_hand_with_an_unknown_operator_is_refused() -> None:
    with pytest.raises((SignalError, ValueError), match="nothing"):
        evaluate(Call("nothing", (Field("close"),)), make_panel(1))
