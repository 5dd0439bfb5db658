"""A gap in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.vector.parting import Parting


def parting_words(first: Parting | None) -> str:
    """The order or fill behind the first difference, in a few words."""
    if first is None or first.symbol is None:
        return ""
    order, before, after = first.order, first.before, first.after
    if order is not None and order.decision != "APPROVE":
        allowed = f"{order.allowed:,.6g} of {order.asked:,.6g} shares"
        return f"{first.symbol}: order {order.order_id} {order.decision} by {order.rule}, {allowed}"
    if after is None or before is None:
        there = before or after
        what = "" if there is None else f"{there.shares:,.6g} shares at {there.price:,.6g}"
        return f"{first.symbol}: only one of them filled {what}"
    if after.price != before.price:
        return f"{first.symbol}: filled at {after.price:,.6g}, not {before.price:,.6g}"
    if after.cost_bps != before.cost_bps:
        return f"{first.symbol}: fill cost {after.cost_bps:,.4g} bps, not {before.cost_bps:,.4g}"
    return f"{first.symbol}: traded {after.of_nav * 1e4:,.8g} bps of NAV, not {before.of_nav * 1e4:,.8g}"
