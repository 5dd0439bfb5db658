"""Figures: exact from text to micros and lots and back, and never guessed.

1. Lots and prices survive the way out and back.
2. What is no figure, not finite, a float, or no whole lot is refused.
3. Money is rounded half to even at the micro, and only there.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.venues.exact import FigureError, Listing, Listings, decimal, micros, moment_ns
from modules.live.venues.port import VenueError

STEPS = st.sampled_from([Decimal(x) for x in ("1", "0.1", "0.001", "0.0001", "100", "0.25")])


@settings(max_examples=25)
@given(STEPS, st.integers(-(10**9), 10**9).filter(bool))
def test_lots_come_back(lot: Decimal, lots: int) -> None:
    listing = Listing("A.X", "A", lot)
    text = listing.quantity(lots)
    assert "E" not in text and not text.startswith("-")
    assert listing.lots(decimal(text, "qty")) == abs(lots)


@settings(max_examples=25)
@given(STEPS, st.integers(1, 10**9))
def test_prices_come_back(tick: Decimal, steps: int) -> None:
    price = float(steps * tick)
    text = Listing("A.X", "A", tick=tick).price(price)
    assert float(text) == price and "E" not in text


@pytest.mark.parametrize("price", [100.001, 0.0, -1.0, float("nan"), float("inf"), 0.004])
def test_a_price_off_the_tick_is_not_sent(price: float) -> None:
    with pytest.raises(VenueError, match=r"A\.X"):
        Listing("A.X", "A").price(price)


@pytest.mark.parametrize(("price", "text"), [(0.1 + 0.2, "0.3"), (101.3, "101.3"), (101.30000000000001, "101.3")])
def test_a_floats_rounding_is_not_off_the_tick(price: float, text: str) -> None:
    assert Listing("A.X", "A").price(price) == text


@pytest.mark.parametrize(
    "value", [1.5, None, "", "x", "nan", "Infinity", True, [1], b"\xff", "1,5", "1e999", "1e15", "1e-999"]
)
def test_what_is_no_figure(value: object) -> None:
    with pytest.raises(FigureError, match="field"):
        decimal(value, "field")


@pytest.mark.parametrize(("value", "figure"), [("1.50", "1.50"), (3, "3"), (b"2.5", "2.5"), (Decimal("7"), "7")])
def test_figures(value: object, figure: str) -> None:
    assert str(decimal(value, "field")) == figure


def test_part_of_a_lot_is_refused() -> None:
    with pytest.raises(FigureError, match="whole number"):
        Listing("A.X", "A", Decimal("0.1")).lots(Decimal("0.25"))


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("0.0000005", 0), ("0.0000015", 2), ("-0.0000025", -2), ("1.2345678", 1_234_568),
        ("90071992547.409933", 90_071_992_547_409_933),
    ],
)  # fmt: skip
def test_micros(amount: str, found: int) -> None:
    assert micros(Decimal(amount)) == found


def test_money_beyond_int64_is_refused() -> None:
    assert micros(Decimal("8999999999999.999999")) < 2**63
    for amount in ("9e12", "-9e12", "1e40"):
        with pytest.raises(FigureError, match="int64"):
            micros(Decimal(amount))


def test_value_has_the_sign_of_the_lots() -> None:
    listing = Listing("A.X", "A", Decimal("0.1"))
    assert listing.value_micros(-3, Decimal("0.3374")) == -101_220


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2024-01-02T15:30:00Z", 0), ("2024-01-02T15:30:00.123456789Z", 123_456_789),
        ("2024-01-02T10:30:00.5-05:00", 500_000_000), ("2024-01-02T15:30:00.1z", 100_000_000),
    ],
)  # fmt: skip
def test_moments(text: str, ns: int) -> None:
    assert moment_ns(text) == 1_704_209_400 * 10**9 + ns


@pytest.mark.parametrize("text", ["", "2024-01-02", "2024-13-02T15:30:00Z", "2024-01-02T15:30:00", None, 17])
def test_what_is_no_moment(text: object) -> None:
    with pytest.raises(FigureError):
        moment_ns(text)


def test_listings_are_unique_and_strangers_keep_their_name() -> None:
    rows = [Listing("A.X", "A"), Listing("B.X", "B")]
    assert Listings(rows).there("C") == Listing("C", "C")
    with pytest.raises(VenueError, match=r"C\.X"):
        Listings(rows).here("C.X")
    for bad in (Listing("A.X", "C"), Listing("C.X", "A")):
        with pytest.raises(ValueError, match="twice"):
            Listings([*rows, bad])
