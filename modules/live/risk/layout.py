"""Where the decision finds what it reads: tables of numbers, so that a call passes few arrays.

Row 0 of both is the account, row 1 the order and its answer, row `FIRST + i` instrument i. Money is int64 micros,
quantities int64 lots, times int64 ns; prices, betas and volatilities are floats. Sums over instruments are of integers,
so they can be moved by differences for ever and stay exact.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 2

# Account, integers
NAV: Final = 0
DAY_NAV: Final = 1  # at the beginning of the day
LEAST_NAV: Final = 2  # lowest of the day
PEAK_NAV: Final = 3  # highest of the day
DEEPEST: Final = 4  # largest fall from the day's peak, micros
GROSS: Final = 5  # sum of each instrument's larger side, open orders filled
LONG_SUM: Final = 6  # signed value with every open buy filled
SHORT_SUM: Final = 7  # signed value with every open sell filled
BETA_UP: Final = 8  # beta-weighted value at its highest
BETA_DOWN: Final = 9
SQUARES: Final = 10  # sum of squared larger sides, in whole dollars
BUYING_POWER: Final = 11
KILLED: Final = 12
MODE: Final = 13
MESSAGE_TAT: Final = 14  # of the message rate (GCRA): when the next message would be due
CASH: Final = 15
HELD_GROSS: Final = 16  # sum of what is held, longs and shorts

# Order and answer, integers
INSTRUMENT: Final = 0
ASKED: Final = 1  # signed lots
TYPE_OK: Final = 2
TIF_OK: Final = 3
NOW: Final = 4
STRATEGY: Final = 5  # number of the strategy; -1 = unknown
VENUE_OK: Final = 6
ORDER_MODE: Final = 7
BUILD_OK: Final = 8
PARENT_LEFT: Final = 9  # lots that the parent order has left; -1 = it is its own parent
DUPLICATE_OF: Final = 10  # 1 = its client id was seen
ANSWER: Final = 11
RULE: Final = 12
ALLOWED: Final = 13  # signed lots
IS_LIMIT: Final = 14  # 1 = has a limit price

# Order and answer, floats
LIMIT_PRICE: Final = 0
ANSWER_LIMIT: Final = 1
ANSWER_VALUE: Final = 2

# Instrument, integers
LOTS: Final = 0
OPEN_BUY: Final = 1
OPEN_SELL: Final = 2
SECTOR: Final = 3
LISTED: Final = 4
RESTRICTED: Final = 5
TRADING: Final = 6  # 1 = its market is open and it is not halted
LOCATED: Final = 7  # lots that may be short
MAX_LONG: Final = 8
MAX_SHORT: Final = 9
ADV: Final = 10  # average daily volume
PRICE_TS: Final = 11
BUY_TAT: Final = 12  # of repeated orders (GCRA)
SELL_TAT: Final = 13
WORTH: Final = 14  # larger side, micros
LONG: Final = 15  # signed value, open buys filled
SHORT: Final = 16
UP: Final = 17  # beta-weighted value at its highest
DOWN: Final = 18
SQUARE: Final = 19  # squared larger side, whole dollars
VALUE: Final = 20  # signed, of what is held
SECTOR_GROSS: Final = 21  # of the sector whose number is i: sum of its instruments' larger sides

# Instrument, floats
PRICE: Final = 0
LOT_SIZE: Final = 1
TICK: Final = 2
SIGMA_DAY: Final = 3
BETA: Final = 4
OWN_BID: Final = 5  # our highest resting buy; NaN = none
OWN_ASK: Final = 6  # our lowest resting sell

INTS: Final = 22
FLOATS: Final = 7

# Strategy s in instrument i: `strategies[s, FIRST + i]`; row 0 holds its sums, row 1 nothing
S_HELD: Final = 0
S_BUY: Final = 1
S_SELL: Final = 2
S_WORTH: Final = 3  # larger side, micros; row 0: their sum
S_CAPITAL: Final = 4  # row 0: micros
STRATEGY_INTS: Final = 5

# Limits, floats
L_DAILY_LOSS: Final = 0
L_DRAWDOWN: Final = 1
L_ORDER_NAV: Final = 2
L_ORDER_LOTS: Final = 3
L_COLLAR: Final = 4
L_INSTRUMENT: Final = 5
L_SECTOR: Final = 6
L_TRADE_RISK: Final = 7
L_GROSS: Final = 8  # micros
L_LEVERAGE: Final = 9
L_NET: Final = 10
L_BETA: Final = 11
L_CONCENTRATION: Final = 12
L_PARTICIPATION: Final = 13
L_TOTAL: Final = 14  # micros
L_STALE_NS: Final = 15
L_MESSAGE_NS: Final = 16  # between messages
L_MESSAGE_BURST_NS: Final = 17
L_REPEAT_NS: Final = 18
L_REPEAT_BURST_NS: Final = 19
LIMITS: Final = 20
