"""How the work is cut and shared changes no bit.

1. Any tile width, block length and number of threads give the bits of one thread on the whole panel.
2. Operators that share parts of their arithmetic have the bits that each has alone.
3. Beyond its outputs, an evaluation holds buffers whose size depends on the cut, not on the length of the panel.
4. Trees made by code may be deeper and larger than any text.
5. Rows that are announced while others are still computed are there for good.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest

from modules.panel import Panel
from modules.signal import Call, Field, Number, SignalError, Stream, Streams, evaluate, evaluate_all, parse
from modules.signal.batch import THREADS, Cut, compute
from modules.signal.layout import lay_out
from modules.signal.plan import Part, make_plan
from modules.signal.prove import stream_all
from modules.signal.sharing import share_parts
from modules.workspace import CHECKOUT
from tests.modules.signal.panels import bits, make_panel

SIGNALS = [
    "close",
    "ts_mean(close, 5) / close",
    "ts_quantile(close, 7, 0.8) - ts_quantile(close, 7, 0.2)",
    "ts_max(high, 9) + ts_argmax(high, 9)",
    "ts_rank(close, 6)",
    "ema(close, 4) / ts_mean(ema(close, 4), 3)",
    "rank(-returns(close, 5))",
    "ts_mean(rank(ts_std(close, 5)) * zscore(volume), 4) + month",
    "rank(ts_corr(rank(close), rank(volume), 8)) - demean(rank(close))",
    "scale(rank(2)) + rank(day_of_week)",
    "days_since(close > delay(close, 1), 10)",
    "ts_median(ts_zscore(volume, 12), 3)",
]
CUTS = [Cut(7, 3, 1), Cut(7, 3, 2), Cut(20, 8, 3), Cut(13, 5, 2), Cut(90, 1, 4), Cut(30, 16, 2)]


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_no_cut_changes_a_bit(cut: Cut) -> None:
    """Invariant 1, with windows longer than a block and tiles that do not divide the symbols."""
    panel = make_panel(11, rows=90, symbols=13)
    nodes = [parse(text, units=False) for text in SIGNALS]
    whole = compute(nodes, panel, cut=Cut(90, 13, 1))
    for text, wanted, found in zip(SIGNALS, whole, compute(nodes, panel, cut=cut), strict=True):
        assert bits(found) == bits(wanted), text


def test_values_may_be_computed_in_place() -> None:
    panel = make_panel(5, rows=40, symbols=3)
    nodes = [parse(text) for text in ("ts_mean(close, 5)", "returns(close, 2)", "ts_mean(close, 5)", "close")]
    out = np.full((4, 40, 3), -1.0)
    found = evaluate_all(nodes, panel, out=out)
    for wanted, values, there in zip(evaluate_all(nodes, panel), found, out, strict=True):
        assert bits(wanted) == bits(values) == bits(there)
        assert not values.flags.writeable


def test_threads_are_chosen_by_the_caller_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make_panel(3, rows=300, symbols=200)
    nodes = [parse(f"rank(ts_mean(close, {w})) + ts_std(volume, {w})", units=False) for w in range(5, 25)]
    layout = lay_out(share_parts(make_plan(nodes)))
    assert Cut.fitting(layout, panel.shape, 1).threads == 1
    assert Cut.fitting(layout, panel.shape, 3).threads == 3
    assert Cut.fitting(layout, (30, 200), 3).threads == 1  # not worth a thread
    monkeypatch.setenv(THREADS, "2")
    assert Cut.fitting(layout, panel.shape).threads == 2
    one, many = evaluate_all(nodes, panel, threads=1), evaluate_all(nodes, panel)
    assert [bits(v) for v in one] == [bits(v) for v in many]
    monkeypatch.setenv(THREADS, "none")
    with pytest.raises(SignalError, match="CWS_THREADS is 'none'"):
        evaluate_all(nodes, panel)


SHARED = {
    "moments": ("ts_var(x, 6)", "ts_std(x, 6)", "ts_zscore(x, 6)", "ts_mean(x, 6)"),
    "line": ("ts_slope(x, 5)", "ts_resid(x, 5)", "ts_rsquare(x, 5)", "ts_std(x, 5)"),
    "line alone": ("ts_slope(x, 5)", "ts_resid(x, 5)"),
    "pair": ("ts_corr(x, y, 7)", "ts_cov(x, y, 7)", "ts_beta(x, y, 7)", "ts_beta(y, x, 7)", "ts_corr(y, x, 7)"),
    "pair and moments": ("ts_corr(x, y, 7)", "ts_std(x, 7)"),
    "moments and pair": ("ts_std(y, 8)", "ts_corr(x, y, 8)", "ts_corr(y, volume, 8)", "ts_rsquare(y, 8)"),
    "pairs of one": ("ts_corr(x, volume, 4)", "ts_corr(x, y, 4)", "ts_corr(x, x, 4)"),
    "quantiles": ("ts_quantile(x, 9, 0.8)", "ts_quantile(x, 9, 0.2)", "ts_median(x, 9)", "ts_quantile(x, 8, 0.2)"),
    "truths": ("ts_mean(x > y, 6)", "ts_mean(not x > y, 6)", "ts_mean(x, 6)"),
}  # fmt: skip


@pytest.mark.parametrize("family", SHARED)
@pytest.mark.parametrize("fields", [("close", "open"), ("high", "volume")], ids=" ".join)
def test_what_is_shared_has_the_bits_of_what_is_not(family: str, fields: tuple[str, str]) -> None:
    """Invariant 2, in both drivers."""
    named = dict(zip("xy", fields, strict=True))
    texts = [re.sub(r"\b[xy]\b", lambda found: named[found[0]], t) for t in SHARED[family]]
    nodes = [parse(t, units=False) for t in texts]
    plan = share_parts(make_plan(nodes))
    assert any(isinstance(step, Part) for step in plan.steps)
    for seed in range(3):
        panel = make_panel(seed, rows=50, symbols=6)
        alone = [compute([node], panel)[0] for node in nodes]
        together = compute(nodes, panel, cut=Cut(11, 4, 1))
        streams = Streams(nodes, panel.symbols)
        for t in range(50):
            row = streams.push(int(panel.ts[t]), {name: v[t] for name, v in panel.fields.items()})
            assert bits(row) == bits(np.stack([v[t] for v in alone])), t
        assert [bits(v) for v in together] == [bits(v) for v in alone]


@pytest.mark.parametrize("texts", [SIGNALS[:1], SIGNALS, (*SIGNALS[:2], SIGNALS[0])], ids=["one", "all", "one twice"])
@pytest.mark.parametrize("cut", [Cut(7, 4, 1), Cut(7, 2, 1), Cut(7, 2, 2), Cut(40, 4, 1)], ids=str)
def test_rows_that_are_announced_are_there_for_good(texts: Sequence[str], cut: Cut) -> None:
    panel = make_panel(8, rows=40, symbols=4)
    nodes = [parse(text, units=False) for text in texts]
    wanted = np.stack(compute(nodes, panel))
    out = np.full(wanted.shape, 77.0)
    announced: list[int] = []

    def done(rows: int) -> None:
        announced.append(rows)
        assert bits(out[:, :rows]) == bits(wanted[:, :rows])

    compute(nodes, panel, cut=cut, out=out, done=done)
    assert announced == sorted(announced) and announced[-1] == 40
    if texts == SIGNALS[:1] and cut == Cut(7, 4, 1):
        assert len(announced) > 5, "one tile: block by block"


def test_streams_restart_anywhere() -> None:
    panel = make_panel(8, rows=40, symbols=4)
    nodes = [parse(text, units=False) for text in SIGNALS]
    wanted = np.stack(compute(nodes, panel), axis=1)
    streams = Streams(nodes, panel.symbols)
    for t in range(40):
        streams = Streams.restore(nodes, streams.checkpoint())
        found = streams.push(int(panel.ts[t]), {name: v[t] for name, v in panel.fields.items()})
        assert bits(found) == bits(wanted[t])
    with pytest.raises(SignalError, match="the checkpoint is of close; ts_mean"):
        Streams.restore(nodes[1:], streams.checkpoint())
    short = streams.checkpoint().model_copy(update={"rows": 2})
    with pytest.raises(SignalError, match="rows of some step"):
        Streams.restore(nodes, short)


def _peak_bytes(nodes: list[Call], panel: Panel, cut: Cut) -> int:
    compute(nodes, panel, cut=cut)  # compiled, imported
    tracemalloc.start()
    try:
        held = compute(nodes, panel, cut=cut)
        return tracemalloc.get_traced_memory()[1] - sum(v.nbytes for v in held)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wrap", ["{}", "rank({})"])
def test_memory_is_that_of_the_outputs_and_of_a_block(wrap: str) -> None:
    """Invariant 3: four times the rows, four times the outputs, and no more beside them."""
    texts = [wrap.format(f"ts_std(close, {w}) / ts_mean(volume / open, {w})") for w in range(3, 23)]
    nodes = [node for node in (parse(t, units=False) for t in texts) if isinstance(node, Call)]
    short, long = (make_panel(1, rows=rows, symbols=40, rough=False) for rows in (200, 800))
    beside = _peak_bytes(nodes, short, Cut(50, 20, 1)), _peak_bytes(nodes, long, Cut(50, 20, 1))
    one_output = long["close"].nbytes
    assert beside[1] < beside[0] + one_output  # room for the objects of 16 more blocks, not for one more panel


def test_trees_that_code_made_are_not_bound_by_the_limits_of_texts() -> None:
    """Invariant 4: a chain far deeper than Python recurses, and one object in many places."""
    deep = Call("ts_mean", (Field("close"),), (3,))
    for i in range(1_500):
        deep = Call("add", (deep, Number(float(i % 7))))
    panel = make_panel(2, rows=12, symbols=3)
    values = evaluate(deep, panel)
    assert bits(stream_all(deep, panel)) == bits(values)
    wide = Call("abs", (Field("close"),))
    for _ in range(60):  # 3**60 nodes, were each place a node of its own
        wide = Call("where", (wide, wide, wide))
    assert evaluate(wide, panel).shape == panel.shape
    with pytest.raises(SignalError, match=r"unknown field closing; did you mean close\?"):
        evaluate(Call("add", (deep, Field("closing"))), panel)
    stream = Stream(deep, panel.symbols)
    assert stream.checkpoint().rows == 0


@pytest.mark.slow
def test_another_number_of_threads_in_another_process_gives_the_same_bits() -> None:
    code = """
