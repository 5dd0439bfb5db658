"""How much of an order may go out: every limit on the account, on what the order opens."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.accounting import MICROS
from modules.engine.risk import RISK_SIGMAS, decide, largest_lots
from modules.engine.risk import Rule as EngineRule
from modules.jit import inlined
from modules.live.risk import layout as at
from modules.live.risk.rules import Answer, Rule
from modules.panel import FloatArray, IntArray

_APPROVE: Final = int(Answer.APPROVE)
_REDUCE: Final = int(Answer.REDUCE)
_REJECT: Final = int(Answer.REJECT)
_WITHIN: Final = int(Rule.WITHIN_LIMITS)
_NAV: Final = int(Rule.NAV_NOT_POSITIVE)
_INSTRUMENT_NAV: Final = int(Rule.INSTRUMENT_NAV)
_SECTOR_NAV: Final = int(Rule.SECTOR_NAV)
_TRADE_RISK: Final = int(Rule.TRADE_RISK)
_SIGMA: Final = int(Rule.SIGMA_UNKNOWN)
_LONG_LOTS: Final = int(Rule.LONG_LOTS)
_SHORT_LOTS: Final = int(Rule.SHORT_LOTS)
_LOCATE: Final = int(Rule.LOCATE)
_GROSS: Final = int(Rule.GROSS)
_LEVERAGE: Final = int(Rule.LEVERAGE)
_NET: Final = int(Rule.NET)
_BETA: Final = int(Rule.BETA)
_CONCENTRATION: Final = int(Rule.CONCENTRATION)
_PARTICIPATION: Final = int(Rule.PARTICIPATION)
_STRATEGY_CAPITAL: Final = int(Rule.STRATEGY_CAPITAL)
_TOTAL: Final = int(Rule.TOTAL_CAPITAL)
_BUYING_POWER: Final = int(Rule.BUYING_POWER)
_ENGINE_INSTRUMENT: Final = int(EngineRule.INSTRUMENT_NAV)
_ENGINE_SECTOR: Final = int(EngineRule.SECTOR_NAV)
_ENGINE_TRADE: Final = int(EngineRule.TRADE_RISK)
_ENGINE_SIGMA: Final = int(EngineRule.SIGMA_UNKNOWN)
_MARGIN: Final = 1.0 - 1e-9
_LARGEST: Final = 2.0**50  # micros: far from where amounts stop being exact


@inlined
def _engine_rule(rule: int) -> int:
    """The name that a rule of the backtest's decision has here."""
    if rule == _ENGINE_INSTRUMENT:
        return _INSTRUMENT_NAV
    if rule == _ENGINE_SECTOR:
        return _SECTOR_NAV
    if rule == _ENGINE_TRADE:
        return _TRADE_RISK
    return _SIGMA if rule == _ENGINE_SIGMA else _NAV


@inlined
def say(ints: IntArray, floats: FloatArray, answer: int, rule: int, allowed: int, limit: float, value: float) -> int:
    ints[1, at.ANSWER] = answer
    ints[1, at.RULE] = rule
    ints[1, at.ALLOWED] = allowed
    floats[1, at.ANSWER_LIMIT] = limit
    floats[1, at.ANSWER_VALUE] = value
    return answer


@inlined
def _ordinary(
    ints: IntArray,
    floats: FloatArray,
    limits: FloatArray,
    row: int,
    side: int,
    size: int,
    after: int,
    own_after: int,
    strategy_room: float,
    in_sector: int,
    unit: float,
) -> bool:
    """Whether every limit holds with a margin that no rounding reaches: most orders then need no search.

    Never true where a limit would speak. `after`: lots of the larger side with the order filled.
    """
    nav = float(ints[0, at.NAV])
    others = float(ints[0, at.GROSS] - ints[row, at.WORTH])
    value, traded, own = float(after) * unit, float(size) * unit, float(own_after) * unit
    in_all = min(limits[at.L_GROSS], limits[at.L_LEVERAGE] * nav, limits[at.L_TOTAL]) - others
    room = min(limits[at.L_INSTRUMENT] * nav, limits[at.L_SECTOR] * nav - float(in_sector), in_all)
    net = float(ints[0, at.LONG_SUM] if side > 0 else -ints[0, at.SHORT_SUM])
    beta = floats[row, at.BETA] * float(side)
    tilt = float(ints[0, at.BETA_UP] if beta > 0.0 else -ints[0, at.BETA_DOWN])
    power = float(ints[0, at.BUYING_POWER] - (ints[0, at.GROSS] - ints[0, at.HELD_GROSS]))
    most = ints[row, at.MAX_LONG] if side > 0 else min(ints[row, at.MAX_SHORT], ints[row, at.LOCATED])
    dollars = nav / MICROS
    squares = float(ints[0, at.SQUARES] - ints[row, at.SQUARE]) + (value / MICROS) * (value / MICROS)
    return bool(
        (unit >= 1.0)
        & (after <= most)
        & (value < _LARGEST)
        & (value < room * _MARGIN - 1.0)
        & (traded < (limits[at.L_NET] * nav - net) * _MARGIN - 1.0)
        & (abs(beta) * traded < (limits[at.L_BETA] * nav - tilt) * _MARGIN - 1.0)
        & (squares < limits[at.L_CONCENTRATION] * dollars * dollars * _MARGIN)
        & (float(size) < limits[at.L_PARTICIPATION] * float(ints[row, at.ADV]) * _MARGIN)
        & (own < strategy_room * _MARGIN - 1.0)
        & (traded < power * _MARGIN - 1.0)
        & (RISK_SIGMAS * floats[row, at.SIGMA_DAY] * traded < limits[at.L_TRADE_RISK] * nav * _MARGIN)
    )


