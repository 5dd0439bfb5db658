"""The stream of events: a table of int64, one column of it an event, checked on entry.

What is wrong is an error that names the row, or, by setting, a row of the quarantine, and never an event: a price that
is not above 0 or not on the tick, a size below 0, a crossed quote or book, time running backwards, a symbol that is not
known, a session without events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
import polars as pl

from modules.engine.accounting import EngineError
from modules.engine.exchange import layout as f
from modules.engine.exchange.book import set_level
from modules.engine.exchange.plain import kernel
from modules.panel import IntArray, iso


class Kind(IntEnum):
    """What an event of a stream tells."""

    BAR = f.BAR
    QUOTE = f.QUOTE
    TRADE = f.TRADE
    DEPTH = f.DEPTH
    CLEAR = f.CLEAR


class Flaw(IntEnum):
    """What is wrong with an event, in order of precedence."""

    NONE = 0
    UNKNOWN_SYMBOL = 1
    TIME_BACKWARDS = 2
    SEEN_BEFORE_IT_HAPPENED = 3
    PRICE_NOT_POSITIVE = 4
    OFF_TICK = 5
    SIZE_NEGATIVE = 6
    CROSSED_QUOTE = 7
    BAR_INCONSISTENT = 8
    CROSSED_BOOK = 9


_CROSSED_BOOK = int(Flaw.CROSSED_BOOK)
REMEDIES = {
    Flaw.UNKNOWN_SYMBOL: "name it among the instruments or drop its rows",
    Flaw.TIME_BACKWARDS: "sort the rows by time; rows of one message must stand together",
    Flaw.SEEN_BEFORE_IT_HAPPENED: "set the clocks, or give the exchange's time for both",
    Flaw.PRICE_NOT_POSITIVE: "drop the row or mend its price",
    Flaw.OFF_TICK: "give the instrument its true tick_size, or a smaller one",
    Flaw.SIZE_NEGATIVE: "drop the row or mend its size",
    Flaw.CROSSED_QUOTE: "drop the row: a bid at or above the ask is no market",
    Flaw.BAR_INCONSISTENT: "mend the bar: low <= open, close <= high",
    Flaw.CROSSED_BOOK: "a delta is missing before this message: start again from a snapshot",
}


@dataclass(frozen=True)
class Instrument:
    """What the engine must know of a symbol.

    `sigma_day`: volatility of a day's return, known before the stream begins (NaN = unknown: nothing may be opened);
    `adv`: shares of a day, for impact (NaN = unknown: none is charged); `bar_s`: length of its bars in seconds, so that
    an order that arrives while a bar is under way does not get its open (0: bars begin when the one before ends).
    """

    symbol: str
    tick_size: float
    lot_size: float
    sector: int = 0
    sigma_day: float = float("nan")
    adv: float = float("nan")
    bar_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size"):
            value = getattr(self, name)
            if not (0.0 < value < float("inf")):
                raise EngineError(f"{name} of {self.symbol} is {value}; give a finite number above 0")

    def ratio(self) -> tuple[float, float]:
        """The tick as (numerator, denominator), whole numbers where there are such."""
        for denominator in (1.0, *(round(1.0 / self.tick_size * m) for m in (1, 2, 4, 5, 8))):
            numerator = round(self.tick_size * denominator)
            if denominator > 0 and numerator > 0 and abs(numerator / denominator - self.tick_size) < 1e-12 * numerator:
                return float(numerator), float(denominator)
        return self.tick_size, 1.0


@dataclass(frozen=True, eq=False)
class Stream:
    """Events in order of the exchange's time. `table` is `[5 or 8, n]` int64 (rows `E_` of layout.py), prices in ticks,
    sizes in lots; the last three rows (quotes: ask, lots at it; bars: open, high, low) are there where needed.

    `quarantine`: rows that were refused, with row, symbol, event_time, rule, value.
    """

    table: IntArray
    instruments: tuple[Instrument, ...]
    quarantine: pl.DataFrame

    @property
    def size(self) -> int:
        """How many events."""
        return int(self.table.shape[1])

    @cached_property
    def survey(self) -> IntArray:
        """What there is of each symbol (`survey`)."""
        return survey(self.table, len(self.instruments))

    def with_feed_delay(self, delay_ns: int) -> Stream:
        """The same events, seen `delay_ns` after they happened."""
        if delay_ns < 0:
            raise EngineError(f"delay_ns = {delay_ns} is below 0; nothing is seen before it happens")
        table = self.table.copy()
        table[f.E_LOCAL_NS] = table[f.E_EXCHANGE_NS] + delay_ns
        return replace(self, table=table)


NO_QUARANTINE = pl.DataFrame(
    schema={
        "row": pl.Int64,
        "symbol": pl.String,
        "event_time": pl.Datetime("ns", "UTC"),
        "rule": pl.String,
        "value": pl.Float64,
    }
)


def refuse(flaw: Flaw, row: int, symbol: str, time_ns: int, field: str, value: object) -> EngineError:
    """The error for a row that is wrong."""
    return EngineError(
        f"{flaw.name.lower()}: row {row} ({symbol}, {iso(time_ns)}) has {field} = {value}; {REMEDIES[flaw]}, "
        "or let bad rows go to the quarantine"
    )


@kernel
def _crossed(e: IntArray, low: IntArray, mask: IntArray, start: IntArray, levels: IntArray, flaws: IntArray) -> None:
    """Replay the books; mark every row of a message after which a bid stands at or above an ask.

    A message that crosses is undone, so that one bad message does not condemn those after it.
    """
    symbols = low.size
    a = np.zeros(symbols * f.SYMBOL, dtype=np.int64)
    rows = e.shape[1]
    undo_at = np.zeros(4096, dtype=np.int64)
    undo_lots = np.zeros(4096, dtype=np.int64)
    for k in range(symbols):
        a[k * f.SYMBOL + f.S_ASK] = f.NO_ASK
        a[k * f.SYMBOL + f.S_BOOK_LOW] = low[k]
        a[k * f.SYMBOL + f.S_BOOK_MASK] = mask[k]
    count = 0
    begun = 0
    both = np.concatenate((a, levels))
    for i in range(rows):
        code = e[f.E_CODE, i]
        kind = code & 15
        if (kind != f.DEPTH and kind != f.CLEAR) or flaws[i] != 0:
            continue
        symbol = code >> f.SYMBOL_SHIFT
        s = symbol * f.SYMBOL
        width = mask[symbol] + 1
        base = symbols * f.SYMBOL + start[symbol]
        if kind == f.CLEAR:
            for k in range(base, base + 2 * width):
                both[k] = 0
            both[s + f.S_BID], both[s + f.S_ASK] = 0, f.NO_ASK
            count = -1  # cannot be undone
        else:
            buy = (code & f.BUY_BIT) != 0
            side = base if buy else base + width
            before = set_level(both, s, s, side, buy, e[f.E_PRICE, i], e[f.E_LOTS, i])
            if 0 <= count < 4096:
                undo_at[count] = i
                undo_lots[count] = before
                count += 1
        if code & f.LAST_BIT:
            if both[s + f.S_BID] != 0 and both[s + f.S_BID] >= both[s + f.S_ASK]:
                for k in range(begun, i + 1):
                    if e[f.E_CODE, k] >> f.SYMBOL_SHIFT == symbol and flaws[k] == 0:
                        flaws[k] = _CROSSED_BOOK
                if count > 0:
                    for k in range(count - 1, -1, -1):
                        j = undo_at[k]
                        buy = (e[f.E_CODE, j] & f.BUY_BIT) != 0
                        side = base if buy else base + width
                        set_level(both, s, s, side, buy, e[f.E_PRICE, j], undo_lots[k])
            count = 0
            begun = i + 1


MOST_LEVELS = 1 << 24


@kernel
def survey(e: IntArray, symbols: int) -> IntArray:
    """`[symbols, 18]`: how many events of each kind a symbol has (columns 0 to 15), its lowest and highest depth."""
    found = np.zeros((symbols, 18), dtype=np.int64)
    found[:, 16] = f.NO_ASK
    for i in range(e.shape[1]):
        code = e[f.E_CODE, i]
        row = found[code >> f.SYMBOL_SHIFT]
        row[code & 15] += 1
        if code & 15 == f.DEPTH:
            row[16] = min(row[16], e[f.E_PRICE, i])
            row[17] = max(row[17], e[f.E_PRICE, i])
    return found


def book_windows(found: IntArray, instruments: Sequence[Instrument]) -> tuple[IntArray, IntArray]:
    """`(low, mask)` of each symbol's window of levels, mask 0 where it has no depth, from its `survey`.

    Raises EngineError where prices of a symbol span more than 2**24 ticks.
    """
    low = np.zeros(len(instruments), dtype=np.int64)
    mask = np.zeros(len(instruments), dtype=np.int64)
    for k, instrument in enumerate(instruments):
        if not found[k, f.DEPTH]:
            continue
        span = int(found[k, 17] - found[k, 16]) + 1
        if span > MOST_LEVELS:
            raise EngineError(
                f"depth of {instrument.symbol} spans {span} ticks of {instrument.tick_size}, more than {MOST_LEVELS}; "
                "drop levels far from the market, or give a larger tick_size"
            )
        low[k] = found[k, 16]
        mask[k] = (1 << max(1, (span - 1).bit_length())) - 1
    return low, mask


def find_crossed_books(table: IntArray, instruments: Sequence[Instrument], flaws: IntArray) -> None:
    """Write CROSSED_BOOK into `flaws` for rows of messages that leave a crossed book."""
    low, mask = book_windows(survey(table, len(instruments)), instruments)
    if not mask.any():
        return
    widths = 2 * (mask + 1)
    start = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int64)
    _crossed(table, low, mask, start, np.zeros(int(widths.sum()), dtype=np.int64), flaws)