from modules.canonical import digest_panel
from modules.signal import evaluate_all, parse
from tests.modules.signal.panels import make_panel
from tests.modules.signal.test_cuts import SIGNALS
panel = make_panel(4, rows=400, symbols=300)
values = evaluate_all([parse(t, units=False) for t in SIGNALS], panel)
print(digest_panel(panel.with_fields(**{f"v{i}": v for i, v in enumerate(values)})))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=1200,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), THREADS: str(threads)},
        ).stdout
        for threads in (1, 2, 5)
    }  # fmt: skip
    assert len(found) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_the_sort_is_stable_for_any_values(count: int) -> None:
    """Both ways of sorting, on values of all sizes and signs, with ties and both zeros."""
    from modules.sorting import sort

    rng = np.random.default_rng(count)
    extremes = np.array([0.0, -0.0, 1e308, -1e308, 5e-324, -5e-324, 1.0])
    drawn = [
        rng.normal(size=count),
        rng.integers(-5, 5, count).astype(np.float64),
        np.exp(rng.normal(0.0, 100.0, count)) * rng.choice([-1.0, 1.0], count),
        rng.choice(extremes, count),
    ]
    for values in drawn:
        wanted = np.argsort(values + 0.0, kind="stable")
        found, order = values.copy(), np.arange(count)
        sort(found, order, count, np.empty(count), np.empty(count, np.int64))
        assert order.tolist() == wanted.tolist()
        assert bits(found) == bits(values[wanted] + 0.0)
