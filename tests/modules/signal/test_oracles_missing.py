"""Operators for data with holes against pandas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from modules.panel import Panel
from modules.signal import SignalError, evaluate, parse, signal_digest
from tests.modules.signal.oracles import GAPPY, Case, Frame, Frames, agree, on_both_panels
from tests.modules.signal.panels import bits


def _late(frame: Frame, rows: int) -> Frame:
    """No value before the first window is full."""
    return frame.where(np.repeat(np.arange(frame.shape[0])[:, None] >= rows, frame.shape[1], axis=1))


ORACLES: list[Case] = [
    ("fill_value(close, 3)", lambda f: f["close"].fillna(3.0)),
    ("ts_last(close, 3)", lambda f: _late(f["close"].ffill(limit=2), 2)),
    ("ts_last(close, 1)", lambda f: f["close"]),
    ("count_present(close, 10)", lambda f: f["close"].notna().astype(float).rolling(10).sum()),
    ("bars_missing(close, 10)", lambda f: f["close"].isna().astype(float).rolling(10).sum()),
    ("ts_mean_present(close, 10, 10)", lambda f: f["close"].rolling(10).mean()),
    ("ts_mean_present(close, 10, 3)", lambda f: _late(f["close"].rolling(10, min_periods=3).mean(), 9)),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


def test_too_few_present_values_have_no_mean() -> None:
    x = np.array([1.0, np.nan, np.nan, 4, 6, np.nan])[:, None]
    panel = Panel(np.arange(6), ("A",), {"x": x})
    np.testing.assert_array_equal(
        evaluate(parse("ts_mean_present(x, 3, 2)"), panel)[:, 0], [np.nan, np.nan, np.nan, np.nan, 5, 5]
    )


def test_more_values_than_the_window_holds_are_refused() -> None:
    with pytest.raises(SignalError, match="least 30 is above window 20; swap them"):
        parse("ts_mean_present(close, 20, 30)")


def test_a_number_for_what_is_missing_is_written_one_way() -> None:
    one, other = parse("coalesce(close, 0)"), parse("fill_value(close, 0)")
    assert signal_digest(one) == signal_digest(other)
    assert bits(evaluate(one, GAPPY)) == bits(evaluate(other, GAPPY))
    assert signal_digest(parse("coalesce(close, open)")) != signal_digest(other)