@inlined
def sized(
    ints: IntArray,
    floats: FloatArray,
    strategies: IntArray,
    limits: FloatArray,
    row: int,
    side: int,
    size: int,
    base: int,
    closing: int,
    price: float,
) -> int:
    """The largest part of the order that keeps every limit on the account; the tightest is named."""
    none = np.nan
    lot_size = floats[row, at.LOT_SIZE]
    nav = float(ints[0, at.NAV])
    unit = lot_size * price * MICROS
    opening, held = size - closing, 0 if base * side < 0 else abs(base)
    worth = ints[row, at.WORTH]
    who = ints[1, at.STRATEGY]
    own = side * strategies[who, row, at.S_HELD] + strategies[who, row, at.S_BUY if side > 0 else at.S_SELL]
    capital = float(strategies[who, 0, at.S_CAPITAL])
    elsewhere = float(strategies[who, 0, at.S_WORTH] - strategies[who, row, at.S_WORTH])
    in_sector = ints[ints[row, at.SECTOR] + at.FIRST, at.SECTOR_GROSS] - worth
    if _ordinary(
        ints, floats, limits, row, side, size, held + opening, own + size, capital - elsewhere, in_sector, unit
    ):
        return say(ints, floats, _APPROVE, _WITHIN, side * size, none, none)
    _, said, allowed, limit, value = decide(
        price,
        ints[0, at.NAV],
        base,
        side * size,
        lot_size,
        in_sector,
        floats[row, at.SIGMA_DAY],
        0.0,
        limits[at.L_INSTRUMENT],
        limits[at.L_SECTOR],
        1.0,
        limits[at.L_TRADE_RISK],
    )
    most = abs(allowed) - closing
    rule = _WITHIN if most >= opening else _engine_rule(said)
    # own limits of the instrument
    if side > 0:
        can = ints[row, at.MAX_LONG] - held
        if can < most:
            rule, limit, value, most = _LONG_LOTS, float(ints[row, at.MAX_LONG]), float(held + opening), can
    else:
        can = ints[row, at.MAX_SHORT] - held
        if can < most:
            rule, limit, value, most = _SHORT_LOTS, float(ints[row, at.MAX_SHORT]), float(held + opening), can
        can = ints[row, at.LOCATED] - held
        if can < most:
            rule, limit, value, most = _LOCATE, float(ints[row, at.LOCATED]), float(held + opening), can
    # the account
    others = float(ints[0, at.GROSS] - worth)
    after = float(held + opening) * unit
    can = largest_lots(limits[at.L_GROSS] - others, lot_size, price) - held
    if can < most:
        rule, limit, value, most = _GROSS, limits[at.L_GROSS], others + after, can
    can = largest_lots(limits[at.L_LEVERAGE] * nav - others, lot_size, price) - held
    if can < most:
        rule, limit, value, most = _LEVERAGE, limits[at.L_LEVERAGE], (others + after) / nav, can
    net = float(ints[0, at.LONG_SUM] if side > 0 else -ints[0, at.SHORT_SUM])
    can = largest_lots(limits[at.L_NET] * nav - net, lot_size, price) - closing
    if can < most:
        rule, limit, value, most = _NET, limits[at.L_NET], (net + float(size) * unit) / nav, can
    beta = floats[row, at.BETA] * float(side)
    if beta != 0.0:
        tilt = float(ints[0, at.BETA_UP] if beta > 0.0 else -ints[0, at.BETA_DOWN])
        can = largest_lots((limits[at.L_BETA] * nav - tilt) / abs(beta), lot_size, price) - closing
        if can < most:
            rule, limit, most = _BETA, limits[at.L_BETA], can
            value = (tilt + abs(beta) * float(size) * unit) / nav
    dollars = nav / MICROS
    squares = float(ints[0, at.SQUARES] - ints[row, at.SQUARE])
    room = np.sqrt(max(0.0, limits[at.L_CONCENTRATION] * dollars * dollars - squares)) * MICROS
    can = largest_lots(room, lot_size, price) - held
    if can < most:
        rule, limit, most = _CONCENTRATION, limits[at.L_CONCENTRATION], can
        value = (squares + (after / MICROS) * (after / MICROS)) / (dollars * dollars)
    can = int(np.floor(limits[at.L_PARTICIPATION] * float(ints[row, at.ADV]))) - closing
    if can < most:
        rule, limit, most = _PARTICIPATION, limits[at.L_PARTICIPATION], can
        value = float(size) / float(ints[row, at.ADV]) if ints[row, at.ADV] > 0 else np.inf
    # capital
    can = largest_lots(capital - elsewhere, lot_size, price) - own - closing
    if can < most:
        rule, limit, value, most = _STRATEGY_CAPITAL, capital, elsewhere + float(own + size) * unit, can
    can = largest_lots(limits[at.L_TOTAL] - others, lot_size, price) - held
    if can < most:
        rule, limit, value, most = _TOTAL, limits[at.L_TOTAL], others + after, can
    power = float(ints[0, at.BUYING_POWER] - (ints[0, at.GROSS] - ints[0, at.HELD_GROSS]))  # less what is on its way
    can = largest_lots(power, lot_size, price)
    if can < most:
        rule, limit, value, most = _BUYING_POWER, power, float(opening) * unit, can
    total = closing + max(0, most)
    if total >= size:
        return say(ints, floats, _APPROVE, _WITHIN, side * size, none, none)
    return say(ints, floats, _REJECT if total == 0 else _REDUCE, rule, side * total, limit, value)
