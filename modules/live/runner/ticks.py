"""Market events at full rate: 32 bytes each on the tape, folded into what is shown, the same live and in a replay.

Whoever records folds as it writes, and puts what the fold has come to on the tape now and then (`TicksSeen`); a replay
folds again and must come to the same, bit for bit, or names the place. A quote is two events, a trade is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from modules.jit import uncounted
from modules.live.feeds.news import Quote, Trade
from modules.live.runner.tape import TICK, Kind, TapeWriter, payloads
from modules.live.runner.taped import Taped, TicksSeen
from modules.panel import FloatArray, IntArray

BID: Final = 0
ASK: Final = 1
TRADE: Final = 2
BLOCK: Final = 4_096
"""Events in a frame."""

_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(29)
_KINDS: Final = 3


class Shown(NamedTuple):
    """What is shown of each instrument, and the count and sum of everything that was folded."""

    price: FloatArray  # [N, 3] bid, ask, last trade
    size: FloatArray  # [N, 3]
    ts_ns: IntArray  # [N] of the last event
    volume: FloatArray  # [N] traded so far
    value: FloatArray  # [N] price times size, traded so far
    seen: NDArray[np.uint64]  # [2] events, sum


def nothing_shown(symbols: int) -> Shown:
    """Before the first event."""
    return Shown(
        np.full((symbols, _KINDS), np.nan),
        np.zeros((symbols, _KINDS)),
        np.zeros(symbols, dtype=np.int64),
        np.zeros(symbols),
        np.zeros(symbols),
        np.zeros(2, dtype=np.uint64),
    )


@uncounted
def fold(ints: IntArray, floats: FloatArray, words: NDArray[np.uint64], shown: Shown) -> int:
    """Fold events, rows of `TICK` seen as integers, floats and words, `[n, 4]` each; returns how many were taken.

    Stops before an event whose symbol or kind is not known. The sum is over every bit of every event and of the mid
    price after it (multiply and shift, D. Knuth's and Stafford's constants).
    """
    price, size = shown.price, shown.size
    count, total = shown.seen[0], shown.seen[1]
    for k in range(ints.shape[0]):
        which = ints[k, 1]
        symbol, kind = which & 0xFFFFFFFF, which >> 32
        if symbol >= price.shape[0] or kind < 0 or kind >= _KINDS:
            break
        at = floats[k, 2]
        amount = floats[k, 3]
        price[symbol, kind], size[symbol, kind] = at, amount
        shown.ts_ns[symbol] = ints[k, 0]
        if kind == TRADE:
            shown.volume[symbol] += amount
            shown.value[symbol] += at * amount
        for word in range(4):
            total = (total ^ words[k, word]) * _PRIME
            total ^= total >> _SHIFT
        count += np.uint64(1)
    taken = int(count - shown.seen[0])
    shown.seen[0], shown.seen[1] = count, total
    return taken


def taken(ticks: NDArray[np.void], shown: Shown) -> int:
    """Fold a block; returns how many events were taken."""
    rows = ticks.view(np.int64).reshape(-1, 4)
    return fold(rows, rows.view(np.float64), rows.view(np.uint64), shown)


class TickRecorder:
    """Records quotes and trades of known symbols as ticks, a block at a time; `flush` writes what there is."""

    def __init__(self, tape: TapeWriter, symbols: tuple[str, ...]) -> None:
        self.shown = nothing_shown(len(symbols))
        self._tape = tape
        self._number = {s: i for i, s in enumerate(symbols)}
        self._block = np.zeros(BLOCK, dtype=TICK)
        self._filled = 0

    def take(self, news: Quote | Trade) -> bool:
        """Record one; whether its symbol is known here."""
        number = self._number.get(news.symbol)
        if number is None:
            return False
        if isinstance(news, Trade):
            self._add(news.venue_ns, number, TRADE, news.price, news.size)
            return True
        for kind, price, size in ((BID, news.bid, news.bid_size), (ASK, news.ask, news.ask_size)):
            self._add(news.venue_ns, number, kind, np.nan if price is None else price, size)
        return True

    def flush(self) -> None:
        """Write the events that wait, and what everything has come to."""
        if self._filled:
            block = self._block[: self._filled]
            taken(block, self.shown)
            self._tape.ticks(block)
            self._filled = 0
        count, total = self.shown.seen.tolist()
        self._tape.message(TicksSeen(count, f"{total:016x}"))

    def _add(self, ts_ns: int, number: int, kind: int, price: float, size: float) -> None:
        self._block[self._filled] = (ts_ns, number, kind, price, size)
        self._filled += 1
        if self._filled == BLOCK:
            self.flush()


@dataclass(frozen=True)
class TicksReplayed:
    """A tape's events folded again. `difference`: where the fold came to something else, None = nowhere."""

    shown: Shown
    events: int
    bytes: int
    checked: int
    difference: str | None


def replay_ticks(path: Path, symbols: int) -> TicksReplayed:
    """Fold the events of a tape, and compare wherever it says what they came to. Raises TapeError."""
    decode = msgspec.msgpack.Decoder(Taped).decode
    shown, size, checked = nothing_shown(symbols), 0, 0
    for _, kind, payload in payloads(path, {Kind.TICKS, Kind.MESSAGE}):
        if kind is Kind.TICKS:
            size += len(payload)
            block = np.frombuffer(payload, dtype=TICK)
            if taken(block, shown) != block.size:
                where = f"event {int(shown.seen[0])} is of no symbol or kind that is known"
                return TicksReplayed(shown, int(shown.seen[0]), size, checked, where)
            continue
        message = decode(payload)
        if isinstance(message, TicksSeen):
            count, total = shown.seen.tolist()
            checked += 1
            if (message.events, message.total) != (count, f"{total:016x}"):
                where = f"after {message.events} events {message.total} was recorded, here it is {count}, {total:016x}"
                return TicksReplayed(shown, count, size, checked, where)
    return TicksReplayed(shown, int(shown.seen[0]), size, checked, None)
