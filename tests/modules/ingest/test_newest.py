"""The bars up to now for a live market: those after the run's last one that are known, in its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.contract import Context
from modules.datastore import DataError
from modules.ingest.adding import read_all
from modules.ingest.guessing import AddOptions
from modules.ingest.newest import newest_records
from modules.panel import ns
from modules.registry import load_module

RUN = "date,A,B\n2024-01-02,1.5,2.5\n2024-01-03,1.6,2.6\n"
NOW = ns("2024-01-06T12:00:00")


def write(folder: Path, name: str, text: str) -> list[Path]:
    (folder / name).write_text(text)
    return [folder / name]


@pytest.mark.parametrize(
    ("newest", "said"),
    [
        ("date,A,B\n2024-01-03,9.0,9.0\n2024-01-04,1.7,2.7\n2024-01-05,1.8,2.8\n2024-01-06,1.9,2.9\n", None),
        ("date,A,B\n2024-01-02,1.5,2.5\n", "no bar after 2024-01-03"),
        ("date,A,C\n2024-01-04,1.7,2.7\n", "holds C, which the run does not"),
        ("when,A,B\n2024-01-04,1.7,2.7\n", "date"),
    ],
)
def test_what_came_after_the_run(tmp_path: Path, newest: str, said: str | None) -> None:
    ingest = load_module("ingest", "files").with_settings({"layout": "wide", "time_column": "date"})
    raw = read_all(write(tmp_path, "run.csv", RUN), AddOptions())
    records = ingest.run(ingest.inputs(raw=raw), ingest.settings, Context(0, 0)).records  # type: ignore[attr-defined]
    paths = write(tmp_path, "new.csv", newest)
    if said is not None:
        with pytest.raises(DataError, match=said):
            newest_records(ingest, paths, records, NOW)
        return
    found = newest_records(ingest, paths, records, NOW)
    assert found.schema == records.schema
    # the bar of the 6th is not complete at noon
    assert sorted(found.select("symbol", "close").rows()) == [("A", 1.7), ("A", 1.8), ("B", 2.7), ("B", 2.8)]
