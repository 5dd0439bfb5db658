"""A tape of market events read back and folded: events a second, and captured bytes an hour."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.common import RUNS, Row, median_seconds
from modules.live.runner.tape import TICK, TapeWriter
from modules.live.runner.taped import TicksSeen
from modules.live.runner.ticks import BLOCK, nothing_shown, replay_ticks, taken

EVENTS = 8_000_000
SYMBOLS = 500


def record(path: Path, events: int = EVENTS) -> None:
    """A tape of random quotes and trades in `SYMBOLS` instruments, with what they came to after every block."""
    rng = np.random.default_rng(1)
    shown = nothing_shown(SYMBOLS)
    with TapeWriter(path) as tape:
        for begin in range(0, events, BLOCK):
            block = np.zeros(min(BLOCK, events - begin), dtype=TICK)
            block["ts_ns"] = np.arange(begin, begin + block.size)
            block["symbol"] = rng.integers(0, SYMBOLS, block.size)
            block["kind"] = rng.integers(0, 3, block.size)
            block["price"] = rng.uniform(9.0, 11.0, block.size)
            block["size"] = rng.integers(1, 100, block.size)
            taken(block, shown)
            tape.ticks(block)
            tape.message(TicksSeen(int(shown.seen[0]), f"{int(shown.seen[1]):016x}"))


def rows() -> list[Row]:
    """Medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.tape"
        record(path)
        found = replay_ticks(path, SYMBOLS)
        assert found.difference is None and found.events == EVENTS
        seconds = median_seconds(lambda: replay_ticks(path, SYMBOLS), RUNS)
    return [
        Row(
            "tape replayed, every block's sum compared",
            EVENTS / seconds / 1e6,
            "M events/s",
            goal=5.0,
            sense="at_least",
        ),
        Row("tape replayed, captured bytes", found.bytes / seconds * 3_600 / 1e12, "TB/h", goal=1.0, sense="at_least"),
    ]
