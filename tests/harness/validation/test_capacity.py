"""One figure of capacity from a curve."""

from __future__ import annotations

import pytest

from harness.validation.capacity import capacity_figure
from harness.validation.report import Capacity


def curve(*points: tuple[float, float | None]) -> list[Capacity]:
    return [
        Capacity(capital_usd=c, net_sharpe=s, annual_return=0.05 if s is None else s / 10, cost_bps_year=1.0)
        for c, s in points
    ]


def test_half_and_none_lie_on_the_line_in_logarithms() -> None:
    found = capacity_figure(curve((1e5, 1.1), (1e6, 1.0), (1e7, 0.75), (1e8, 0.25), (1e9, -0.25)), 1e6)
    assert found is not None
    assert found.half == pytest.approx(1e7 * 10**0.5) and found.none == pytest.approx(1e8 * 10**0.5)
    assert (found.own_sharpe, found.most_profit, found.profit_a_year) == (1.0, 1e8, pytest.approx(2.5e6))
    assert found.words == "half of the Sharpe ratio is gone by 32,000,000 USD, all of it by 320,000,000 USD"


def test_what_was_not_reached_is_not_stated() -> None:
    found = capacity_figure(curve((1e6, 1.0), (1e7, 0.9), (1e8, 0.6)), 1e6)
    assert found is not None and found.half is None and found.none is None
    assert "more than half" in found.words and "100,000,000" in found.words
    partly = capacity_figure(curve((1e6, 1.0), (1e7, 0.4)), 1e6)
    assert partly is not None and partly.half is not None and partly.none is None and "all of it" not in partly.words


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((1e6, 1.0),),
        ((1e6, -0.1), (1e7, -0.5)),
        ((1e6, None), (1e7, 0.5)),
        ((1e5, 1.0), (1e7, 0.5)),
        ((1e6, 0.0), (1e7, 0.0)),
    ],
)
def test_without_an_edge_or_a_curve_there_is_no_figure(points: tuple[tuple[float, float | None], ...]) -> None:
    assert capacity_figure(curve(*points), 1e6) is None
