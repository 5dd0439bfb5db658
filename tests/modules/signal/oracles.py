"""What the tests against other people's code share: two panels, and the comparison to 1e-10 relative.

A file `test_oracles_<file>.py` holds `ORACLES`: (text of a signal, function from frames of the fields to the expected
frame). `test_oracles_complete.py` finds them all and fails for an operator that no file covers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from modules.panel import Panel
from modules.signal import evaluate, parse
from tests.modules.signal.panels import grouped_panel

Frame = pd.DataFrame
Frames = dict[str, Frame]
Oracle = Callable[[Frames], Frame]
Case = tuple[str, Oracle]


def _with_gaps(panel: Panel) -> Panel:
    rng = np.random.default_rng(12)
    return Panel(
        panel.ts, panel.symbols, {k: np.where(rng.random(v.shape) < 0.04, np.nan, v) for k, v in panel.fields.items()}
    )


PANEL = grouped_panel(11, rows=80, symbols=6, rough=False)
GAPPY = _with_gaps(PANEL)


def on_both_panels(cases: Sequence[Case]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Runs a test (text, oracle, panel) for each case, on whole data and on data with holes."""
    panels = pytest.mark.parametrize("panel", [PANEL, GAPPY], ids=["whole", "gaps"])
    each = pytest.mark.parametrize(("text", "oracle"), cases, ids=[c[0] for c in cases])
    return lambda test: panels(each(test))


def agree(text: str, oracle: Oracle, panel: Panel, rtol: float = 1e-10) -> None:
    """Same NaNs, some values, and all within `rtol` of the oracle, or of its largest value."""
    expected = np.asarray(oracle({name: Frame(values) for name, values in panel.fields.items()}), dtype=float)
    found = evaluate(parse(text), panel)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.isfinite(found).any()
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * float(np.nanmax(np.abs(expected))))


def by_window(fields: Sequence[str], rows: int, function: Callable[..., float]) -> Oracle:
    """The function of each window of `rows` bars, one array a field; NaN where one of them has a hole."""

    def oracle(frames: Frames) -> Frame:
        values = [frames[name].to_numpy() for name in fields]
        out = np.full(values[0].shape, np.nan)
        for t in range(rows - 1, out.shape[0]):
            for n in range(out.shape[1]):
                windows = [v[t - rows + 1 : t + 1, n] for v in values]
                if not any(np.isnan(w).any() for w in windows):
                    out[t, n] = function(*windows)
        return Frame(out)

    return oracle


def by_present(field: str, function: Callable[[np.ndarray], np.ndarray]) -> Oracle:
    """The function of each symbol's present values, put back where they were: how a memory passes over holes."""

    def oracle(frames: Frames) -> Frame:
        values = frames[field].to_numpy()
        out = np.full(values.shape, np.nan)
        for n in range(values.shape[1]):
            present = ~np.isnan(values[:, n])
            out[present, n] = function(values[present, n])
        return Frame(out)

    return oracle
