"""The risk decision: one function, the same in a backtest and on a live path.

Precedence, first match wins:

1. the day's loss has reached its limit   -> FLATTEN: close what is held, open nothing
2. the price is not finite and positive   -> REJECT
3. the order only reduces the position    -> APPROVE, whatever the account looks like
4. NAV is not positive                    -> REJECT (an order that crosses zero is REDUCEd to its closing part)
5. limits on the opening part             -> APPROVE, REDUCE to the largest order that keeps all of them, or REJECT
   instrument_nav, sector_nav, trade_risk; the tightest is named, the first of these in a tie.

Hard limits are constants of `limits.py`. Settings may tighten them; nothing loosens or switches them off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from modules.engine.accounting import EXACT_LIMIT, MICROS, micros
from modules.engine.limits import RiskLimits
from modules.jit import inlined

RISK_SIGMAS: Final = 2.0


class Decision(IntEnum):
    """What may be done with an order."""

    APPROVE = 0
    REDUCE = 1
    REJECT = 2
    FLATTEN = 3


class Rule(IntEnum):
    """Why."""

    WITHIN_LIMITS = 0
    REDUCES_EXPOSURE = 1
    DAILY_LOSS = 2
    PRICE_NOT_FINITE = 3
    NAV_NOT_POSITIVE = 4
    INSTRUMENT_NAV = 5
    SECTOR_NAV = 6
    TRADE_RISK = 7
    SIGMA_UNKNOWN = 8


_ORDINARY: Final = 2.0**50  # micros: far from where amounts stop being exact
_MARGIN: Final = 1.0 - 1e-9
_APPROVE: Final = int(Decision.APPROVE)
_REDUCE: Final = int(Decision.REDUCE)
_REJECT: Final = int(Decision.REJECT)
_FLATTEN: Final = int(Decision.FLATTEN)
_WITHIN: Final = int(Rule.WITHIN_LIMITS)
_REDUCES: Final = int(Rule.REDUCES_EXPOSURE)
_DAILY_LOSS: Final = int(Rule.DAILY_LOSS)
_PRICE: Final = int(Rule.PRICE_NOT_FINITE)
_NAV: Final = int(Rule.NAV_NOT_POSITIVE)
_INSTRUMENT: Final = int(Rule.INSTRUMENT_NAV)
_SECTOR: Final = int(Rule.SECTOR_NAV)
_TRADE: Final = int(Rule.TRADE_RISK)
_SIGMA: Final = int(Rule.SIGMA_UNKNOWN)


@inlined
def largest_lots(room_micros: float, lot_size: float, price: float) -> int:
    """The most lots whose rounded notional is at most `room_micros` (0 where there is no room).

    Room beyond a quarter of the exact range, as risk over a volatility of next to nothing gives, counts as that
    quarter: more than any position may be worth.
    """
    if not room_micros > 0.0:
        return 0
    room_micros = min(room_micros, 0.25 * EXACT_LIMIT)
    most = np.floor(room_micros / (lot_size * price * MICROS))
    if most >= EXACT_LIMIT:
        return int(EXACT_LIMIT)
    lots = int(most) + 1  # the quotient may round down past a lot whose rounded notional still fits
    while lots > 0 and micros(lots, lot_size, price) > room_micros:
        lots -= 1
    return lots


@inlined
def _within_all(
    after: int, size: int, lot_size: float, price: float, room: float, sigma_day: float, risk: float
) -> bool:
    """Whether no limit can speak, told without the search for the largest order that none of them cuts.

    `after` lots held and `size` lots traded, against micros of room and of risk. Never true where a limit would speak:
    it is for ordinary orders, with a lot above a micro and a margin that no rounding reaches; all others are searched.
    """
    lot = lot_size * price * MICROS
    value = float(after) * lot
    traded = float(size) * lot
    ordinary = (lot >= 1.0) & (value < _ORDINARY) & (traded < _ORDINARY)
    return ordinary & (value < room * _MARGIN) & (RISK_SIGMAS * sigma_day * traded < risk * _MARGIN)


@inlined
def decide(
    price: float,
    nav: int,
    lots: int,
    asked: int,
    lot_size: float,
    sector_others: int,
    sigma_day: float,
    daily_loss: float,
    max_instrument: float,
    max_sector: float,
    max_daily_loss: float,
    max_trade_risk: float,
) -> tuple[int, int, int, float, float]:
    """Decide on an order of `asked` signed lots in an instrument of which `lots` are held.

    `nav` and `sector_others` (gross value of the sector without this instrument) are micros; `sigma_day` is
    the volatility of a day's return; `daily_loss` the day's worst loss as a fraction; limits are fractions. An infinite
    limit, which no settings hold, asks nothing, not even that the volatility be known: for comparisons without limits.
    Returns (decision, rule, allowed signed lots, limit, value); limit and value are NaN where no limit spoke.
    """
    none = np.nan
    if daily_loss >= max_daily_loss:
        return _FLATTEN, _DAILY_LOSS, -lots, max_daily_loss, daily_loss
    if not (price > 0.0 and price < np.inf):
        return _REJECT, _PRICE, 0, none, price
    side = 1 if asked > 0 else -1
    size = abs(asked)
    closing = min(size, abs(lots)) if lots * side < 0 else 0
    opening = size - closing
    if opening == 0:
        return _APPROVE, _REDUCES, asked, none, none
    held = 0 if lots * side < 0 else abs(lots)
    if nav <= 0:
        rule, limit, value, most = _NAV, 0.0, float(nav), 0
    else:
        if _within_all(
            held + opening,
            size,
            lot_size,
            price,
            min(max_instrument * float(nav), max_sector * float(nav) - float(sector_others)) - 1.0,
            sigma_day,
            max_trade_risk * float(nav),
        ):
            return _APPROVE, _WITHIN, asked, none, none
        worth = lot_size * price * MICROS / float(nav)
        rule, limit, value, most = _WITHIN, none, none, opening
        room = np.floor(max_instrument * float(nav))
        can = largest_lots(room, lot_size, price) - held
        if can < most:
            rule, limit, value, most = _INSTRUMENT, max_instrument, float(held + opening) * worth, can
        room = np.floor(max_sector * float(nav)) - float(sector_others)
        can = largest_lots(room, lot_size, price) - held
        if can < most:
            value = float(sector_others) / float(nav) + float(held + opening) * worth
            rule, limit, most = _SECTOR, max_sector, can
        if not sigma_day >= 0.0:
            if most > 0 and max_trade_risk < np.inf:
                rule, limit, value, most = _SIGMA, max_trade_risk, none, 0
        elif sigma_day > 0.0:
            can = largest_lots(max_trade_risk * float(nav) / (RISK_SIGMAS * sigma_day), lot_size, price) - closing
            if can < most:
                rule, limit, most = _TRADE, max_trade_risk, can
                value = RISK_SIGMAS * sigma_day * float(size) * worth
    total = closing + max(0, most)
    if total == size:
        return _APPROVE, _WITHIN, asked, none, none
    return (_REJECT if total == 0 else _REDUCE), rule, side * total, limit, value


@dataclass(frozen=True)
class OrderRequest:
    """An order and the account it meets. Money in micros, quantities in lots, the rest fractions."""

    price: float
    nav_micros: int
    lots: int
    asked_lots: int
    lot_size: float = 1.0
    sector_others_micros: int = 0
    sigma_day: float = 0.0
    daily_loss: float = 0.0


@dataclass(frozen=True)
class Ruling:
    """The answer to an order; `limit` and `value` are None where no limit spoke."""

    decision: Decision
    rule: Rule
    allowed_lots: int
    limit: float | None
    value: float | None


def rule_on(request: OrderRequest, limits: RiskLimits) -> Ruling:
    """`decide` for one order, in words."""
    decision, rule, allowed, limit, value = decide(
        float(request.price),
        int(request.nav_micros),
        int(request.lots),
        int(request.asked_lots),
        float(request.lot_size),
        int(request.sector_others_micros),
        float(request.sigma_day),
        float(request.daily_loss),
        limits.max_instrument_nav,
        limits.max_sector_nav,
        limits.max_daily_loss,
        limits.max_trade_risk,
    )
    return Ruling(Decision(decision), Rule(rule), int(allowed), _number(limit), _number(value))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
