"""A family may know features that look further back than the bars of a suite go: the others are still compared."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from modules.panel import Panel
from modules.registry import settings_model
from modules.signal import SignalError, evaluate
from supervisor.probes._port import Room
from supervisor.probes.alike_features import AlikeFeatures

BARS = 700
"""Shorter than the longest window of feature/seasonality, longer than most."""


def test_features_that_are_too_long_are_left_out() -> None:
    rng = np.random.default_rng(1)
    ts = 86_400_000_000_000 * (12_000 + np.arange(BARS, dtype=np.int64))
    close = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal((BARS, 4)), axis=0)
    panel = Panel(ts, ("A", "B", "C", "D"), {"close": close})
    features = settings_model("feature", "seasonality").features  # type: ignore[attr-defined]
    longest = next(f for f in features if f.name == "season_years_2_5")
    with pytest.raises(SignalError, match="look-back"):
        evaluate(longest.node, panel)
    row = {"name": "feature/seasonality", "code_digest": "c", "settings_digest": "s", "data_digest": "d"}
    room = cast(Room, type("Unhurried", (), {"late": False})())
    compared = AlikeFeatures()._compared("id", row, panel, room)
    assert compared is not None
    assert longest.reference not in compared.features
    assert "season_weekday@1" in compared.features
