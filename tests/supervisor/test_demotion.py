"""A proposed demotion stops an account until a human takes it back, and that is kept."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from modules.live.runner.drift import Drift, Measure
from supervisor.demotion import DISMISSED, NAME, dismiss, propose, proposed


def found(*distances: float) -> Drift:
    names = ("daily P&L", "Sharpe", "fill rate", "slippage")
    measures = tuple(Measure(n, 1.0, 1.0 - d, d, 0.5) for n, d in zip(names, distances, strict=True))
    return Drift("s1", "2024-01-02", "2024-01-05", 4, measures)


@pytest.mark.parametrize(
    ("distances", "holds"),
    [
        ((0.0, 0.0, 0.0, 0.0), True),
        ((0.5, 0.5, 0.5, 0.5), True),
        ((0.5, math.nan, 0.5, 0.5), True),
        ((0.51, 0.0, 0.0, 0.0), False),
        ((0.0, 0.0, 0.0, math.inf), False),
    ],
)
def test_each_measure_has_its_limit(distances: tuple[float, ...], holds: bool) -> None:
    assert found(*distances).holds is holds


def test_proposed_kept_and_taken_back(tmp_path: Path) -> None:
    assert proposed(tmp_path) is None and not dismiss(tmp_path, "Ada", "none")
    propose(tmp_path, found(0.0, 0.9, math.nan, 0.7))
    assert proposed(tmp_path) == "s1 drifted from its backtest 2024-01-02 to 2024-01-05: Sharpe, slippage"
    assert dismiss(tmp_path, "Ada <ada@example.org>", "a holiday")
    assert proposed(tmp_path) is None
    [kept] = [json.loads(line) for line in (tmp_path / DISMISSED).read_text().splitlines()]
    assert (kept["by"], kept["reason"]) == ("Ada <ada@example.org>", "a holiday") and "Sharpe" in kept["proposed"]


def test_what_cannot_be_read_stops_it_too(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    assert "cannot be read" in (proposed(tmp_path) or "")
