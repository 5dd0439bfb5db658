"""Transaction costs: what trading took from an order, in parts that add up, and beside benchmarks.

The implementation shortfall (A. Perold, "The implementation shortfall: paper versus reality", Journal of Portfolio
Management 14(3), 1988) is what the order would have made had all of it traded at its decision's price, less what it
made:

    delay        the price moved between the decision and the first moment at which it could trade
    timing       it moved further until each fill
    impact       the fill was worse than the market at that moment: half the spread, and what the order pushed
    fees
    opportunity  what did not fill, at the last price of the order's life

Costs are above 0, in money and in basis points of what the whole order was worth at its decision. A benchmark (arrival,
VWAP, close) is compared with the mean price of what filled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import polars as pl

ORDERS: Final = {
    "order": pl.Int64, "symbol": pl.String, "venue": pl.String, "lots": pl.Float64, "lot_size": pl.Float64,
    "decided_ns": pl.Int64, "decision": pl.Float64, "arrival": pl.Float64, "last": pl.Float64, "vwap": pl.Float64,
    "close": pl.Float64,
}  # fmt: skip
"""An order that was let out: signed lots, when and at what price it was decided; the price when it could first trade,
the
last of its life; the market's mean price by volume over that life and the day's close, null where not known."""

FILLS: Final = {
    "order": pl.Int64, "ts_ns": pl.Int64, "venue": pl.String, "lots": pl.Float64, "price": pl.Float64,
    "market": pl.Float64, "fee": pl.Float64,
}  # fmt: skip
"""An execution: signed lots, what it really cost a share, the market's price at that moment (null: that of arrival)."""

PARTS: Final = ("delay", "timing", "impact", "fees", "opportunity")
BENCHMARKS: Final = ("arrival", "vwap", "close")
_BPS: Final = 1e4


class CostError(ValueError):
    """Tables of which no costs can be told; names what is wrong and the remedy."""


@dataclass(frozen=True)
class Breakdown:
    """Costs of some orders or fills. Money in the currency; `asked`, `filled`: worth at the decision's price.

    `parts`: bps of `asked`, which sum to `shortfall`. `slippage`: by benchmark, bps of what filled (None: nothing is
    known), `error` the standard error of that against arrival, orders weighted by their worth.
    """

    orders: int
    fills: int
    asked: float
    filled: float
    money: dict[str, float]
    parts: dict[str, float]
    shortfall: float
    slippage: dict[str, float | None]
    error: float | None


@dataclass(frozen=True, eq=False)
class Costs:
    """`orders`: a row an order with its parts in money. `fills`: a row an execution with its own. `unpriced`: orders
    left out since their decision or arrival has no price."""

    orders: pl.DataFrame
    fills: pl.DataFrame
    unpriced: int

    def total(self) -> Breakdown:
        """Of all orders."""
        return _breakdown(self.orders, self.fills)

    def by(self, column: str) -> dict[str, Breakdown]:
        """Of the executions, grouped by a column of `fills`; what did not fill belongs to none. Groups in order."""
        return {
            str(key[0]): _breakdown(None, group)
            for key, group in sorted(self.fills.group_by(column, maintain_order=True), key=lambda pair: str(pair[0]))
        }


