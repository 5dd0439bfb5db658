"""Thirty days of recorded time in one process: nothing that is kept grows with the days."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml

from modules.live.messages import Ask, Marked, Stepped
from modules.live.units import DAY_NS
from tests.modules.live.riskd.child import RecordingVenue
from tests.modules.live.riskd.house import core, drain, folder

DAYS, WARM, ORDERS = 30, 8, 400


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.soak
def test_thirty_days() -> None:
    with folder() as place:
        account = yaml.safe_load((place / "riskd.yaml").read_text())
        (place / "riskd.yaml").write_text(yaml.safe_dump(account | {"clock": "venue"}))
        sizes, files, kept = [], [], []
        with core(place, RecordingVenue(place)) as (rulings, inbox):
            first = time.time_ns() // DAY_NS * DAY_NS + DAY_NS
            for day in range(DAYS):
                for number in range(ORDERS):
                    now = first + day * DAY_NS + number * 60_000_000_000
                    for symbol in ("AAA", "BBB"):
                        rulings.hear(Marked(symbol, 100.0, now))
                    lots = 10 if number % 2 else -10
                    ask = Ask(f"d{day}n{number}", "alpha", "AAA", lots, "sim", "paper", "b1", time.time_ns())
                    assert rulings.ask(ask).allowed == lots
                    drain(rulings, inbox)
                    rulings.hear(Stepped("sim", now))
                rulings.tick()
                rulings.account.remarks.clear()
                sizes.append(resident_bytes())
                files.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))
                kept.append(len(rulings.account.orders))
        assert sizes[-1] < 1.01 * sizes[WARM], sizes
        assert min(files[-10:]) == min(files[:10]), files  # the journal signs now and then: one more for a moment
        assert max(kept[WARM:]) <= 5 * ORDERS, kept
