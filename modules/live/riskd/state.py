"""Where the risk core stands, as a message: for screens, and a short one for its own journal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from modules.engine.accounting import MICROS
from modules.live.messages import Position, Status, Use
from modules.live.risk import layout as at
from modules.live.risk.core import Day, RiskCore


def status_of(
    core: RiskCore,
    account: str,
    at_ns: int,
    *,
    killed: str | None,
    refusing: str | None,
    venues: dict[str, bool],
    is_short: bool = False,
) -> Status:
    """The status. A short one says nothing of positions, limits and orders."""
    day = core.day
    first = day.first_micros
    return Status(
        mode=core.mode,
        build=core.build,
        account=account,
        at_ns=at_ns,
        nav_micros=core.nav_micros,
        cash_micros=core.cash_micros,
        day_nav_micros=first,
        day_loss=0.0 if first <= 0 else max(0.0, 1.0 - day.least_micros / first),
        killed=killed,
        refusing=refusing,
        positions=() if is_short else tuple(_positions(core)),
        uses=() if is_short else tuple(_uses(core)),
        open_orders=() if is_short else tuple(core.open_orders),
        venues=venues,
        least_nav_micros=day.least_micros,
        peak_nav_micros=day.peak_micros,
        deepest_micros=day.deepest_micros,
    )


def day_of(status: Status) -> Day:
    """The day's figures that a status tells."""
    return Day(status.day_nav_micros, status.least_nav_micros, status.peak_nav_micros, status.deepest_micros)


def _positions(core: RiskCore) -> Iterator[Position]:
    ints, floats = core.tables
    some = (ints[:, at.LOTS] != 0) | (ints[:, at.OPEN_BUY] != 0) | (ints[:, at.OPEN_SELL] != 0)
    some |= floats[:, at.PRICE] > 0.0
    for row in np.flatnonzero(some[at.FIRST :]) + at.FIRST:
        price = float(floats[row, at.PRICE])
        known = price > 0.0
        yield Position(
            core.instruments[row - at.FIRST].symbol,
            int(ints[row, at.LOTS]),
            price if known else None,
            int(ints[row, at.PRICE_TS]) if known else None,
            int(ints[row, at.OPEN_BUY]),
            int(ints[row, at.OPEN_SELL]),
        )


def _uses(core: RiskCore) -> Iterator[Use]:
    """How much of each limit on the account is used: figures that the next order is held against."""
    limits, day = core.limits, core.day
    ints, _ = core.tables
    total = ints[0]
    nav = float(total[at.NAV])
    over = nav if nav > 0.0 else float("inf")
    gross = float(total[at.GROSS])
    first, peak = day.first_micros, day.peak_micros
    yield Use("DAILY_LOSS", 0.0 if first <= 0 else max(0.0, 1.0 - day.least_micros / first), limits.max_daily_loss)
    yield Use("DRAWDOWN", 0.0 if peak <= 0 else day.deepest_micros / peak, limits.max_drawdown)
    yield Use("INSTRUMENT_NAV", float(ints[at.FIRST :, at.WORTH].max()) / over, limits.max_instrument_nav)
    yield Use("SECTOR_NAV", float(ints[at.FIRST :, at.SECTOR_GROSS].max()) / over, limits.max_sector_nav)
    yield Use("GROSS", gross / MICROS, limits.max_gross_usd)
    yield Use("LEVERAGE", gross / over, limits.max_leverage)
    net = max(abs(float(total[at.LONG_SUM])), abs(float(total[at.SHORT_SUM])))
    yield Use("NET", net / over, limits.max_net_nav)
    beta = max(abs(float(total[at.BETA_UP])), abs(float(total[at.BETA_DOWN])))
    yield Use("BETA", beta / over, limits.max_beta_nav)
    dollars = over / MICROS
    yield Use("CONCENTRATION", float(total[at.SQUARES]) / (dollars * dollars), limits.max_concentration)
    yield Use("TOTAL_CAPITAL", gross / MICROS, limits.total_capital_usd)
    on_its_way = float(total[at.GROSS] - total[at.HELD_GROSS])
    yield Use("BUYING_POWER", on_its_way / MICROS, float(total[at.BUYING_POWER]) / MICROS)
    for name, worth in core.strategies_worth().items():
        yield Use(f"STRATEGY_CAPITAL.{name}", worth / MICROS, limits.strategies[name])
