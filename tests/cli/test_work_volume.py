"""`cws work` by the market's volume: a curve of the account's own tapes, and what trades while it works.

1. VWAP sends what the curve of the days before has for a slice.
2. POV sends its share of what trades and no more; the same words meanwhile are refused by name.
3. Where the data are not there it is refused by name, with what to do; nothing was sent.
4. Each algorithm's options: a bad one is named with its value and rule.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from modules.contract import TIME
from modules.live.feeds.opening import CONFIG
from modules.live.runner.account import AccountState
from modules.live.runner.tables import _keep as kept
from modules.live.runner.tape import Kind, TapeWriter
from modules.live.runner.taped import Began
from tests.cli.conftest import Cws
from tests.cli.workplace import Place, a_place, work_process

pytestmark = pytest.mark.slow
BUCKET_S, DAY_S, SECOND = 300, 86_400, 10**9
VOLUMES = np.where(np.arange(DAY_S // BUCKET_S) % 2 == 0, 1.0, 9.0)


@pytest.fixture
def home_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Place]]:
    with a_place() as (home, made):
        monkeypatch.setenv("CWS_HOME", str(home))
        yield home, made


def feeds(place: Place, interval_s: int = BUCKET_S, **feed: object) -> None:
    """The account's feeds."""
    one = {"venue": "bybit", "url": "ws://localhost:1", **feed}
    bars = {"interval_s": interval_s, "bar_stamp": "open", "calendar": "24/7"}
    (place.folder / CONFIG).write_text(yaml.safe_dump({"feeds": {"bybit": one}, "bars": bars}))


def tape(place: Place, symbol: str) -> None:
    """Yesterday's bars of five minutes, and today's so far, of which a curve is not made."""
    day = int(time.time()) // DAY_S * DAY_S
    at = np.concatenate([np.arange(day - DAY_S, day, BUCKET_S), [day]]) * SECOND
    rows = pl.DataFrame(
        {
            "symbol": [symbol] * len(at),
            "event_time": pl.Series(at).cast(TIME),
            "available_at": pl.Series(at + BUCKET_S * SECOND).cast(TIME),
            "volume": [*VOLUMES.tolist(), 1e9],
        }
    )
    folder = place.folder / "tape"
    state = AccountState(0, 0, 0, 0.0, {}, {}, {}, None)
    folder.mkdir()
    began = Began("t1", "paper", "sim", "s", "b", (symbol,), None, 0, 0, {}, state, records=kept(folder, rows))
    with TapeWriter(folder / "2024-01-01.tape") as made:
        made.message(began)
        made.rows(Kind.RECORDS, rows.head(0))


def not_at_midnight() -> None:
    """A window is of one session, which here is a day of UTC."""
    if time.time() % DAY_S > DAY_S - 600.0:
        pytest.skip("the ten minutes before midnight are no window of eight")


def traded(since_s: float) -> float:
    """Of yesterday's volume, by a time of day."""
    whole = int(since_s // BUCKET_S)
    return float(VOLUMES[:whole].sum() + VOLUMES[whole] * (since_s % BUCKET_S) / BUCKET_S)


def test_vwap(cws: Cws, home_place: tuple[Path, Place]) -> None:
    """1."""
    place, found = home_place[1], list[dict[str, object]]()
    not_at_midnight()
    feeds(place)
    tape(place, "AAA")
    place.start()

    def end() -> None:
        (path,) = (place.folder / "working").glob("*.json")
        found.append(json.loads(path.read_text())["parent"])
        os.kill(os.getpid(), signal.SIGINT)

    timer = place.after_the_first(end)
    done = cws("work", "buy", "AAA", "300", "--by", "vwap", "--minutes", "8", "--slice", "120", "--json")
    timer.join()
    assert done.code == 1 and done.json["stopped"] == "ended by its operator", done.out
    begin = int(str(found[0]["begin_ns"])) / SECOND % DAY_S
    first, half, last = (traded(begin + s) for s in (0.0, 120.0, 480.0))
    assert place.orders[0]["lots"] == int(300 * (half - first) / (last - first) + 0.5) != 75


def test_pov(cws: Cws, home_place: tuple[Path, Place]) -> None:
    """2."""
    home, place = home_place
    feeds(place)
    place.trade(1_000.0)  # before its begin
    place.start()
    words = ("buy", "AAA", "200", "--by", "pov", "--rate", "0.25", "--minutes", "30", "--slice", "1")
    worker = work_process(home, home / "log", *words)
    try:
        until, units = time.monotonic() + 120.0, 1_000.0
        while not list((place.folder / "working").glob("*.json")) and time.monotonic() < until:
            time.sleep(0.05)
        for more, share in ((100.0, 33), (50.0, 50)):
            units += more
            place.trade(units)
            while sum(int(o["lots"]) for o in place.orders) < share and time.monotonic() < until:  # type: ignore[call-overload]
                time.sleep(0.05)
        again = cws("work", *words, "--json")
        assert again.code == 3 and "KEPT: the same order is being worked" in again.json["error"]["message"]
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGINT)
        worker.join(120.0)
    finally:
        worker.kill()
        worker.join()
    assert worker.exitcode == 1 and "50 of 200 lots bought; stopped: ended" in (home / "log").read_text()
    assert sum(int(o["lots"]) for o in place.orders) == 50  # type: ignore[call-overload]