def costs(orders: pl.DataFrame, fills: pl.DataFrame) -> Costs:
    """The costs of each order and each execution. Tables as `ORDERS` and `FILLS`.

    Raises CostError for other columns, an order that is there twice, a fill without its order or on its other side.
    """
    _check(orders, fills)
    known = orders.with_columns(pl.col(pl.Float64).fill_nan(None)).filter(
        pl.col("decision").is_not_null() & pl.col("arrival").is_not_null()
    )
    size = pl.col("lots") * pl.col("lot_size")
    each = (
        fills.with_columns(pl.col(pl.Float64).fill_nan(None))
        .join(known.drop("lots", "venue"), on="order", how="inner", maintain_order="left")
        .with_columns(size=size, side=pl.col("lots").sign(), market=pl.coalesce("market", "arrival"))
        .with_columns(
            asked=(pl.col("size") * pl.col("decision")).abs(),
            delay=pl.col("size") * (pl.col("arrival") - pl.col("decision")),
            timing=pl.col("size") * (pl.col("market") - pl.col("arrival")),
            impact=pl.col("size") * (pl.col("price") - pl.col("market")),
            fees=pl.col("fee"),
            opportunity=pl.lit(0.0),
            **{f"from_{name}": pl.col("size") * (pl.col("price") - pl.col(name)) for name in BENCHMARKS},
            **{f"worth_{name}": (pl.col("size") * pl.col(name)).abs() for name in BENCHMARKS},
        )
    )
    sums = each.group_by("order", maintain_order=True).agg(
        pl.len().alias("fills"),
        pl.col("lots").sum().alias("filled_lots"),
        pl.col("asked").sum().alias("filled"),
        pl.col("delay", "timing", "impact", "fees").sum(),
        pl.col([f"{what}_{name}" for name in BENCHMARKS for what in ("from", "worth")]).sum(),
    )
    whole = known.join(sums, on="order", how="left", maintain_order="left").with_columns(
        pl.col("fills", "filled_lots", "filled", "delay", "timing", "impact", "fees").fill_null(0)
    )
    left = (pl.col("lots") - pl.col("filled_lots")) * pl.col("lot_size")
    whole = whole.with_columns(
        asked=(size * pl.col("decision")).abs(),
        opportunity=left * (pl.coalesce("last", "arrival") - pl.col("decision")),
        side=pl.col("lots").sign(),
    ).with_columns(shortfall=pl.sum_horizontal(*PARTS))
    return Costs(whole, each, orders.height - known.height)


def _check(orders: pl.DataFrame, fills: pl.DataFrame) -> None:
    for name, table, schema in (("orders", orders, ORDERS), ("fills", fills, FILLS)):
        missing = [f"{c} ({t})" for c, t in schema.items() if table.schema.get(c) != t]
        if missing:
            raise CostError(f"{name} lacks {', '.join(missing)}; it has {table.schema}")
    if orders["order"].n_unique() != orders.height:
        raise CostError("an order is there twice; give each once, with all its lots")
    paired = fills.join(orders.select("order", whole="lots"), on="order", how="left")
    if paired["whole"].null_count():
        lost = paired.filter(pl.col("whole").is_null())["order"][0]
        raise CostError(f"fill of order {lost}, which is not among the orders; give every order that filled")
    wrong = paired.filter(pl.col("whole") * pl.col("lots") <= 0)
    if wrong.height:
        row = wrong.row(0, named=True)
        raise CostError(
            f"fill of {row['lots']:g} lots on order {row['order']} of {row['whole']:g}: the sides must agree"
        )


def _breakdown(orders: pl.DataFrame | None, fills: pl.DataFrame) -> Breakdown:
    """From rows of orders (with what did not fill), or from executions alone."""
    rows = fills if orders is None else orders
    asked = float(rows["asked"].sum())
    money = {name: float(rows[name].sum()) for name in PARTS}
    scale = _BPS / asked if asked > 0.0 else 0.0
    return Breakdown(
        orders=fills["order"].n_unique() if orders is None else orders.height,
        fills=fills.height,
        asked=asked,
        filled=float(fills["asked"].sum()),
        money=money,
        parts={name: value * scale for name, value in money.items()},
        shortfall=sum(money.values()) * scale,
        slippage={name: _slippage(fills, name) for name in BENCHMARKS},
        error=_error(fills),
    )


def _slippage(fills: pl.DataFrame, benchmark: str) -> float | None:
    """Bps of the benchmark's worth of what filled, where it is known."""
    known = fills.filter(pl.col(f"from_{benchmark}").is_not_null())
    worth = float(known[f"worth_{benchmark}"].sum())
    return float(known[f"from_{benchmark}"].sum()) / worth * _BPS if worth > 0.0 else None


def _error(fills: pl.DataFrame) -> float | None:
    """Standard error of the mean slippage against arrival, an order an observation, weighted by worth."""
    each = (
        fills.group_by("order", maintain_order=True)
        .agg(pl.col("from_arrival", "worth_arrival").sum())
        .filter(pl.col("worth_arrival") > 0)
    )
    if each.height < 2:
        return None
    weight = each["worth_arrival"] / each["worth_arrival"].sum()
    rate = each["from_arrival"] / each["worth_arrival"]
    mean = float((weight * rate).sum())
    return math.sqrt(float((weight**2 * (rate - mean) ** 2).sum()) * each.height / (each.height - 1)) * _BPS
