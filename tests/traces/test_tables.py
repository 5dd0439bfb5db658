"""Typed tables of a ledger.

Invariants:
1. A table holds what the view of the same kind holds, however the log was read: at once or as it grew.
2. Of runs with other purposes nothing is kept; what belongs to no run is always kept.
3. A broken chain is refused as the reader refuses it; the remains of a crash are not read; a log that was replaced is
   read from its beginning, and nothing of the earlier one stays.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.traces.samples import ONE_OF_EACH
from traces.events import Event, ResearchStarted, RunFailed, RunStarted
from traces.ledger import Ledger
from traces.log import LOG_NAME, LedgerError
from traces.query import QueryError, sql
from traces.tables import Tables
from traces.views import VIEWS


def append(folder: Path, *events: Event) -> Path:
    """The ledger in `folder`, with these events at its end."""
    with Ledger(folder / "ledger", folder / "checkpoints") as ledger:
        ledger.append(*events)
    return folder / "ledger"


def said(n: int) -> ResearchStarted:
    return ResearchStarted(research_id=f"r{n}", text="höher\n", drafter="offline", seed=n)


def run(run_id: str, purpose: str) -> RunStarted:
    return RunStarted.model_validate(
        {
            "run_id": run_id, "task_digest": "t", "data": "us20", "data_digest": "d", "signal": None,
            "start": "1990-01-02", "end": "2002-11-09", "seed": 0, "modules": {}, "purpose": purpose,
        }
    )  # fmt: skip


def test_a_table_holds_what_the_view_holds(tmp_path: Path) -> None:
    at_once = append(tmp_path / "a", *ONE_OF_EACH)
    tables, growing = Tables(at_once), Tables(tmp_path / "b" / "ledger")
    tables.renew()
    half = len(ONE_OF_EACH) // 2
    for part in (ONE_OF_EACH[:half], ONE_OF_EACH[half:]):
        append(tmp_path / "b", *part)
        assert growing.renew() == dict(Counter(event.kind for event in part))
    assert growing.renew() == {} and growing.counts == tables.counts
    for view in VIEWS.keys() - {"events"}:
        query = f"SELECT * EXCLUDE (seq, ts) FROM {view}"
        assert tables.rows(query).to_dicts() == growing.rows(query).to_dicts() != [], view
    for view in ("run_started", "stage_finished", "features_compared", "exchange_recorded", "ablation_started"):
        query = f"SELECT * EXCLUDE (seq, ts) FROM {view}"
        assert tables.rows(query).to_dicts() == sql(at_once, query).to_dicts(), view
    assert tables.rows("SELECT ts FROM run_started").equals(sql(at_once, "SELECT ts FROM run_started"))


def test_only_runs_of_the_purposes_are_kept(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "ledger", ["run"])
    append(tmp_path, run("mine", "run"), run("other", "ablation"), said(1))
    assert tables.renew() == {"run.started": 1, "research.started": 1}
    failed = [RunFailed(run_id=r, stage=None, error="E", message="m") for r in ("mine", "other", "of nobody")]
    append(tmp_path, *failed)
    assert tables.renew() == {"run.failed": 1}
    assert tables.rows("SELECT run_id FROM run_failed").rows() == [("mine",)]


def test_an_altered_record_is_refused_at_the_start_and_later(tmp_path: Path) -> None:
    log = append(tmp_path, said(1), said(2), said(3)) / LOG_NAME
    tables = Tables(log.parent)
    tables.renew()
    append(tmp_path, said(4), said(5))
    log.write_bytes(log.read_bytes().replace(b'"seed":4', b'"seed":7'))
    for reader in (tables, Tables(log.parent)):
        with pytest.raises(LedgerError, match="record 4 does not continue the chain"):
            reader.renew()


def test_what_a_crash_left_is_not_read(tmp_path: Path) -> None:
    log = append(tmp_path, said(1)) / LOG_NAME
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"event":{"kind":"research.st')
    tables = Tables(log.parent)
    assert tables.renew() == {"research.started": 1}
    log.write_bytes(whole)
    append(tmp_path, said(2))
    assert tables.renew() == {"research.started": 1}
    assert tables.rows("SELECT seed FROM research_started ORDER BY seq").rows() == [(1,), (2,)]


@pytest.mark.parametrize("events", [1, 2, 5], ids=["shorter", "as long", "longer"])
def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path, events: int) -> None:
    tables = Tables(append(tmp_path, said(1), said(2)))
    tables.renew()
    shutil.rmtree(tmp_path / "ledger")
    shutil.rmtree(tmp_path / "checkpoints")
    append(tmp_path, *(said(10 + n) for n in range(events)))
    assert tables.renew() == {"research.started": events} == dict(tables.counts)
    assert tables.rows("SELECT min(seed), count(*) FROM research_started").rows() == [(10, events)]


def test_a_record_that_is_no_json_is_refused_and_nothing_of_its_group_stays(tmp_path: Path) -> None:
    log = append(tmp_path, said(1)) / LOG_NAME
    tables = Tables(log.parent)
    tables.renew()
    whole = log.read_bytes()
    append(tmp_path, said(2), said(3))
    wrong = log.read_bytes().replace(
        b'"drafter":"offline","kind":"research.started","research_id":"r3"', b'"drafter":,"r3"'
    )
    log.write_bytes(wrong)
    for _ in range(2):
        with pytest.raises(LedgerError):
            tables.renew()
    log.write_bytes(whole)
    assert tables.renew() == {"research.started": 1}
    assert tables.rows("SELECT seed FROM research_started").rows() == [(1,)]


def test_no_log_no_events_and_only_selects(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "absent")
    assert tables.renew() == {}
    for query in ("SELECT nothing", "SELECT * FROM read_text('/etc/passwd')", "COPY run_started TO 'x'"):
        with pytest.raises(QueryError):
            tables.rows(query)