VWAP, POV = ("--by", "vwap", "--minutes", "2"), ("--by", "pov")


def test_what_is_not_there(cws: Cws, home_place: tuple[Path, Place]) -> None:
    """3."""
    place = home_place[1]
    not_at_midnight()
    place.start()

    def refused(argv: tuple[str, ...], says: str) -> None:
        done = cws("work", "buy", "AAA", "5", *argv, "--json")
        told = done.json["error"]
        assert done.code == 3 and told["message"].startswith("NO_VOLUME") and says in told["message"], done.out
        assert told["remedy"]

    for argv in (VWAP, POV):
        refused(argv, "feeds.yaml cannot be read")
    feeds(place, trades=False)
    refused(POV, "no feed of account t1 tells trades of AAA")
    feeds(place, symbols=["BBB"])
    refused(POV, "no feed of account t1 tells trades of AAA")
    refused(VWAP, "no bar of AAA is on the account's tapes; run the account on minute bars")
    feeds(place, interval_s=DAY_S)
    refused(VWAP, "do not say when in the day volume trades")
    feeds(place)
    tape(place, "BBB")
    refused(VWAP, "no bar of AAA is on the account's tapes")
    refused((*VWAP[:3], "1440"), "the market closes")
    assert place.orders == [] and not list((place.folder / "working").glob("*.json"))


AT_LEAST, AT_MOST = "Input should be greater than or equal to", "Input should be less than or equal to"


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("pov --rate", "0", f"{AT_LEAST} 0.0001"),
        ("pov --rate", "0.6", f"{AT_MOST} 0.5"),
        ("pov --rate", "nan", f"{AT_MOST} 0.5"),
        ("iceberg --display", "0", f"{AT_LEAST} 1"),
        ("shortfall --risk-aversion", "2", f"{AT_MOST} 1"),
        ("shortfall --risk-aversion", "nan", f"{AT_MOST} 1"),
        ("shortfall --spread-bps", "0", f"{AT_LEAST} 0.01"),
        ("twap --slice", "0.01", f"{AT_LEAST} 0.1"),
        ("twap --slice", "1e9", f"{AT_MOST} 86400"),
        ("vwap --slice", "nan", f"{AT_MOST} 86400"),
        ("twap --minutes", "0", f"{AT_LEAST} 0.01"),
        ("vwap --minutes", "nan", f"{AT_MOST} 1440"),
        ("twap --limit", "nan", f"{AT_MOST} 1000000000"),
        ("twap --limit", "1e300", f"{AT_MOST} 1000000000"),
        ("twap --limit", "-1", f"{AT_LEAST} 0.000001"),
    ],
)
def test_bad_options(cws: Cws, option: str, value: str, says: str) -> None:
    """4."""
    algorithm, name = option.split()
    done = cws("work", "buy", "AAA", "5", "--by", algorithm, name, value, "--json")
    assert done.code == 2 and done.json["error"]["message"] == f"Invalid value for '{name}': {says}", done.out


def test_options_that_do_not_fit(cws: Cws, home_place: tuple[Path, Place]) -> None:
    """4."""
    place = home_place[1]
    place.start()
    for argv, says in (
        (("--minutes", "1440", "--slice", "0.1"), "864000 slices of a window"),
        (("--by", "iceberg"), "has no limit_micros"),
        (("--by", "best"), "best"),
    ):
        done = cws("work", "buy", "AAA", "5", *argv, "--json")
        assert done.code == 2 and says in done.json["error"]["message"] and done.json["error"]["remedy"], done.out
    assert place.orders == [] and not list((place.folder / "working").glob("*.json"))
