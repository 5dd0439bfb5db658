"""Costs of orders: by hand, and what must add up.

1. delay + timing + impact + fees + opportunity is what it would have made at its decision's price, less what it made.
2. The parts of the executions sum to those of the orders, and so do groups of executions.
3. A sale in a falling market costs what a purchase costs in a rising one.
"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.analysis.tca import FILLS, ORDERS, PARTS, CostError, costs


def orders(*rows: dict[str, object]) -> pl.DataFrame:
    """Orders of one lot a share, with what is not named left at 100."""
    usual = {
        "symbol": "A", "venue": "x", "lot_size": 1.0, "decided_ns": 0, "decision": 100.0, "arrival": 100.0,
        "last": 100.0, "vwap": 100.0, "close": 100.0,
    }  # fmt: skip
    return pl.DataFrame([{**usual, **row} for row in rows], schema=ORDERS)


def fills(*rows: dict[str, object]) -> pl.DataFrame:
    """Fills at a market of 100, free."""
    usual = {"ts_ns": 0, "venue": "x", "price": 100.0, "market": 100.0, "fee": 0.0}
    return pl.DataFrame([{**usual, **row} for row in rows], schema=FILLS)


def test_by_hand() -> None:
    """100 lots of 10 shares decided at 50, could trade at 51; 60 at 52 against a market of 51.5, the rest never."""
    found = costs(
        orders({"order": 1, "lots": 100.0, "lot_size": 10.0, "decision": 50.0, "arrival": 51.0, "last": 53.0,
                "vwap": 51.5, "close": 54.0}),
        fills({"order": 1, "lots": 60.0, "price": 52.0, "market": 51.5, "fee": 30.0}),
    ).total()  # fmt: skip
    assert found.money == {"delay": 600.0, "timing": 300.0, "impact": 300.0, "fees": 30.0, "opportunity": 1200.0}
    assert (found.asked, found.filled) == (50_000.0, 30_000.0)
    assert found.shortfall == pytest.approx(2_430.0 / 50_000.0 * 1e4)
    assert found.parts["delay"] == pytest.approx(120.0)
    assert found.slippage == {
        "arrival": pytest.approx(1 / 51 * 1e4), "vwap": pytest.approx(0.5 / 51.5 * 1e4),
        "close": pytest.approx(-2 / 54 * 1e4),
    }  # fmt: skip
    assert found.error is None


def test_the_standard_error_by_hand() -> None:
    """Two orders of one worth, 1 % and 3 % worse than arrival: a mean of 2 %, give or take 1 %."""
    found = costs(
        orders({"order": 1, "lots": 10.0}, {"order": 2, "lots": -10.0}),
        fills({"order": 1, "lots": 10.0, "price": 101.0}, {"order": 2, "lots": -10.0, "price": 97.0}),
    ).total()
    assert found.slippage["arrival"] == pytest.approx(200.0)
    assert found.error == pytest.approx(100.0)


prices = st.floats(1.0, 1_000.0)


@st.composite
def traded(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Up to five orders, each with up to four fills inside its lots."""
    asked, done = [], []
    for order in range(draw(st.integers(1, 5))):
        lots = draw(st.integers(1, 1_000)) * draw(st.sampled_from([1, -1]))
        asked.append(
            {"order": order, "lots": float(lots), "lot_size": draw(st.sampled_from([0.01, 1.0, 10.0])),
             "decision": draw(prices), "arrival": draw(prices), "last": draw(prices)}
        )  # fmt: skip
        left = abs(lots)
        for _ in range(draw(st.integers(0, 4))):
            part = draw(st.integers(0, left))
            if part:
                left -= part
                done.append(
                    {"order": order, "lots": float(part if lots > 0 else -part), "price": draw(prices),
                     "market": draw(prices), "fee": draw(st.floats(0.0, 5.0)), "venue": draw(st.sampled_from("xy"))}
                )  # fmt: skip
    return orders(*asked), fills(*done)


@settings(max_examples=20, deadline=None)
@given(traded())
def test_the_parts_add_up(scene: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """1, 2."""
    asked, done = scene
    found = costs(asked, done)
    for row in found.orders.iter_rows(named=True):
        own = done.filter(pl.col("order") == row["order"])
        size = row["lot_size"]
        paid = float((own["lots"] * own["price"]).sum()) * size + float(own["fee"].sum())
        filled = float(own["lots"].sum())
        paper = row["lots"] * size * (row["last"] - row["decision"])
        real = filled * size * row["last"] - paid
        scale = abs(row["lots"]) * size * 1_000.0
        assert row["shortfall"] == pytest.approx(paper - real, abs=1e-9 * scale)  # 1
    total, groups = found.total(), found.by("venue")
    for name in PARTS[:-1]:
        assert sum(g.money[name] for g in groups.values()) == pytest.approx(total.money[name], rel=1e-9, abs=1e-6)  # 2
    assert sum(g.fills for g in groups.values()) == total.fills == done.height
    assert sum(total.parts.values()) == pytest.approx(total.shortfall, rel=1e-9, abs=1e-6)


def test_a_sale_is_a_purchase_mirrored() -> None:
    """3."""
    buy = costs(
        orders({"order": 1, "lots": 8.0, "arrival": 102.0, "last": 105.0}),
        fills({"order": 1, "lots": 6.0, "price": 104.0, "market": 103.0, "fee": 1.0}),
    ).total()
    sale = costs(
        orders({"order": 1, "lots": -8.0, "arrival": 98.0, "last": 95.0}),
        fills({"order": 1, "lots": -6.0, "price": 96.0, "market": 97.0, "fee": 1.0}),
    ).total()
    assert sale.money == buy.money and sale.money["opportunity"] == 10.0


def test_what_has_no_price_is_left_out_and_counted() -> None:
    found = costs(
        orders({"order": 1, "lots": 5.0, "decision": None}, {"order": 2, "lots": 5.0, "arrival": float("nan")},
               {"order": 3, "lots": 5.0, "vwap": None, "close": float("nan")}),
        fills({"order": 1, "lots": 5.0}, {"order": 3, "lots": 5.0, "price": 101.0, "market": None}),
    )  # fmt: skip
    total = found.total()
    assert (found.unpriced, total.orders, total.fills) == (2, 1, 1)
    assert total.slippage == {"arrival": pytest.approx(100.0), "vwap": None, "close": None}
    assert total.money["impact"] == 5.0 and total.money["timing"] == 0.0


def test_nothing_filled_and_nothing_at_all() -> None:
    none = costs(orders({"order": 1, "lots": 5.0, "last": 110.0}), fills()).total()
    assert (none.filled, none.shortfall, none.slippage["arrival"], none.error) == (0.0, 1_000.0, None, None)
    assert costs(orders(), fills()).total().shortfall == 0.0 and costs(orders(), fills()).by("venue") == {}


@pytest.mark.parametrize(
    ("asked", "done", "says"),
    [
        (orders({"order": 1, "lots": 5.0}).drop("arrival"), fills(), "orders lacks arrival"),
        (orders({"order": 1, "lots": 5.0}, {"order": 1, "lots": 5.0}), fills(), "is there twice"),
        (orders({"order": 1, "lots": 5.0}), fills({"order": 2, "lots": 5.0}), "fill of order 2"),
        (orders({"order": 1, "lots": 5.0}), fills({"order": 1, "lots": -5.0}), "the sides must agree"),
    ],
)
def test_what_is_refused(asked: pl.DataFrame, done: pl.DataFrame, says: str) -> None:
    with pytest.raises(CostError, match=says):
        costs(asked, done)
