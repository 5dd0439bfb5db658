"""Tables of what trading cost the orders: figures become text here."""

from __future__ import annotations

from harness.report.text import DASH, Table, money, number
from modules.live.analysis.tca import BENCHMARKS, PARTS, Breakdown, Costs

_NAMES = {"arrival": "Arrival", "vwap": "VWAP", "close": "Close"}
_HEAD = ("Fills", "Traded", "Delay", "Timing", "Impact", "Fees", "vs arrival", "vs VWAP", "vs close")


def execution(costs: Costs) -> tuple[Table, ...]:
    """The shortfall in its parts, the benchmarks, and both by venue and hour; empty where nothing was ordered."""
    total = costs.total()
    if total.orders == 0:
        return ()
    when = "Weekday" if any(" " in key for key in costs.fills["when"].head(1).to_list()) else "Hour, UTC"
    return (
        parts(costs, total),
        benchmarks(total),
        _grouped("By venue", "Venue", costs.by("venue")),
        _grouped(f"By {when.split(',')[0].lower()}", when, costs.by("when")),
    )


def parts(costs: Costs, total: Breakdown) -> Table:
    """Implementation shortfall."""
    rows = [(name.capitalize(), number(total.parts[name], 2), _signed(total.money[name])) for name in PARTS]
    rows.append(("Shortfall", number(total.shortfall, 2), _signed(sum(total.money.values()))))
    left_out = f" {costs.unpriced:,} orders without a price at their decision are left out." if costs.unpriced else ""
    return Table(
        "Implementation shortfall",
        ("", "Bps", "Money"),
        tuple(rows),
        f"Of {total.orders:,} orders that risk let out, worth {money(total.asked)} when they were decided; "
        f"{money(total.filled)} of it filled. Costs are above zero, in bps of that worth (Perold 1988). Delay: from "
        "the decision to the first price at which it could trade; timing: from there to each fill; impact: the fill "
        "beside the market; opportunity: what did not fill, at the last price of its order's life."
        f"{left_out}",
    )


def benchmarks(total: Breakdown) -> Table:
    """Slippage of what filled."""
    error = (
        "" if total.error is None else f"Give or take {number(total.error, 2)} against arrival (one standard error)."
    )
    return Table(
        "Mean price beside benchmarks",
        ("Benchmark", "Slippage, bps"),
        tuple((_NAMES[name], number(total.slippage[name], 2)) for name in BENCHMARKS),
        "What filled, without fees. VWAP: of the market over the order's life; of bars, each at the mean of its high, "
        f"low and close. {error}",
    )


def _grouped(title: str, head: str, groups: dict[str, Breakdown]) -> Table:
    rows = []
    for name, group in groups.items():
        rows.append(
            (
                name[2:] if name[1:2] == " " else name,
                f"{group.fills:,}",
                money(group.filled),
                *(number(group.parts[part], 2) for part in PARTS[:-1]),
                *(number(group.slippage[benchmark], 2) for benchmark in BENCHMARKS),
            )
        )
    return Table(title, (head, *_HEAD), tuple(rows), "Of the fills; bps.")


def _signed(value: float) -> str:
    return DASH if value == 0.0 else ("\u2212" if value < 0 else "") + money(abs(value))
