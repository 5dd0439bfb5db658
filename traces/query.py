"""Ask the ledger in SQL. DuckDB reads a copy in memory, with no way to files, network or settings."""

from __future__ import annotations

import difflib
import re
import threading
from pathlib import Path

import duckdb
import polars as pl

from traces.events import KINDS
from traces.log import LedgerError
from traces.reader import read_lines
from traces.views import LINES_TO_EVENTS, VIEWS, create_view

MAX_ROWS = 100_000
TIMEOUT_SECONDS = 30.0
_READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
LOCKS = (
    "temp_directory = ''",  # nothing spills to disk
    "memory_limit = '2GB'",
    "threads = 2",
    "TimeZone = 'UTC'",
    "python_enable_replacements = false",  # a table name must not find a Python variable
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "enable_external_access = false",
    "lock_configuration = true",
)


class QueryError(LedgerError):
    """The query is at fault: what DuckDB says of it, where in it, and what can be asked."""


def sql(
    ledger_dir: Path,
    query: str,
    *,
    checkpoint_dir: Path | None = None,
    max_rows: int = MAX_ROWS,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> pl.DataFrame:
    """The rows of one SELECT over `events` and the views of `traces.views.VIEWS`. No ledger: no events.

    `ts` is UTC. Maps (`metrics`, `rules`, ...) are looked into by `metrics['net_sharpe']` and come out as
    dicts; JSON columns (`payload`, `settings`, `patch`) come out as text. With `checkpoint_dir` only signed records
    are read. Raises QueryError (wrong query, more than `max_rows` rows, longer than `timeout_seconds`) and LedgerError
    (broken chain).
    """
    lines = [line.decode() for line in read_lines(ledger_dir, checkpoint_dir)]
    with duckdb.connect(":memory:") as connection:
        connection.register("lines", pl.DataFrame({"line": lines}, schema={"line": pl.String}))
        connection.execute(LINES_TO_EVENTS)
        connection.unregister("lines")
        for kind in KINDS:
            connection.execute(create_view(kind))
        for setting in LOCKS:
            connection.execute(f"SET {setting}")
        alarm = threading.Timer(timeout_seconds, connection.interrupt)
        alarm.start()
        try:
            _check_statement(connection, query)
            return fetch(connection, query, max_rows)
        except duckdb.InterruptException as error:
            raise QueryError(
                f"the query took more than {timeout_seconds:g} s: narrow it with WHERE or LIMIT"
            ) from error
        except duckdb.Error as error:
            raise QueryError(_explain(str(error), query)) from error
        finally:
            alarm.cancel()


def _check_statement(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise QueryError(f"{len(statements)} statements, exactly one SELECT is allowed. {_what_is_there(query)}")
    if statements[0].type not in _READS:
        raise QueryError(
            f"a {statements[0].type.name} statement: the ledger is only read; write a SELECT. {_what_is_there(query)}"
        )
    if statements[0].type == duckdb.StatementType.SELECT:
        try:  # only a bound statement's errors say where in the query they are
            connection.execute(f"EXPLAIN\n{query}")
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise QueryError(_explain(str(error), query)) from error


def fetch(connection: duckdb.DuckDBPyConnection, query: str, max_rows: int) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(query).limit(max_rows + 1).pl()
    if frame.height > max_rows:
        raise QueryError(f"more than {max_rows} rows: add LIMIT, or aggregate")
    return frame


def _explain(message: str, query: str) -> str:
    """DuckDB's message, its line numbers those of the query, its hints about tables that are not ours left out."""
    kept = "\n".join(line for line in message.splitlines() if line.strip() and 'Did you mean "' not in line)
    lines = [line.strip() for line in query.splitlines()]

    def renumber(found: re.Match[str]) -> str:  # the query runs inside another one, whose lines count too
        text = found[2].strip()
        number = f"LINE {lines.index(text) + 1}:" if text in lines else "HERE:"
        return number.rjust(len(found[1])) + found[2]

    said = re.sub(r"^(LINE \d+:)(.*)$", renumber, kept, flags=re.MULTILINE)
    return f"{said}\n{_what_is_there(query, said)}"


def _what_is_there(query: str, said: str = "") -> str:
    """The columns of the views that the query names, or else the views, nearest name first."""
    words = re.findall(r"\w+", query.lower())
    named = [view for view in VIEWS if view in words]
    missing = re.search(r"Table with name (\w+) does not exist", said)
    if named and not missing:
        return "\n".join(f"Columns of {view}: {', '.join(VIEWS[view])}." for view in named)
    near = difflib.get_close_matches(missing[1].lower(), VIEWS, n=1) if missing else []
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"{hint}Views: {', '.join(VIEWS)}."
