"""What must hold of any execution: the accounts close to the micro, and no fill exceeds what risk allowed."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.contract import Violation
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.execute.next_bar.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every identity that the account breaks."""
    found: list[Violation] = []

    def require(rule: str, broken: int, *where: str) -> None:
        if broken:
            found.append(Violation("nav", rule, broken, where))

    nav, fills = outputs.nav, outputs.fills
    flow = fills.group_by("event_time").agg(
        paid=pl.col("notional_micros").sum(),
        fees=(pl.col("commission_micros") + pl.col("spread_micros") + pl.col("impact_micros")).sum(),
    )
    joined = (
        nav.join(flow, on="event_time", how="left").with_columns(pl.col("paid", "fees").fill_null(0)).sort("event_time")
    )
    first = int(np.rint(settings.capital_usd * 1e6))
    expected = (
        joined["cash_micros"].shift(1, fill_value=first) - joined["paid"] - joined["fees"] - joined["borrow_micros"]
    )
    off = joined.filter(joined["cash_micros"] != expected)
    require("cash does not follow from its flows", off.height, *(str(x) for x in off["event_time"].head(3).to_list()))
    held = fills.group_by("symbol").agg(pl.col("lots").sum())
    last = dict(zip(outputs.positions.symbols, outputs.positions["lots"][-1].tolist(), strict=True))
    traded = dict(held.iter_rows())
    wrong = [s for s, lots in last.items() if lots != traded.get(s, 0)]
    require("positions are not the sum of fills", len(wrong), *wrong[:3])
    matched = fills.join(
        outputs.orders.select("order_id", "allowed_lots", ordered="event_time"), on="order_id", how="left"
    )
    require(
        "a fill differs from what risk allowed",
        matched.filter(pl.col("allowed_lots").is_null() | (pl.col("lots") != pl.col("allowed_lots"))).height,
    )
    require("a fill stands at or before its order", matched.filter(pl.col("event_time") <= pl.col("ordered")).height)
    first_row = nav.row(0, named=True)
    require("the first bar already trades", int(first_row["net_return"] != 0.0 or first_row["turnover"] != 0.0))
    return found
