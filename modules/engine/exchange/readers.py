"""Tables of polars to streams of events: quotes, trades, depth (snapshots and deltas) and bars.

Every frame has `time` (Datetime, UTC where it has no zone, or integer ns) and `symbol`, and may have `local_time`,
when the row was seen. Rows of one symbol must be in order of time. Sizes become whole lots, rounded down: a part of a
lot can be neither shown nor taken. What is seen arrives in order: `local_time` is raised to that of the event before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modules.engine.accounting import EngineError
from modules.engine.exchange import layout as f
from modules.engine.exchange.events import (
    NO_QUARANTINE,
    Flaw,
    Instrument,
    Stream,
    find_crossed_books,
    refuse,
)
from modules.panel import FloatArray, IntArray, Panel

OnBad = Literal["error", "quarantine"]
_TICK_SLACK = 0.02  # of a tick: what prices that were once kept as float32 may miss it by
_LOT_SLACK = 1e-9
_MOST_TICKS = float(1 << 50)


class _Draft:
    """A table in the making, with what is wrong in it."""

    def __init__(self, frame: pl.DataFrame, instruments: Sequence[Instrument], rows: int) -> None:
        if frame.height == 0:
            raise EngineError("empty_session: the frame has 0 rows; give a session with events, or skip this one")
        need = [c for c in ("time", "symbol") if c not in frame.columns]
        if need:
            raise EngineError(f"columns {', '.join(need)} are missing; the frame has {', '.join(frame.columns)}")
        self.frame = frame
        self.instruments = tuple(instruments)
        self.table = np.zeros((rows, frame.height), dtype=np.int64)
        self.flaws = np.zeros(frame.height, dtype=np.int64)
        self.values = np.full(frame.height, np.nan)
        self.fields = np.full(frame.height, "", dtype=object)
        self._place()

    def _place(self) -> None:
        place = {x.symbol: k for k, x in enumerate(self.instruments)}
        names = self.frame["symbol"].cast(pl.String)
        unique = names.unique().drop_nulls().to_list()
        codes = names.replace_strict(
            unique, [place.get(s, -1) for s in unique], default=-1, return_dtype=pl.Int64
        ).to_numpy()
        self.mark(codes < 0, Flaw.UNKNOWN_SYMBOL, "symbol", np.full(codes.size, np.nan))
        self.codes: IntArray = np.maximum(codes, 0)
        self.time = _nanoseconds(self.frame["time"])
        seen = _nanoseconds(self.frame["local_time"]) if "local_time" in self.frame.columns else self.time
        self.mark(seen < self.time, Flaw.SEEN_BEFORE_IT_HAPPENED, "local_time", (seen - self.time).astype(np.float64))
        for k in range(len(self.instruments)):
            own = np.flatnonzero(self.codes == k)
            behind = np.zeros(self.time.size, dtype=np.bool_)
            behind[own] = self.time[own] < np.maximum.accumulate(self.time[own])
            self.mark(behind, Flaw.TIME_BACKWARDS, "time", self.time.astype(np.float64))
        self.table[f.E_EXCHANGE_NS] = self.time
        self.table[f.E_LOCAL_NS] = seen

    def mark(self, bad: NDArray[np.bool_], flaw: Flaw, field: str, values: FloatArray) -> None:
        """Note a flaw of rows that have none yet."""
        fresh = bad & (self.flaws == 0)
        self.flaws[fresh] = int(flaw)
        self.values[fresh] = values[fresh]
        self.fields[fresh] = field

    def numbers(self, name: str) -> FloatArray:
        """A column as float64, null = NaN."""
        if name not in self.frame.columns:
            raise EngineError(f"column {name} is missing; the frame has {', '.join(self.frame.columns)}")
        return self.frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()

    def ticks(self, name: str) -> IntArray:
        """A column of prices in ticks."""
        price = self.numbers(name)
        top, bottom = (np.array(x)[self.codes] for x in zip(*(i.ratio() for i in self.instruments), strict=True))
        ticks = price * bottom / top
        self.mark(~((ticks > 0.0) & (ticks < _MOST_TICKS)), Flaw.PRICE_NOT_POSITIVE, name, price)
        whole = np.rint(np.where(self.flaws == 0, ticks, 1.0))
        self.mark((np.abs(ticks - whole) > _TICK_SLACK) | (whole < 1.0), Flaw.OFF_TICK, name, price)
        return whole.astype(np.int64)

    def lots(self, name: str) -> IntArray:
        """A column of sizes in lots, rounded down."""
        size = self.numbers(name)
        lots = np.floor(size / np.array([i.lot_size for i in self.instruments])[self.codes] + _LOT_SLACK)
        self.mark(~((size >= 0.0) & (lots < _MOST_TICKS)), Flaw.SIZE_NEGATIVE, name, size)
        return np.where(self.flaws == 0, lots, 0.0).astype(np.int64)

    def code(self, kind: IntArray | int, sides: IntArray | int = 0, last: NDArray[np.bool_] | bool = True) -> None:
        """Pack the kind, the side, the end of a message and the symbol."""
        self.table[f.E_CODE] = kind | sides | np.where(last, f.LAST_BIT, 0) | (self.codes << f.SYMBOL_SHIFT)

    def finish(self, on_bad: OnBad) -> Stream:
        """Refuse or set apart what is wrong; sort by time."""
        bad = np.flatnonzero(self.flaws)
        quarantine = NO_QUARANTINE
        if bad.size:
            names = self.frame["symbol"].cast(pl.String).fill_null("no symbol")
            if on_bad == "error":
                row = int(bad[0])
                flaw = Flaw(int(self.flaws[row]))
                value = names[row] if flaw is Flaw.UNKNOWN_SYMBOL else self.values[row]
                raise refuse(flaw, row, names[row], int(self.time[row]), str(self.fields[row]), value)
            quarantine = pl.DataFrame(
                {
                    "row": bad,
                    "symbol": names.gather(bad.astype(np.uint32)),
                    "event_time": pl.Series(self.time[bad]).cast(pl.Datetime("ns", "UTC")),
                    "rule": [Flaw(int(x)).name.lower() for x in self.flaws[bad]],
                    "value": self.values[bad],
                }
            )
        keep = np.flatnonzero(self.flaws == 0)
        if keep.size == 0:
            raise EngineError(f"empty_session: all {bad.size} rows are bad ({quarantine['rule'][0]} first); mend them")
        return Stream(_in_order(self.table[:, keep]), self.instruments, quarantine)


def _in_order(table: IntArray) -> IntArray:
    """Sorted by the exchange's time, rows of one instant as they stood; what is seen arrives in order."""
    time = table[f.E_EXCHANGE_NS]
    if (np.diff(time) < 0).any():
        table = table[:, np.argsort(time, kind="stable")]
    table = np.ascontiguousarray(table)
    table[f.E_LOCAL_NS] = np.maximum.accumulate(table[f.E_LOCAL_NS])
    return table


