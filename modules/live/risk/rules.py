"""What the risk core may answer, and why: the rules in order of precedence, the first that speaks wins.

1. The state of the desk: KILLED, then DAILY_LOSS and DRAWDOWN, which flatten.
2. Who asks, and of what: MODE, BUILD, STRATEGY, VENUE, INSTRUMENT, RESTRICTED, MARKET_STATE.
3. The form of the order: ORDER_TYPE, TIME_IN_FORCE, QUANTITY, LIMIT_PRICE, TICK, PARENT.
4. How often: MESSAGE_RATE, DUPLICATE, REPEATED.
5. What is known: REFERENCE_PRICE, STALE_PRICE, COLLAR, SELF_MATCH.
6. An order that only reduces the position is approved here, whatever the account looks like.
7. The account: NAV_NOT_POSITIVE, then limits on the opening part. Those of size refuse the whole (ORDER_LOTS and
   ORDER_VALUE: an order that large is a mistake, not a wish); the others leave the largest order that keeps all of
   them, and the tightest is named, the first of these in a tie.
"""

from __future__ import annotations

from enum import IntEnum


class Answer(IntEnum):
    """What may be done with an order. The values are those of the engine's decision."""

    APPROVE = 0
    REDUCE = 1
    REJECT = 2
    FLATTEN = 3


class Rule(IntEnum):
    """Why. The order of the names is the order of precedence; `docs/risk.md` has a line for each."""

    WITHIN_LIMITS = 0
    REDUCES_EXPOSURE = 1
    KILLED = 2
    DAILY_LOSS = 3
    DRAWDOWN = 4
    MODE = 5
    BUILD = 6
    STRATEGY = 7
    VENUE = 8
    INSTRUMENT = 9
    RESTRICTED = 10
    MARKET_STATE = 11
    ORDER_TYPE = 12
    TIME_IN_FORCE = 13
    QUANTITY = 14
    LIMIT_PRICE = 15
    TICK = 16
    PARENT = 17
    MESSAGE_RATE = 18
    DUPLICATE = 19
    REPEATED = 20
    REFERENCE_PRICE = 21
    STALE_PRICE = 22
    COLLAR = 23
    SELF_MATCH = 24
    NAV_NOT_POSITIVE = 25
    ORDER_LOTS = 26
    ORDER_VALUE = 27
    INSTRUMENT_NAV = 28
    SECTOR_NAV = 29
    TRADE_RISK = 30
    SIGMA_UNKNOWN = 31
    LONG_LOTS = 32
    SHORT_LOTS = 33
    LOCATE = 34
    GROSS = 35
    LEVERAGE = 36
    NET = 37
    BETA = 38
    CONCENTRATION = 39
    PARTICIPATION = 40
    STRATEGY_CAPITAL = 41
    TOTAL_CAPITAL = 42
    BUYING_POWER = 43


FLATTENING = frozenset({Rule.DAILY_LOSS, Rule.DRAWDOWN})
"""Rules under which nothing may be opened and what is held is to be closed."""
