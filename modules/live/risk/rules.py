"""What the risk core may answer, and why: the rules in order of precedence, the first that speaks wins.

1. The state of the desk: KILLED, then CANCEL_ONLY (said by the process: it does not know where it stands), then
   DAILY_LOSS and DRAWDOWN, which flatten.
2. Who asks, and of what: MODE, BUILD, STRATEGY, VENUE, INSTRUMENT, RESTRICTED, MARKET_STATE.
3. The form of the order: ORDER_TYPE, TIME_IN_FORCE, QUANTITY, LIMIT_PRICE, TICK, PARENT.
4. When, and how often: DEADLINE (said by the process: whoever asked has given up), MESSAGE_RATE, DUPLICATE, REPEATED.
5. What is known: REFERENCE_PRICE, STALE_PRICE (where nothing is reduced), COLLAR, SELF_MATCH.
6. An order that only reduces the position is approved here, whatever the account looks like and however old the price.
7. What also opens: STALE_PRICE and NAV_NOT_POSITIVE leave the reducing part, then come limits on the opening part.
   Those of size refuse the whole (ORDER_LOTS and ORDER_VALUE: an order that large is a mistake, not a wish); the others
   leave the largest order that keeps all of them, and the tightest is named, the first of these in a tie.
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
    CANCEL_ONLY = 3
    DAILY_LOSS = 4
    DRAWDOWN = 5
    MODE = 6
    BUILD = 7
    STRATEGY = 8
    VENUE = 9
    INSTRUMENT = 10
    RESTRICTED = 11
    MARKET_STATE = 12
    ORDER_TYPE = 13
    TIME_IN_FORCE = 14
    QUANTITY = 15
    LIMIT_PRICE = 16
    TICK = 17
    PARENT = 18
    DEADLINE = 19
    MESSAGE_RATE = 20
    DUPLICATE = 21
    REPEATED = 22
    REFERENCE_PRICE = 23
    STALE_PRICE = 24
    COLLAR = 25
    SELF_MATCH = 26
    NAV_NOT_POSITIVE = 27
    ORDER_LOTS = 28
    ORDER_VALUE = 29
    INSTRUMENT_NAV = 30
    SECTOR_NAV = 31
    TRADE_RISK = 32
    SIGMA_UNKNOWN = 33
    LONG_LOTS = 34
    SHORT_LOTS = 35
    LOCATE = 36
    GROSS = 37
    LEVERAGE = 38
    NET = 39
    BETA = 40
    CONCENTRATION = 41
    PARTICIPATION = 42
    STRATEGY_CAPITAL = 43
    TOTAL_CAPITAL = 44
    BUYING_POWER = 45


FLATTENING = frozenset({Rule.DAILY_LOSS, Rule.DRAWDOWN})
"""Rules under which nothing may be opened and what is held is to be closed."""