def _nanoseconds(column: pl.Series) -> IntArray:
    if column.null_count():
        raise EngineError(f"{column.name} has {column.null_count()} nulls; every event needs its time")
    if column.dtype.is_integer():
        return column.cast(pl.Int64).to_numpy().copy()
    if not isinstance(column.dtype, pl.Datetime):
        raise EngineError(f"{column.name} is {column.dtype}; give a Datetime or integer nanoseconds UTC")
    return column.dt.cast_time_unit("ns").cast(pl.Int64).to_numpy().copy()


def quotes(
    frame: pl.DataFrame,
    instruments: Sequence[Instrument],
    on_bad: OnBad = "error",
    *,
    unsized_lots: int | None = None,
) -> Stream:
    """Best bids and asks: `bid`, `ask`, `bid_size`, `ask_size`.

    `unsized_lots`: the lots that a quote is declared to show where the frame has no sizes; without it that is an error.
    """
    draft = _Draft(frame, instruments, 8)
    bid, ask = draft.ticks("bid"), draft.ticks("ask")
    draft.mark(bid >= ask, Flaw.CROSSED_QUOTE, "bid - ask", draft.numbers("bid") - draft.numbers("ask"))
    if "bid_size" in frame.columns or unsized_lots is None:
        sizes = draft.lots("bid_size"), draft.lots("ask_size")
    else:
        sizes = np.full(frame.height, unsized_lots), np.full(frame.height, unsized_lots)
    draft.table[f.E_PRICE], draft.table[f.E_A] = bid, ask
    draft.table[f.E_LOTS], draft.table[f.E_B] = sizes
    draft.code(f.QUOTE)
    return draft.finish(on_bad)


def _sides(frame: pl.DataFrame, buy: str, sell: str) -> IntArray:
    if "side" not in frame.columns:
        return np.zeros(frame.height, dtype=np.int64)
    words = frame["side"].cast(pl.String).str.to_lowercase().fill_null("")
    strange = words.filter(~words.is_in([buy, sell, ""]))
    if strange.len():
        raise EngineError(f"side has {strange[0]!r}; give {buy!r}, {sell!r} or null")
    return np.where(words == buy, f.BUY_BIT, np.where(words == sell, f.SELL_BIT, 0)).astype(np.int64)


def trades(frame: pl.DataFrame, instruments: Sequence[Instrument], on_bad: OnBad = "error") -> Stream:
    """Trades of others: `price`, `size`, and `side` of the aggressor ("buy", "sell", null = not known)."""
    draft = _Draft(frame, instruments, f.NARROW)
    draft.table[f.E_PRICE] = draft.ticks("price")
    draft.table[f.E_LOTS] = draft.lots("size")
    draft.code(f.TRADE, _sides(frame, "buy", "sell"))
    return draft.finish(on_bad)


