"""A panel cannot be built broken, and cannot be changed."""

from __future__ import annotations

import numpy as np
import pytest

from modules.panel import Panel, PanelError, iso, ns


def build(ts: object = (1, 2), symbols: object = ("a", "b"), x: object = ((1.0, 2.0), (3.0, 4.0))) -> Panel:
    return Panel(np.array(ts), tuple(symbols), {"x": np.array(x)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ts": (2, 1)}, "not strictly increasing at row 1"),
        ({"ts": (1, 1)}, "not strictly increasing at row 1"),
        ({"ts": ((1, 2),)}, "2 dimensions"),
        ({"symbols": ("a", "a")}, "symbols repeat: a"),
        ({"x": ((1.0, 2.0),)}, r"field x has shape \(1, 2\); expected \(2, 2\)"),
    ],
)
def test_broken_axes_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(PanelError, match=message):
        build(**arguments)


def test_a_panel_does_not_change_with_its_makers_array() -> None:
    values = np.ones((2, 2))
    panel = Panel(np.array([1, 2]), ("a", "b"), {"x": values})
    values[0, 0] = 9.0
    assert panel["x"][0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        panel["x"][0, 0] = 5.0


def test_an_absent_field_is_named_with_what_is_there() -> None:
    with pytest.raises(PanelError, match="field volume is not in this panel; it has x"):
        build()["volume"]


def test_between_takes_both_ends() -> None:
    panel = Panel(np.array([10, 20, 30]), ("a",), {"x": np.arange(3.0)[:, None]})
    assert panel.between(10, 20)["x"].ravel().tolist() == [0.0, 1.0]
    assert panel.between(11, 19).shape == (0, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1970-01-02", 86_400_000_000_000),
        ("1970-01-01T00:00:01", 1_000_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.000001", 1_000),
    ],
)
def test_iso_dates(text: str, value: int) -> None:
    assert ns(text) == value


def test_iso_round_trip_and_refusal() -> None:
    assert iso(ns("2013-02-08")) == "2013-02-08"
    assert iso(ns("2013-02-08T14:30:00")) == "2013-02-08T14:30:00Z"
    with pytest.raises(ValueError, match="'last week' is not an ISO date"):
        ns("last week")
