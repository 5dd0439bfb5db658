"""`cws work` killed (-9) at random moments and started again with the same words, the desk beside it too.

1. One parent from the first word to the last; no child reaches the venue twice.
2. Never more at the venue than the order, nor than its share of the market's volume.
3. The end is that of an order that nobody disturbed: all of it, exit 0, and the same words are a new order then.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import yaml

from modules.live.feeds.opening import CONFIG
from tests.cli.workplace import Place, a_place, desk_process, work_process

POV = ("buy", "AAA", "400", "--by", "pov", "--rate", "0.5", "--minutes", "30", "--slice", "0.2")


def lots(place: Place) -> int:
    """At the venue, all filled at once."""
    return sum(int(o["lots"]) for o in place.orders)  # type: ignore[call-overload]


def run(home: Path, place: Place, kills: int, seed: int) -> None:
    luck, log, units = random.Random(seed), home / "log", 0.0
    feeds = {"feeds": {"bybit": {"venue": "bybit", "url": "ws://localhost:1", "symbols": ["AAA"]}}}
    (place.folder / CONFIG).write_text(yaml.safe_dump(feeds))
    place.trade(units)
    place.start(with_desk=False)
    desk, worker = desk_process(place), work_process(home, log, *POV)
    try:
        for _ in range(kills):
            time.sleep(luck.uniform(0.0, 1.0))
            before, units = units, units + luck.randint(0, 380 // kills)  # it does not end yet
            assert lots(place) <= before  # 2: as much as others traded
            place.trade(units)
            time.sleep(luck.uniform(0.0, 1.5))
            if luck.random() < 0.3:
                desk.kill()
                desk.join()
                desk = desk_process(place)
            if luck.random() < 0.8:
                worker.kill()
                worker.join()
                worker = work_process(home, log, *POV)
        until = time.monotonic() + 240.0
        while worker.is_alive() and time.monotonic() < until:
            assert lots(place) <= min(units, 400)
            units += 100.0
            place.trade(units)
            worker.join(1.0)
    finally:
        for process in (worker, desk):
            process.kill()
            process.join()
    said = log.read_text()
    assert worker.exitcode == 0, said  # 3
    assert lots(place) == 400, said
    assert not list((place.folder / "working").glob("*.json"))
    place.end()
    ids = [o["id"] for o in place.orders]
    assert len(set(ids)) == len(ids)  # 1
    assert len({a.parent for a in place.asks()}) == 1
    assert "goes on" in said and "400 of 400 lots bought" in said


@pytest.mark.slow
def test_killed_at_random_moments() -> None:
    with a_place() as (home, place):
        run(home, place, kills=10, seed=7)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_random_moments_at_length(seed: int) -> None:
    with a_place() as (home, place):
        run(home, place, kills=40, seed=seed)
