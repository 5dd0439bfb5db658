"""Market data: a message of a venue to a reference price, and level-2 changes into a book."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time

import numpy as np

from benchmarks.common import RUNS, Row, median_seconds, report
from modules.engine.exchange.events import Instrument
from modules.live.feeds.book import DepthBook
from modules.live.feeds.bookkernel import read_levels, write_levels
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.market import Market
from modules.live.feeds.news import Depth
from modules.live.feeds.symbols import symbol_map

MESSAGES = 5_000
LEVELS = 20
XRP = Instrument("XRP-USDT.BYBIT", 0.0001, 1.0)
START_MS = 1_733_011_200_000


def recording(messages: int, levels: int) -> list[bytes]:
    """A snapshot of 500 levels a side and changes near the market, as Bybit writes them."""
    rng = random.Random(1)
    middle = 19_500
    found = []
    for k in range(messages):
        whole = k == 0
        count = 500 if whole else max(1, levels // 2)
        rows = []
        for sign in (-1, 1):
            ticks = range(1, 501) if whole else sorted(rng.sample(range(1, 200), count))
            sizes = [rng.randrange(1, 900) if whole or t == 1 else rng.choice((0, 3, 500)) for t in ticks]
            rows.append([[f"{(middle + sign * t) / 1e4:.4f}", str(s)] for t, s in zip(ticks, sizes, strict=True)])
        data = {"s": "XRPUSDT", "b": rows[0], "a": rows[1], "u": k + 1, "seq": k + 1}
        kind = "snapshot" if whole else "delta"
        ms = START_MS + 20 * k
        frame = {"topic": "orderbook.500.XRPUSDT", "type": kind, "ts": ms, "data": data, "cts": ms}
        found.append(json.dumps(frame, separators=(",", ":")).encode())
    return found


def compiled(changes: list[Depth]) -> float:
    """Levels a second, read and written by the kernels alone."""
    book = DepthBook(XRP)
    book.replace(changes[0].bids, changes[0].asks, 0)
    flat = [np.array(c.bids + c.asks) for c in changes[1:1_001]]
    sides = [(f[:, 0].copy(), f[:, 1].copy(), len(c.bids)) for f, c in zip(flat, changes[1:1_001], strict=True)]

    def run() -> None:
        for prices, sizes, bids in sides:
            read_levels(prices, sizes, book._scale, book._rows, book._span)
            write_levels(book._a, book._rows, prices.size, bids)

    return sum(f.shape[0] for f in flat) / median_seconds(run, RUNS)


def latencies(raw: list[bytes]) -> list[float]:
    """Seconds from the bytes of each message to its reference price, gates and health included."""
    dialect, market = Bybit(symbol_map("bybit", [XRP.symbol]), depth=500), Market([XRP])
    taken = []
    for k, message in enumerate(raw):
        seen_ns = (START_MS + 20 * k) * 1_000_000
        began = time.perf_counter()
        market.take("f", dialect.decode(message, seen_ns))
        taken.append(time.perf_counter() - began)
    assert market.marks[XRP.symbol].ts_ns >= (START_MS + 20 * len(raw) - 100) * 1_000_000, "most must be believed"
    return sorted(taken[len(taken) // 5 :])


def measure() -> list[Row]:
    """Medians and a tail."""
    raw, small = recording(MESSAGES, LEVELS), recording(MESSAGES, 2)
    dialect = Bybit(symbol_map("bybit", [XRP.symbol]), depth=500)
    changes = [c for m in raw for c in dialect.decode(m, 0) if isinstance(c, Depth)]
    book = DepthBook(XRP)

    def from_python() -> None:
        for c in changes:
            (book.replace if c.is_snapshot else book.change)(c.bids, c.asks, 0)

    seconds = median_seconds(from_python, RUNS)
    decoding = median_seconds(lambda: [dialect.decode(m, 0) for m in raw], RUNS)
    wide, narrow = latencies(raw), latencies(small)
    return [
        Row("levels into a book, compiled, called a message", compiled(changes), "levels/s"),
        Row(f"messages of {LEVELS} levels into a book", len(changes) / seconds, "messages/s"),
        Row(f"messages of {LEVELS} levels decoded", len(raw) / decoding, "messages/s"),
        Row(f"bytes to reference price, {LEVELS} levels, p50", statistics.median(wide) * 1e6, "us"),
        Row("bytes to reference price, 2 levels, p50", statistics.median(narrow) * 1e6, "us"),
        Row("bytes to reference price, 2 levels, p99", narrow[int(0.99 * len(narrow))] * 1e6, "us"),
    ]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
