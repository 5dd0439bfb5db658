"""Market events on the tape: folded again to the same bits, whatever block they stand in; a changed bit is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modules.live.feeds.news import Quote, Trade
from modules.live.runner.tape import TICK, Kind, TapeWriter, read_tape
from modules.live.runner.ticks import TickRecorder, nothing_shown, replay_ticks, taken

SYMBOLS = ("AAA", "BBB")


def news(count: int, seed: int = 5) -> list[Quote | Trade]:
    rng = np.random.default_rng(seed)
    made: list[Quote | Trade] = []
    for ts_ns in range(1, count + 1):
        symbol, price = SYMBOLS[int(rng.integers(2))], float(np.round(rng.uniform(9.0, 11.0), 2))
        if rng.random() < 0.3:
            made.append(Trade(symbol, "v", price, float(rng.integers(1, 9)), None, str(ts_ns), ts_ns, ts_ns))
        else:
            ask = None if rng.random() < 0.05 else price + 0.01
            made.append(Quote(symbol, "v", price, ask, 3.0, 0.0 if ask is None else 4.0, ts_ns, ts_ns))
    return made


def test_recorded_and_replayed_come_to_the_same(tmp_path: Path) -> None:
    path, said = tmp_path / "a.tape", news(9_000)
    with TapeWriter(path) as tape:
        recorder = TickRecorder(tape, SYMBOLS)
        for number, one in enumerate(said):
            assert recorder.take(one)
            if number in (0, 17, 5_000):
                recorder.flush()
        assert not recorder.take(Trade("CCC", "v", 1.0, 1.0, None, "x", 1, 1))
        recorder.flush()
    found = replay_ticks(path, len(SYMBOLS))
    events = sum(1 if isinstance(one, Trade) else 2 for one in said)
    assert (found.difference, found.events, found.bytes) == (None, events, 32 * events)
    assert found.checked > 6
    trades = [one for one in said if isinstance(one, Trade) and one.symbol == "AAA"]
    assert found.shown.volume[0] == sum(t.size for t in trades)
    last = [one for one in said if isinstance(one, Quote) and one.symbol == "BBB"][-1]
    assert found.shown.price[1, 0] == last.bid
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(found.shown, recorder.shown, strict=True))


def test_blocks_change_nothing_and_every_bit_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    with TapeWriter(path) as tape:
        recorder = TickRecorder(tape, SYMBOLS)
        for one in news(50):
            recorder.take(one)
        recorder.flush()
    ticks = next(f.ticks for f in read_tape(path) if f.kind is Kind.TICKS)
    assert ticks is not None
    whole, parts = nothing_shown(2), nothing_shown(2)
    taken(ticks, whole)
    for at in range(0, ticks.size, 7):
        taken(ticks[at : at + 7], parts)
    assert whole.seen.tolist() == parts.seen.tolist()
    raw = ticks.tobytes()
    for bit in range(0, 32 * 8 * 3):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << (bit % 8)
        other = nothing_shown(2)
        taken(np.frombuffer(bytes(changed), dtype=TICK), other)
        assert other.seen.tolist() != whole.seen.tolist(), bit


def test_a_tape_with_other_events_than_were_seen_is_named(tmp_path: Path) -> None:
    one, two = tmp_path / "a.tape", tmp_path / "b.tape"
    for path, seed in ((one, 5), (two, 6)):
        with TapeWriter(path) as tape:
            recorder = TickRecorder(tape, SYMBOLS)
            for said in news(40, seed):
                recorder.take(said)
            recorder.flush()
    frames, other = list(read_tape(one)), list(read_tape(two))
    mixed = tmp_path / "c.tape"
    with TapeWriter(mixed) as tape:
        assert frames[0].ticks is not None and other[1].message is not None
        tape.ticks(frames[0].ticks)
        tape.message(other[1].message)
    assert "was recorded, here it is" in (replay_ticks(mixed, 2).difference or "")
    assert "no symbol" in (replay_ticks(one, 1).difference or "")
