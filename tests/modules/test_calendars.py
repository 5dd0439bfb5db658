"""Sessions come from exchange-calendars and are cached without changing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modules import calendars
from modules.panel import ns


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CWS_HOME", str(tmp_path))
    monkeypatch.delenv("CWS_CALENDARS", raising=False)
    calendars._load.cache_clear()
    yield tmp_path
    calendars._load.cache_clear()


def test_new_york_sessions_and_closes(home: Path) -> None:
    dates = np.array([ns(d) for d in ("2020-07-02", "2020-07-03", "2020-11-27", "2020-12-24", "2040-01-03")])
    closes = [ns(t) for t in ("2020-07-02T20:00", "2020-07-04", "2020-11-27T18:00", "2020-12-24T18:00", "2040-01-04")]
    assert calendars.close_of("XNYS", dates).tolist() == closes
    built = calendars.sessions("XNYS")
    assert built is not None
    (file,) = (home / "calendars").iterdir()
    for damage in (b"", file.read_bytes()[:-8], b"\x93NUMPY junk"):
        calendars._load.cache_clear()
        file.write_bytes(damage)
        again = calendars.sessions("XNYS")
        assert again is not None
        assert np.array_equal(again.date_ns, built.date_ns) and np.array_equal(again.close_ns, built.close_ns)
    calendars._load.cache_clear()
    cached = calendars.sessions("XNYS")
    assert cached is not None and np.array_equal(cached.open_ns, built.open_ns)


def test_around_the_clock_and_unknown_need_no_library() -> None:
    always = calendars.sessions("24/7")
    assert always is not None and bool((np.diff(always.date_ns) == calendars.DAY_NS).all())
    assert calendars.sessions("UNKNOWN") is None
    day = np.array([ns("2020-01-04")])
    assert calendars.close_of("UNKNOWN", day).tolist() == [ns("2020-01-05")]


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(ValueError, match="calendar 'MARS' is not known"):
        calendars.sessions("MARS")
