"""What is held, by hand; and that nothing without a price is counted as nothing."""

from __future__ import annotations

import pytest

from modules.live.analysis.exposure import Exposure, ExposureError, Side, exposure
from modules.live.messages import Position
from modules.live.risk.core import Instrument

LISTED = {
    x.symbol: x
    for x in (
        Instrument("A.X", "tech", lot_size=1.0, beta=1.5, adv_lots=1_000),
        Instrument("B.X", "tech", lot_size=0.5, beta=0.5),
        Instrument("C.X", "oil", lot_size=1.0, beta=-1.0, adv_lots=100),
    )
}
M = 1_000_000


def account(*positions: Position, nav: int = 10_000 * M, cash: int = 0) -> Exposure:
    return exposure(positions, LISTED, nav_micros=nav, cash_micros=cash, at_ns=9)


def test_by_hand() -> None:
    found = account(
        Position("A.X", 20, 100.0, 5, open_buy=10, open_sell=50),
        Position("B.X", 10, 100.0, 7),
        Position("C.X", -30, 50.0, 3),
        cash=8_900 * M,
    )
    assert found.total == Side("all", 2_500 * M, -1_500 * M)
    assert found.sectors == (Side("oil", 0, -1_500 * M), Side("tech", 2_500 * M, 0))
    assert [(h.symbol, h.weight, h.days) for h in found.held] == [
        ("A.X", 0.2, 0.2),
        ("C.X", -0.15, 3.0),
        ("B.X", 0.05, None),
    ]
    assert found.leverage == pytest.approx(0.4) and found.net == pytest.approx(0.1)
    assert found.beta == pytest.approx(0.2 * 1.5 + 0.15 + 0.05 * 0.5)
    assert found.concentration == pytest.approx(0.04 + 0.0225 + 0.0025)
    assert found.effective == pytest.approx(0.16 / 0.065)
    assert found.gross_if_filled_micros == (30 * 100 + 500 + 1_500) * M  # buys of A widen more than sales
    assert found.unexplained_micros == 100 * M and found.oldest_price_ns == 3 and found.unpriced == ()


def test_equal_positions_are_as_many_as_they_are() -> None:
    found = account(Position("A.X", 10, 100.0, 1), Position("C.X", -20, 50.0, 1))
    assert found.effective == pytest.approx(2.0)


def test_what_has_no_price_is_named() -> None:
    found = account(
        Position("A.X", 10, None, None), Position("B.X", 0, None, None, open_buy=3), Position("C.X", 0, None, None)
    )
    assert found.unpriced == ("A.X", "B.X") and found.held == () and found.effective == 0.0
    assert found.oldest_price_ns is None and found.unexplained_micros == 10_000 * M


@pytest.mark.parametrize("nav", [0, -1])
def test_no_shares_of_nothing(nav: int) -> None:
    with pytest.raises(ExposureError, match="mean nothing"):
        account(nav=nav)


def test_what_is_not_listed() -> None:
    with pytest.raises(ExposureError, match=r"Z\.X is held and no instrument"):
        account(Position("Z.X", 1, 1.0, 1))
    with pytest.raises(ExposureError, match="participation"):
        exposure((), LISTED, nav_micros=1, cash_micros=0, at_ns=0, participation=0.0)
