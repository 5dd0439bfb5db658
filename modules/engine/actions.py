"""Corporate actions in the account: what they do to lots and cash, from prices as they were traded.

At bar t, before anything fills, in this order for each symbol:

1. a split n for o turns |lots| into |lots| * n // o, in whole numbers; what is less than a lot is paid in cash at the
   last price divided by the ratio, so a split by itself changes no NAV. An order that waits is restated alike;
2. a dividend is paid on the lots that stand then: to longs, by shorts. An order that fills at t gets none;
3. a delisted position is closed at the last price times one plus the delisting return, without costs; orders expire.

Each is a row of the log; `dividends` and `settled` of the bar are their sums, so cash still follows from its flows.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from modules.engine.accounting import (
    ACTED,
    CASH,
    EXACT_LIMIT,
    FAULT_SYMBOL,
    MICROS,
    UNFILLED,
    ActionLog,
    BarLog,
    Book,
    EngineError,
    Events,
    add,
    micros,
)
from modules.jit import inlined
from modules.panel import FloatArray, Panel, iso

SPLIT: Final = 0
DIVIDEND: Final = 1
DELISTING: Final = 2
KINDS: Final = ("split", "dividend", "delisting")
_NEAR: Final = 1e-5  # vendors write 1:3 as 0.333333
_FIELDS: Final = ("split", "dividend", "delisting")


def has_actions(bars: Panel) -> bool:
    """Whether the data state corporate actions, though none may have happened."""
    return any(name in bars for name in _FIELDS)


def find_events(bars: Panel) -> Events:
    """The actions in the fields of `bars`. Raises EngineError for one that cannot be: by symbol, bar, value."""
    shape = bars.shape
    if not has_actions(bars):
        none, whole = np.empty(0), np.empty(0, dtype=np.int64)
        return Events(np.zeros(shape[0] + 1, dtype=np.int64), whole, whole, whole, none, none)
    ratio = bars["split"] if "split" in bars else np.ones(shape)
    paid = bars["dividend"] if "dividend" in bars else np.zeros(shape)
    gone = bars["delisting"] if "delisting" in bars else np.full(shape, np.nan)
    _refuse(bars, "split", ~(ratio > 0.0) | np.isinf(ratio), "a ratio of new to old shares above 0")
    _refuse(bars, "dividend", ~(paid >= 0.0) | np.isinf(paid), "cash a share, not below 0")
    _refuse(bars, "delisting", (gone < -1.0) | np.isinf(gone), "a return not below -1")
    if "dividend" in bars:
        _refuse(bars, "dividend", (paid > 0.0) & (paid >= _last_price(bars, ratio)), "less than the price before it")
    rows, columns = np.nonzero((ratio != 1.0) | (paid > 0.0) | ~np.isnan(gone))
    terms = {value: _whole(value) for value in np.unique(ratio[rows, columns]).tolist()}
    pairs = [terms[value] for value in ratio[rows, columns].tolist()]
    return Events(
        first=np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int64),
        symbol=columns.astype(np.int64),
        new=np.array([p.numerator for p in pairs], dtype=np.int64),
        old=np.array([p.denominator for p in pairs], dtype=np.int64),
        dividend=np.ascontiguousarray(paid[rows, columns]),
        delisting=np.ascontiguousarray(gone[rows, columns]),
    )


def _whole(ratio: float) -> Fraction:
    """The ratio in whole numbers, the simplest that is meant by what vendors write."""
    simple = Fraction(ratio).limit_denominator(1000)
    return simple if abs(float(simple) - ratio) <= _NEAR * ratio else Fraction(ratio).limit_denominator(10**6)


def _last_price(bars: Panel, ratio: FloatArray) -> FloatArray:
    """`[T, N]` the last price before each bar in its shares; infinite before the first."""
    close, out = _traded_close(bars), np.empty(bars.shape)
    last = np.full(bars.shape[1], np.inf)
    for t in range(bars.shape[0]):
        last = last / ratio[t]
        out[t] = last
        last = np.where(np.isnan(close[t]), last, close[t])
    return out


def _refuse(bars: Panel, field: str, broken: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], rule: str) -> None:
    if not broken.any():
        return
    t, i = (int(x[0]) for x in np.nonzero(broken))
    raise EngineError(
        f"{field} of {bars.symbols[i]} at {iso(int(bars.ts[t]))} is {bars[field][t, i]}; it must be {rule}: correct "
        "the data, or clean them with clean/quality"
    )


def _traded_close(bars: Panel) -> FloatArray:
    return bars["raw_close"] if "raw_close" in bars else bars["close"]


def as_traded(bars: Panel) -> Panel:
    """The bars at the prices that were paid, volume in the shares of its day; the bars themselves without actions.

    Raises EngineError for splits or dividends without prices as traded: adjusted prices hold them already.
    """
    if "raw_close" not in bars:
        held = (("split", 1.0), ("dividend", 0.0))
        if any(name in bars and bool((bars[name] != none).any()) for name, none in held):
            raise EngineError("bars have splits or dividends and no raw_close; give prices as traded, or no actions")
        return bars
    fields = {"close": bars["raw_close"]}
    if "raw_open" in bars:
        fields["open"] = bars["raw_open"]
    if "volume" in bars:
        fields["volume"] = bars["volume"] * shares_per_adjusted(bars)
    return Panel(bars.ts, bars.symbols, fields)


def shares_per_adjusted(bars: Panel) -> FloatArray:
    """`[T, N]` shares as traded for one share of adjusted volume; the last known one where a bar is missing."""
    factor = bars["close"] / bars["raw_close"]
    at = np.arange(factor.shape[0])[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(factor), 0, at), axis=0)
    held: FloatArray = np.take_along_axis(factor, last, axis=0)
    return held


def previous_close(bars: Panel, traded: Panel) -> FloatArray:
    """`[T, N]` the close before each bar, less what its actions took off: what an open at the last close means."""
    before = np.full(bars.shape, np.nan)
    before[1:] = traded["close"][:-1]
    if "split" in bars:
        before = before / bars["split"]
    if "dividend" in bars:
        before = before - bars["dividend"]
    return before


def new_action_log(capacity: int) -> ActionLog:
    """Room for `capacity` rows."""
    return ActionLog(
        row=np.empty(capacity, np.int32),
        symbol=np.empty(capacity, np.int32),
        kind=np.empty(capacity, np.int8),
        before=np.empty(capacity, np.int64),
        after=np.empty(capacity, np.int64),
        price=np.empty(capacity),
        cash=np.empty(capacity, np.int64),
    )


@inlined
def restated(lots: int, new: int, old: int) -> int:
    """Whole lots after a split, toward zero. Raises OverflowError beyond 2**53."""
    if not abs(float(lots)) * float(new) < EXACT_LIMIT:
        raise OverflowError("lots outside 2**53")
    whole = abs(lots) * new // old
    return whole if lots >= 0 else -whole


@inlined
def act(t: int, row: int, events: Events, lot_size: FloatArray, book: Book, bars: BarLog, acts: ActionLog) -> None:
    """Do to the account what happened at bar t."""
    lots, mark, pending, totals = book.lots, book.mark, book.pending, book.totals
    symbols, new, old, dividend, gone = events.symbol, events.new, events.old, events.dividend, events.delisting
    to_row, to_symbol, to_kind, to_before = acts.row, acts.symbol, acts.kind, acts.before
    to_after, to_price, to_cash = acts.after, acts.price, acts.cash
    k = totals[ACTED]
    dividends = 0
    settled = 0
    for e in range(events.first[t], events.first[t + 1]):
        i = symbols[e]
        totals[FAULT_SYMBOL] = i
        if new[e] != old[e]:
            held = lots[i]
            mark[i] = mark[i] * float(old[e]) / float(new[e])
            waiting = restated(pending[i], new[e], old[e])
            if waiting == 0 and pending[i] != 0:
                totals[UNFILLED] += 1
            pending[i] = waiting
            if held != 0:
                lots[i] = restated(held, new[e], old[e])
                left = float(held * new[e] - lots[i] * old[e]) / float(old[e])
                cash = int(np.rint(left * lot_size[i] * mark[i] * MICROS))
                settled = add(settled, cash)
                to_row[k], to_symbol[k], to_kind[k] = t, i, SPLIT
                to_before[k], to_after[k], to_price[k], to_cash[k] = held, lots[i], mark[i], cash
                k += 1
        if dividend[e] > 0.0 and lots[i] != 0:
            cash = micros(lots[i], lot_size[i], dividend[e])
            dividends = add(dividends, cash)
            to_row[k], to_symbol[k], to_kind[k] = t, i, DIVIDEND
            to_before[k], to_after[k], to_price[k], to_cash[k] = lots[i], lots[i], dividend[e], cash
            k += 1
        if gone[e] == gone[e]:
            price = mark[i] * (1.0 + gone[e])
            mark[i] = np.nan
            if pending[i] != 0:
                totals[UNFILLED] += 1
                pending[i] = 0
            if lots[i] != 0:
                cash = micros(lots[i], lot_size[i], price)
                settled = add(settled, cash)
                to_row[k], to_symbol[k], to_kind[k] = t, i, DELISTING
                to_before[k], to_after[k], to_price[k], to_cash[k] = lots[i], 0, price, cash
                lots[i] = 0
                k += 1
    totals[ACTED] = k
    totals[CASH] = add(totals[CASH], dividends + settled)
    bars.dividends[row], bars.settled[row] = dividends, settled
