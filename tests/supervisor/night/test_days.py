"""A night makes the last day of each live account again, and says what differs or drifts."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from modules.live.runner.resume import tapes
from modules.live.runner.tape import TapeWriter, read_tape
from modules.live.runner.taped import Decided
from modules.workspace import Workspace
from supervisor.night.duties import replay_days
from supervisor.workshop import Workshop
from tests.modules.live.runner.market import market
from tests.modules.live.runner.test_tape import played


@pytest.mark.slow
def test_the_last_day_again(tmp_path: Path) -> None:
    found = market(days=1, minutes=10)
    folder = tmp_path / "live" / "t1" / "tape"
    played(folder, found)
    (tmp_path / "live" / "new" / "tape").mkdir(parents=True)
    space = Workspace(root=tmp_path, home=tmp_path)
    shop = cast("Workshop", SimpleNamespace(workspace=space, progress=lambda _: None))
    [said] = replay_days(shop, time.monotonic() + 60.0)
    assert said.startswith("PAPER t1 2024-03-04: 4 bars") and said.endswith("equal to the last bit")
    assert replay_days(shop, 0.0) == ["t1 2024-03-04 was not replayed: the time was spent"]

    [path] = tapes(folder)
    frames = list(read_tape(path))
    path.unlink()
    with TapeWriter(path) as tape:
        for frame in frames:
            message = frame.message
            if isinstance(message, Decided):
                message = msgspec.structs.replace(message, nav_micros=message.nav_micros + 5 * 10**9)
            if message is not None:
                tape.message(message)
            elif frame.rows is not None:
                tape.rows(frame.kind, frame.rows)
    differs, drifts = replay_days(shop, time.monotonic() + 60.0)
    assert "4 decisions differ" in differs and "nav_micros" in differs
    assert "demotion of reversal is proposed: daily P&L" in drifts
    assert (tmp_path / "live" / "t1" / "demotion.json").exists()

    path.write_bytes(path.read_bytes()[:60] + b"zzzz" + path.read_bytes()[64:])
    [broken] = replay_days(shop, time.monotonic() + 60.0)
    assert "cannot be replayed" in broken and "was changed" in broken
