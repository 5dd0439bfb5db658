"""SQL over the ledger: every kind has its view, typed; nothing but the ledger can be reached; errors help."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

import polars as pl
import pytest

from tests.traces.samples import ONE_OF_EACH, Folders, finding, folders
from traces.events import KINDS
from traces.log import LedgerError
from traces.query import QueryError, sql
from traces.views import VIEWS, view_name

NOON = 1_700_000_000_123_456_789


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    from traces.ledger import Ledger

    place = folders(tmp_path_factory.mktemp("queried"))
    with Ledger(place.ledger, place.checkpoint, lambda: NOON) as ledger:
        ledger.append(*ONE_OF_EACH)
    return place


ANSWERS: list[tuple[str, list[tuple[object, ...]]]] = [
    ("SELECT count(*) FROM events", [(len(ONE_OF_EACH),)]),
    ("SELECT seq, kind FROM events ORDER BY seq DESC LIMIT 1", [(len(ONE_OF_EACH) - 1, "ledger.repaired")]),
    ("SELECT payload->>'$.run_id' FROM events WHERE kind = 'run.failed'", [("run-2",)]),
    ("SELECT run_id, metrics['net_sharpe'], seconds FROM run_finished", [("run-1", -0.69, 1.25)]),
    ("SELECT metrics['absent'] FROM run_finished", [(None,)]),
    ("SELECT metrics FROM run_finished", [({"net_sharpe": -0.69, "turnover": 0.41},)]),
    ("SELECT modules['size'], \"end\" FROM run_started", [("rank_neutral", "2006-06-30")]),
    ("SELECT settings->>'$.no_trade_band', cached FROM stage_finished", [("0.04", False)]),
    ("SELECT rules['close positive'] + 1 FROM stage_refused", [(4,)]),
    ("SELECT unnest(evidence) FROM finding_recorded", [("run-1",), ("run-2",)]),
    ("SELECT p_value, level, rejected FROM trial_recorded", [(1e-300, None, None)]),
    ("SELECT patch->'no_trade_band'->>'new' FROM ablation_started", [("0.04",)]),
    ("SELECT a.verdict FROM ablation_finished a JOIN review_opened USING (ablation_id)", [("SHIP",)]),
    ("SELECT text FROM research_started", [("stocks that fell the most “rebound”",)]),
    ("SELECT message FROM run_failed", [("close: 3 NaN\nsecond line",)]),
    ("SELECT 1 -- a comment", [(1,)]),
]


@pytest.mark.parametrize(("query", "rows"), ANSWERS, ids=[row[0][:50] for row in ANSWERS])
def test_answers(place: Folders, query: str, rows: list[tuple[object, ...]]) -> None:
    assert sql(place.ledger, query, checkpoint_dir=place.checkpoint).rows() == rows


def test_the_queries_of_the_documentation_run(place: Folders) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "traces.md").read_text()
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(queries) == 5
    for query in queries:
        assert sql(place.ledger, query).height == 1, query


def test_every_view_gives_back_its_event(place: Folders) -> None:
    for event in ONE_OF_EACH:
        (row,) = sql(place.ledger, f"SELECT * FROM {view_name(event.kind)}").to_dicts()
        assert tuple(row) == VIEWS[view_name(event.kind)]
        for name, value in event.model_dump(mode="json", exclude={"kind"}).items():
            if name not in ("settings", "patch", "changes", "claim"):  # values of several types: JSON text
                assert row[name] == value, f"{event.kind}.{name}"


def test_times_are_utc_to_the_nanosecond(place: Folders) -> None:
    frame = sql(place.ledger, "SELECT ts FROM events LIMIT 1")
    assert frame.schema["ts"] == pl.Datetime("ns")
    assert frame["ts"].cast(pl.Int64)[0] == NOON
    assert frame["ts"][0].date() == dt.date(2023, 11, 14)


def test_zero_events(tmp_path: Path) -> None:
    for view in VIEWS:
        frame = sql(tmp_path / "none", f"SELECT * FROM {view}")
        assert frame.height == 0 and tuple(frame.columns) == VIEWS[view]
    assert sql(tmp_path / "none", "SELECT count(*) AS n FROM events").rows() == [(0,)]
    assert len(KINDS) == len(VIEWS) - 1


REFUSED = [
    (
        "an unknown column",
        "SELECT nope FROM run_finished",
        ["nope", "LINE 1", "Columns of run_finished: seq, ts, run_id"],
    ),
    ("an unknown view", "SELECT * FROM run_finish", ["run_finish", "Did you mean run_finished?", "Views: events"]),
    ("no SQL", "selec 1", ['near "selec"', "Views: events"]),
    ("a wrong cast, two lines down", "SELECT seq,\n kind::INT\nFROM events", ["LINE 2", "Columns of events"]),
    ("nothing", "", ["0 statements"]),
    ("two statements", "SELECT 1; SELECT 2", ["2 statements"]),
    ("a table function over a file", "SELECT * FROM read_csv('{file}')", ["disabled"]),
    ("text of a file", "SELECT * FROM read_text('{file}')", ["disabled"]),
    ("a file as a table", "SELECT * FROM '{file}'", ["disabled"]),
    ("a listing", "SELECT * FROM glob('{file}*')", ["disabled"]),
    ("a copy to a file", "COPY (SELECT 1) TO '{new}'", ["COPY", "only read"]),
    ("an export", "EXPORT DATABASE '{new}'", ["EXPORT", "only read"]),
    ("an attachment", "ATTACH '{new}' AS x", ["ATTACH", "only read"]),
    ("an extension", "INSTALL httpfs", ["only read"]),
    ("loading an extension", "LOAD httpfs", ["LOAD", "only read"]),
    ("unlocking", "SET enable_external_access = true", ["SET", "only read"]),
    ("a deletion", "DELETE FROM events", ["DELETE", "only read"]),
    ("a new table", "CREATE TABLE x AS SELECT 1", ["CREATE", "only read"]),
    ("an explained deletion", "EXPLAIN ANALYZE COPY (SELECT 1) TO '{new}'", ["disabled"]),
    ("a variable of this process", "SELECT * FROM a_frame", ["a_frame", "does not exist"]),
    ("too many rows", "SELECT * FROM range(2000)", ["more than 1000 rows", "LIMIT"]),
    (
        "too long",
        "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range % 7 = b.range % 5",
        ["more than"],
    ),
]


@pytest.mark.parametrize(("query", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusals(place: Folders, tmp_path: Path, query: str, words: list[str]) -> None:
    a_frame = pl.DataFrame({"secret": [1]})
    file, new = tmp_path / "file.csv", tmp_path / "new"
    file.write_text("a\n1\n")
    started = time.monotonic()
    with pytest.raises(QueryError) as caught:
        sql(place.ledger, query.format(file=file, new=new), max_rows=1000, timeout_seconds=0.3)
    for word in words:
        assert word in str(caught.value)
    assert time.monotonic() - started < 5 and a_frame.height == 1
    assert [p.name for p in tmp_path.iterdir()] == ["file.csv"]


def test_an_altered_ledger_answers_nothing(tmp_path: Path) -> None:
    place = folders(tmp_path)
    place.open().append(*(finding(n) for n in range(3)))
    log = place.log.read_bytes()
    place.log.write_bytes(log.replace(b'"branch":"b1"', b'"branch":"bX"'))
    with pytest.raises(LedgerError, match=r"record 2 does not continue the chain; run `cws ledger verify`"):
        sql(place.ledger, "SELECT 1")
    place.log.write_bytes(log[: log.index(b"\n") + 1])
    assert sql(place.ledger, "SELECT count(*) FROM events").rows() == [(1,)]
    with pytest.raises(LedgerError, match="signed for"):
        sql(place.ledger, "SELECT 1", checkpoint_dir=place.checkpoint)