def depth(frame: pl.DataFrame, instruments: Sequence[Instrument], on_bad: OnBad = "error") -> Stream:
    """Level 2: `side` ("bid", "ask"), `price`, `size` shown there from now on (0 = the level is gone).

    Rows of one symbol and time are one message, unless a column `message` numbers them. A column `snapshot` (boolean)
    says that the message shows the whole book: what stood before it is gone.
    """
    whole = frame.get_column("snapshot", default=pl.repeat(False, frame.height, eager=True)).to_numpy()
    time, symbol = frame["time"], frame["symbol"]
    number = frame.get_column("message", default=time)
    new = (
        ((number != number.shift(1)) | (symbol != symbol.shift(1)) | (time != time.shift(1))).fill_null(True).to_numpy()
    )
    first = np.flatnonzero(new & whole)
    # a row that empties the book goes before each snapshot
    order = np.sort(np.concatenate([np.arange(frame.height) * 2 + 1, first * 2]))
    emptying = order % 2 == 0
    frame = frame[(order // 2).astype(np.uint32)]
    draft = _Draft(frame, instruments, f.NARROW)
    draft.table[f.E_PRICE], draft.table[f.E_LOTS] = draft.ticks("price"), draft.lots("size")
    sides = _sides(frame, "bid", "ask")
    if (sides == 0).any():
        raise EngineError(f"side of row {int(np.argmin(sides))} is null; a level stands on a side: 'bid' or 'ask'")
    begins = new[order // 2] & (emptying | ~np.concatenate([[False], emptying[:-1]]))
    draft.code(np.where(emptying, f.CLEAR, f.DEPTH), np.where(emptying, 0, sides), np.append(begins[1:], True))
    find_crossed_books(draft.table, draft.instruments, draft.flaws)
    crossed = draft.flaws == int(Flaw.CROSSED_BOOK)
    draft.fields[crossed] = "price"
    draft.values[crossed] = draft.numbers("price")[crossed]
    _end_messages(draft)
    return draft.finish(on_bad)


def _end_messages(draft: _Draft) -> None:
    """A message whose last row is refused ends with the last row that stays."""
    code = draft.table[f.E_CODE]
    for row in np.flatnonzero((draft.flaws != 0) & ((code & f.LAST_BIT) != 0)):
        k = int(row) - 1
        while k >= 0 and draft.flaws[k] != 0 and not code[k] & f.LAST_BIT:
            k -= 1
        if k >= 0 and draft.flaws[k] == 0 and not code[k] & f.LAST_BIT:
            code[k] |= f.LAST_BIT


def bars(frame: pl.DataFrame, instruments: Sequence[Instrument], on_bad: OnBad = "error") -> Stream:
    """Bars: `open`, `high`, `low`, `close`, `volume`; `time` is when the bar ends and can be known."""
    draft = _Draft(frame, instruments, 8)
    first, high, low, last = (draft.ticks(c) for c in ("open", "high", "low", "close"))
    inside = (low <= np.minimum(first, last)) & (high >= np.maximum(first, last))
    draft.mark(~inside, Flaw.BAR_INCONSISTENT, "high - low", draft.numbers("high") - draft.numbers("low"))
    draft.table[f.E_PRICE], draft.table[f.E_LOTS] = last, draft.lots("volume")
    draft.table[f.E_A], draft.table[f.E_B], draft.table[f.E_C] = first, high, low
    draft.code(f.BAR)
    return draft.finish(on_bad)


def bars_of(panel: Panel, instruments: Sequence[Instrument], on_bad: OnBad = "error") -> Stream:
    """The bars of a panel with open, high, low, close and volume; a cell without a close is no bar."""
    rows, columns = np.nonzero(~np.isnan(panel["close"]))
    return bars(
        pl.DataFrame(
            {"time": panel.ts[rows], "symbol": pl.Series(list(panel.symbols)).gather(columns.astype(np.uint32))}
            | {name: panel[name][rows, columns] for name in ("open", "high", "low", "close", "volume")}
        ),
        instruments,
        on_bad,
    )


def merge(*streams: Stream) -> Stream:
    """Several streams of the same instruments as one, by time; at one instant those named first come first."""
    if not streams:
        raise EngineError("no stream was given; give at least one")
    if any(s.instruments != streams[0].instruments for s in streams):
        raise EngineError("streams have different instruments; read all of them with the same list")
    rows = max(s.table.shape[0] for s in streams)
    wide = [np.vstack([s.table, np.zeros((rows - s.table.shape[0], s.size), dtype=np.int64)]) for s in streams]
    return Stream(
        _in_order(np.concatenate(wide, axis=1)),
        streams[0].instruments,
        pl.concat([s.quarantine for s in streams]),
    )
