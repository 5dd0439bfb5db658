"""Where everything stands in the engine's one array of int64, and in its array of float64 constants.

All that changes while the engine runs is in `a`: clocks, accounts, books, orders and messages under way. A copy of it
is a checkpoint; a call from Python passes three arrays and no more. `H_` names a place in the head, `S_` a column of
a symbol's row, `O_` of an order's, `Q_` of a request on its way to the exchange, `R_` of a response on its way back,
`B_` of an order in the outbox, and `T_`, `C_`, `L_`, `N_` columns of the logs. Prices are integer ticks, quantities
integer lots, money integer micros, times ns.
"""

from __future__ import annotations

from typing import Final

from modules.engine.exchange.plain import inlined
from modules.panel import IntArray

NEVER: Final = 9_223_372_036_854_775_807  # a time that does not come
NO_ASK: Final = 4_611_686_018_427_387_904  # the tick of an empty side of asks; an empty side of bids has 0
UNSEEN: Final = 1_152_921_504_606_846_976  # lots ahead in a queue that no data show
NONE: Final = -1
NAN: Final = float("nan")
PLACES: Final = (
    1 << 40
) - 1  # a place masked with this is known not to be negative, which spares a test at each access

(
    # clocks and places in the stream
    H_NOW, H_EXCHANGE_NOW, H_EXCHANGE_ROW, H_LOCAL_ROW, H_ROWS, H_STARTED, H_TIMER,
    # rings of messages: heads and tails count up for ever
    H_REQUEST_HEAD, H_REQUEST_TAIL, H_RESPONSE_HEAD, H_RESPONSE_TAIL, H_NOTICE_HEAD, H_NOTICE_TAIL,
    H_LAST_ARRIVAL, H_LAST_ANSWER, H_OUTBOX, H_NEXT_ID, H_ANSWERS,
    # the account, as the strategy knows it
    H_CASH, H_NAV, H_DAY_NAV, H_DAY_LOW, H_DAY_ALERT, H_DAY_END, H_HALTED, H_EXCHANGE_DAY_END, H_EXCHANGE_DAY,
    # since the last row of the NAV log
    H_COMMISSION, H_SPREAD, H_IMPACT, H_TRADED, H_NAV_NEXT, H_NAV_EVERY,
    # logs: rows written, and whether one is nearly full
    H_OPENED, H_CLOSED, H_FILLS, H_NAVS, H_DRAIN, H_STIRRED,
    # the callback under way
    H_KIND, H_SYMBOL, H_TIME, H_ROW, H_ORDER, H_EVENT, H_LOTS, H_PRICE, H_MAKER, H_REASON,
    # constants of a run
    H_MASK, H_SYMBOLS, H_ORDERS, H_SLOTS, H_REQUESTS, H_RESPONSES, H_NOTICES, H_RING, H_OUTBOXES, H_OPENED_AT,
    H_CLOSED_AT, H_FILLS_AT, H_NAVS_AT, H_LOG_ROWS, H_SEED, H_MAX_AGE, H_IMPACT_BEYOND, H_ENTRY_NS, H_ANSWER_NS,
    # faults: code, then what it is about
    H_FAULT, H_FAULT_ORDER, H_FAULT_STATE, H_FAULT_EVENT,
) = range(72)  # fmt: skip
HEAD: Final = 80

# A symbol's row: the exchange's view, the strategy's view (the same columns later by S_LOCAL), and the rest.
(
    S_BID, S_ASK, S_BID_LOTS, S_ASK_LOTS, S_BOOK_NS, S_TRADE, S_TRADE_LOTS, S_SEEN, S_OPEN, S_HIGH, S_LOW, S_CLOSE,
    S_VOLUME,
) = range(13)  # fmt: skip
S_LOCAL: Final = 16
(
    S_SOURCE, S_LOTS, S_MARK2, S_VALUE, S_WORK_BUY, S_WORK_SELL, S_BIDS, S_ASKS, S_TAKERS, S_STOPS, S_SECTOR, S_BOOK,
    S_BOOK_MASK, S_BOOK_LOW, S_BAR_NS, S_ACTIVE,
) = range(32, 48)  # fmt: skip
SYMBOL: Final = 48

(
    O_ID, O_SYMBOL, O_SIDE, O_TYPE, O_TIF, O_POST, O_PRICE, O_STOP, O_CLIENT, O_LOTS, O_WORK, O_SEEN, O_LIST, O_STATE,
    O_KNOWN_STATE, O_NEXT, O_PREVIOUS, O_FILLED, O_KNOWN_FILLED, O_AHEAD, O_TRADED, O_ARRIVED, O_DAY, O_ASKED_CANCEL,
    O_ASKED_REPLACE, O_PAID, O_TAKES, O_REQUESTS, O_REASON,
) = range(29)  # fmt: skip
O_ZERO_FROM: Final = O_FILLED  # a new order starts with 0 from here on
ORDER: Final = 29

