"""What must hold of any execution: the accounts close to the micro, and no fill exceeds what risk allowed."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.contract import Violation
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.execute.next_bar.settings import Settings

_ROUNDING = 1e-4  # of a ratio such as 0.333333, against one lot


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every identity that the account breaks."""
    found: list[Violation] = []

    def require(rule: str, broken: int, *where: str) -> None:
        if broken:
            found.append(Violation("nav", rule, broken, where))

    nav, fills = outputs.nav, outputs.fills
    off = nav.sort("event_time").filter(_expected_cash(outputs, settings) != pl.col("cash_micros"))
    require("cash does not follow from its flows", off.height, *(str(x) for x in off["event_time"].head(3).to_list()))
    last = dict(zip(outputs.positions.symbols, outputs.positions["lots"][-1].tolist(), strict=True))
    held = _held(outputs)
    wrong = [s for s, lots in last.items() if lots != held.get(s, 0)]
    require("positions are not the sum of fills and actions", len(wrong), *wrong[:3])
    orders = outputs.orders.select("order_id", "allowed_lots", ordered="event_time")
    matched = fills.join(orders, on="order_id", how="left", maintain_order="left")
    require("a fill differs from what risk allowed", _beyond(inputs, matched, settings))
    require("a fill stands at or before its order", matched.filter(pl.col("event_time") <= pl.col("ordered")).height)
    first_row = nav.row(0, named=True)
    require("the first bar already trades", int(first_row["net_return"] != 0.0 or first_row["turnover"] != 0.0))
    return found


def _expected_cash(outputs: Outputs, settings: Settings) -> pl.Series:
    """Cash of each bar from that of the bar before, fills, what time costs, and corporate actions."""
    flow = outputs.fills.group_by("event_time").agg(
        paid=pl.col("notional_micros").sum(),
        fees=(pl.col("commission_micros") + pl.col("spread_micros") + pl.col("impact_micros")).sum(),
    )
    given = pl.DataFrame(schema={"event_time": flow.schema["event_time"], "given": pl.Int64})
    if outputs.actions is not None:
        given = outputs.actions.group_by("event_time").agg(given=pl.col("cash_micros").sum())
    joined = outputs.nav.join(flow, on="event_time", how="left").join(given, on="event_time", how="left")
    joined = joined.with_columns(pl.col("paid", "fees", "given").fill_null(0)).sort("event_time")
    if "funding_micros" in joined.columns:
        joined = joined.with_columns(pl.col("borrow_micros") + pl.col("funding_micros"))
    first = int(np.rint(settings.capital_usd * 1e6))
    before = joined["cash_micros"].shift(1, fill_value=first)
    return before - joined["paid"] - joined["fees"] - joined["borrow_micros"] + joined["given"]


def _held(outputs: Outputs) -> dict[str, int]:
    """Lots at the end: what fills brought and actions changed."""
    moved = [outputs.fills.select("symbol", "lots")]
    if outputs.actions is not None:
        moved.append(outputs.actions.select("symbol", lots=pl.col("lots_after") - pl.col("lots_before")))
    return dict(pl.concat(moved).group_by("symbol").agg(pl.col("lots").sum()).iter_rows())


def _beyond(inputs: Inputs, matched: pl.DataFrame, settings: Settings) -> int:
    """Fills that are not what risk allowed, or, under a cap, more than is left of it. Splits between order and fill
    restate what was allowed."""
    if "split" not in inputs.bars and settings.max_participation == 0.0:
        return matched.filter(pl.col("allowed_lots").is_null() | (pl.col("lots") != pl.col("allowed_lots"))).height
    if matched["allowed_lots"].null_count():
        return matched["allowed_lots"].null_count()
    ratio = _shares_of_first_bar(inputs, matched, "event_time") / _shares_of_first_bar(inputs, matched, "ordered")
    used = matched.select("order_id", lots=pl.col("lots") / pl.Series(ratio)).select(
        pl.col("lots").cum_sum().over("order_id")
    )
    share = used.to_series().to_numpy() / matched["allowed_lots"].to_numpy()
    slack = (1.0 / ratio + _ROUNDING) / matched["allowed_lots"].abs().to_numpy() + _ROUNDING
    wrong = (share <= 0.0) | (share > 1.0 + slack)
    if settings.max_participation == 0.0:
        wrong |= share < 1.0 - slack
    return int(np.count_nonzero(wrong))


def _shares_of_first_bar(inputs: Inputs, rows: pl.DataFrame, time: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Shares that one share of the first bar has become by the time of each row, by splits."""
    bars = inputs.bars
    if "split" not in bars:
        return np.ones(rows.height)
    grown = np.multiply.accumulate(bars["split"], axis=0)
    column = {s: i for i, s in enumerate(bars.symbols)}
    at = np.searchsorted(bars.ts, rows[time].to_physical().to_numpy())
    out: np.ndarray[tuple[int], np.dtype[np.float64]] = grown[at, [column[s] for s in rows["symbol"].to_list()]]
    return out