Q_TIME, Q_KIND, Q_SLOT, Q_ID, Q_PRICE, Q_LOTS = range(6)
REQUEST: Final = 8
REQUEST_NEW, REQUEST_CANCEL, REQUEST_REPLACE = range(3)

(
    R_TIME, R_EVENT, R_SLOT, R_ID, R_LOTS, R_PRICE, R_MAKER, R_EXCHANGE_NS, R_COMMISSION, R_SPREAD, R_IMPACT, R_REASON,
    R_SYMBOL, R_NOTIONAL,
) = range(14)  # fmt: skip
RESPONSE: Final = 16

B_KIND, B_SYMBOL, B_SIDE, B_TYPE, B_TIF, B_POST, B_LOTS, B_PRICE, B_STOP, B_CLIENT, B_ID = range(11)
OUTBOX: Final = 12
OUTBOX_ROWS: Final = 256

(
    T_ID, T_TIME, T_SYMBOL, T_ASKED, T_ALLOWED, T_DECISION, T_RULE, T_TYPE, T_TIF, T_POST, T_PRICE, T_STOP, T_CLIENT,
    T_REASON,
) = range(14)  # fmt: skip
OPENED: Final = 14
C_ID, C_TIME, C_STATE, C_REASON, C_FILLED = range(5)
CLOSED: Final = 5
(
    L_ID, L_EXCHANGE_NS, L_TIME, L_SYMBOL, L_LOTS, L_PRICE, L_NOTIONAL, L_COMMISSION, L_SPREAD, L_IMPACT, L_MAKER,
) = range(11)  # fmt: skip
FILL: Final = 11
(
    N_TIME, N_NAV, N_CASH, N_POSITIONS, N_COMMISSION, N_SPREAD, N_IMPACT, N_TRADED, N_LONG, N_SHORT,
) = range(10)  # fmt: skip
NAV_ROW: Final = 10

# Constants of a run as float64: the venue's terms, then a row for each symbol, then limit and value of logged orders.
(
    F_MAKER, F_TAKER, F_PER_SHARE, F_PER_ORDER, F_HALF_SPREAD, F_IMPACT_K, F_QUEUE_POWER, F_TOUCH, F_SHARE,
    F_ENTRY_SIGMA, F_ANSWER_SIGMA, F_MAX_INSTRUMENT, F_MAX_SECTOR, F_MAX_DAILY_LOSS, F_MAX_TRADE_RISK,
) = range(15)  # fmt: skip
F_HEAD: Final = 16
F_NUMERATOR, F_DENOMINATOR, F_LOT_SIZE, F_SIGMA, F_ADV = range(5)
F_SYMBOL: Final = 8

# Rows of a stream's table
E_EXCHANGE_NS, E_LOCAL_NS, E_CODE, E_PRICE, E_LOTS, E_A, E_B, E_C = range(8)
NARROW: Final = 5  # rows where there are neither quotes nor bars

# E_CODE packs kind (4 bits), aggressor or side of the book (2), last row of its message (1) and the symbol (rest).
BAR: Final = 1
QUOTE: Final = 2
TRADE: Final = 3
DEPTH: Final = 4
CLEAR: Final = 5
ON_FILL: Final = 6
ON_ORDER: Final = 7
ON_TIMER: Final = 8
START: Final = 9
END: Final = 10
DRAIN: Final = 11
FAULT: Final = 12
(BAR_BIT, QUOTE_BIT, TRADE_BIT, DEPTH_BIT) = (1 << k for k in (BAR, QUOTE, TRADE, DEPTH))
(FILL_BIT, ORDER_BIT, TIMER_BIT, START_BIT) = (1 << k for k in (ON_FILL, ON_ORDER, ON_TIMER, START))
BUY_BIT: Final = 16
SELL_BIT: Final = 32
LAST_BIT: Final = 64
SYMBOL_SHIFT: Final = 8

# What fills a symbol's orders: the finest data there are of it.
FROM_BARS: Final = 0
FROM_TRADES: Final = 1
FROM_QUOTES: Final = 2
FROM_DEPTH: Final = 3


@inlined
def symbol_at(symbol: int) -> int:
    """Where the row of a symbol begins."""
    return (HEAD + symbol * SYMBOL) & PLACES


@inlined
def order_at(a: IntArray, slot: int) -> int:
    """Where the row of an order begins."""
    return int((a[H_ORDERS] + slot * ORDER) & PLACES)
