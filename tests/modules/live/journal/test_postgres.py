"""What the journal in PostgreSQL does beyond the suite of all stores: a real server, crashed and cheated.

1. Neither the desk's role nor the owner changes or removes an entry; what does not follow is not taken from anybody.
2. A role that could do more than append is refused when the journal is opened.
3. A server that crashes loses nothing that was durable; what it lost of the rest is appended again.
4. The death of the process that appends loses nothing.
5. A journal that was cut off, or that somebody else went on with, is not gone on with.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from modules.live.journal.opening import Store, open_journal, read_along
from modules.live.journal.port import JournalError
from modules.live.journal.postgres import PostgresJournal, PostgresReader, read_postgres
from tests.modules.live.journal.samples import some
from tests.modules.live.journal.server import Server, running

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Server:
    return running()


@pytest.fixture
def account() -> str:
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def journal(server: Server, account: str, tmp_path: Path) -> Iterator[PostgresJournal]:
    with PostgresJournal(server.writer, account, tmp_path / "keys") as made:
        made.append(*[some(n) for n in range(10)])
        made.sync()
        yield made


@pytest.mark.parametrize("who", ["writer", "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cws_journal.entries SET line = '\\x00' WHERE seq = 3",
        "DELETE FROM cws_journal.entries WHERE seq = 9",
        "TRUNCATE cws_journal.entries",
        "INSERT INTO cws_journal.entries VALUES ('t', 0, 1, 4, encode(sha256('abc'), 'hex'), 'abc')",
    ],
)
def test_nobody_changes_what_was_recorded(journal: PostgresJournal, server: Server, who: str, statement: str) -> None:
    before = list(journal.read())
    refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)
    with psycopg.connect(getattr(server, who), autocommit=True) as connection, pytest.raises(refused):
        connection.execute(statement.encode())
    assert list(journal.read()) == before


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE cws_journal.entries DISABLE TRIGGER ALL",
        "DROP TABLE cws_journal.entries",
        "SET session_replication_role = replica",
        "CREATE TRIGGER mine BEFORE INSERT ON cws_journal.entries FOR EACH ROW EXECUTE FUNCTION cws_journal.follow()",
        "CREATE OR REPLACE FUNCTION cws_journal.follow() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    ],
)
def test_the_desk_cannot_switch_the_rules_off(journal: PostgresJournal, server: Server, statement: str) -> None:
    with psycopg.connect(server.writer, autocommit=True) as connection, pytest.raises(psycopg.Error):
        connection.execute(statement.encode())
    assert journal.append(some(10)) == 10


COPIED = """
INSERT INTO cws_journal.entries (account, seq, ts_ns, end_bytes, head, line)
SELECT account, {seq}, {ts}, end_bytes + length(new.line) + 1, encode(sha256(new.line), 'hex'), new.line
FROM cws_journal.entries old,
     LATERAL (SELECT convert_to(format('{{"seq":%s,"ts_ns":%s,"prev":"%s"}}', {seq}, {ts}, {prev}), 'UTF8')) new (line)
WHERE account = '{account}' AND old.seq = 9
"""


@pytest.mark.parametrize(
    ("seq", "ts", "prev", "taken"),
    [
        ("10", "old.ts_ns", "old.head", True),
        ("10", "old.ts_ns - 1", "old.head", False),
        ("10", "old.ts_ns", "repeat('0', 64)", False),
        ("11", "old.ts_ns", "old.head", False),
        ("9", "old.ts_ns", "old.head", False),
    ],
)
def test_the_database_takes_only_what_follows(
    journal: PostgresJournal, server: Server, account: str, seq: str, ts: str, prev: str, taken: bool
) -> None:
    insert = COPIED.format(seq=seq, ts=ts, prev=prev, account=account)
    with psycopg.connect(server.writer, autocommit=True) as connection:
        if taken:
            assert connection.execute(insert.encode()).rowcount == 1
        else:
            with pytest.raises(psycopg.Error):
                connection.execute(insert.encode())


def test_a_role_that_may_do_more_is_refused(server: Server, account: str, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="may change or remove"):
        PostgresJournal(server.owner, account, tmp_path / "keys")
    server.as_owner(
        f'CREATE ROLE "{account}" LOGIN IN ROLE cws_journal_writer',
        f'GRANT DELETE ON cws_journal.entries TO "{account}"',
    )
    with pytest.raises(JournalError, match="may change or remove"):
        PostgresJournal(f"host={server.folder} user={account} dbname=postgres", account, tmp_path / "keys")


def test_no_table_says_what_to_do(server: Server, account: str, tmp_path: Path) -> None:
    server.as_owner(f'CREATE DATABASE "{account}"')
    with pytest.raises(JournalError, match="owner first"):
        PostgresJournal(f"host={server.folder} user=cws_desk dbname={account}", account, tmp_path / "keys")


def test_a_crashed_server_loses_nothing_durable(server: Server, account: str, tmp_path: Path) -> None:
    told = [some(n) for n in range(60)]
    with PostgresJournal(server.writer, account, tmp_path / "keys", commit_ms=None) as journal:
        journal.append(*told[:20])
        assert journal.sync() == 19
        for message in told[20:30]:
            journal.append(message)
        assert journal.durable == 19
        server.stop("immediate")
        try:
            with pytest.raises(JournalError, match="append"):
                journal.append(told[30])
            assert journal.fault is not None
            with pytest.raises(JournalError, match="mend"):
                journal.append(told[30])
        finally:
            server.start()
        assert journal.append(*told[30:]) == 59, "what the server lost was appended again"
        assert journal.fault is None and journal.sync() == 59
        assert [e.message for e in journal.read()] == told
    with PostgresJournal(server.writer, account, tmp_path / "keys") as again:
        assert again.durable == 59


def test_a_connection_that_was_cut_is_made_again(journal: PostgresJournal, server: Server) -> None:
    server.as_owner(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cws-journal'",
    )
    with pytest.raises(JournalError):
        journal.append(some(10))
    assert journal.append(some(11)) == 10
    assert [e.message for e in journal.read(after=9)] == [some(11)]


def test_what_another_wrote_meanwhile_is_not_gone_on_with(
    journal: PostgresJournal, server: Server, account: str, tmp_path: Path
) -> None:
    server.as_owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cws-journal'")
    with PostgresJournal(server.writer, account, tmp_path / "keys") as other:
        other.append(some(20))
    with pytest.raises(JournalError):
        journal.append(some(10))
    with pytest.raises(JournalError, match="another one wrote"):
        journal.append(some(10))
    with pytest.raises(JournalError, match="another one wrote"):
        journal.close()


def test_a_journal_that_was_cut_off_is_refused(server: Server, account: str, tmp_path: Path) -> None:
    with PostgresJournal(server.writer, account, tmp_path / "keys") as journal:
        journal.append(*[some(n) for n in range(10)])
    server.as_owner(
        "ALTER TABLE cws_journal.entries DISABLE TRIGGER entries_never_change",
        f"DELETE FROM cws_journal.entries WHERE account = '{account}' AND seq > 5",
        "ALTER TABLE cws_journal.entries ENABLE ALWAYS TRIGGER entries_never_change",
    )
    with pytest.raises(JournalError, match="cut off"):
        PostgresJournal(server.writer, account, tmp_path / "keys")


CHILD = """
import sys
from pathlib import Path
from modules.live.journal.postgres import PostgresJournal
from tests.modules.live.journal.samples import some
journal = PostgresJournal(sys.argv[1], sys.argv[2], Path(sys.argv[3]), commit_ms=None)
for n in range(1_000_000):
    print(journal.append(some(n)), flush=True)
"""


def test_a_killed_process_loses_nothing_that_was_appended(server: Server, account: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", CHILD, server.writer, account, str(tmp_path / "keys")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for _ in range(100):
                child.stdout.readline()
        finally:
            child.send_signal(signal.SIGKILL)
        said = 99 + sum(1 for line in child.stdout if line.endswith("\n"))
    entries = list(read_postgres(server.writer, account))
    assert said <= entries[-1].seq <= said + 1 and [e.message for e in entries] == [some(e.seq) for e in entries]
    with PostgresJournal(server.writer, account, tmp_path / "keys") as journal:
        assert journal.append(some(0)) == entries[-1].seq + 1


def test_a_reader_goes_on_where_it_ended(journal: PostgresJournal, server: Server, account: str) -> None:
    reader = PostgresReader(server.writer, account)
    assert [e.seq for e in reader.new()] == list(range(10))
    assert not list(reader.new())
    journal.append(some(10), some(11))
    assert [e.message for e in reader.new()] == [some(10), some(11)]


def test_an_account_that_changes_its_store_does_not_begin_to_forget(
    server: Server, account: str, tmp_path: Path
) -> None:
    file, postgres = Store(), Store(store="postgres", dsn=server.writer)
    with open_journal(tmp_path, account, postgres) as journal:
        journal.append(some(0))
    with pytest.raises(JournalError, match="signed for"):
        open_journal(tmp_path, account, file)
    with open_journal(tmp_path / "other", account + "-2", file) as journal:
        journal.append(some(0))
    with pytest.raises(JournalError, match="signed for"):
        open_journal(tmp_path / "other", account + "-2", postgres)
    assert [e.message for e in read_along(tmp_path, account, postgres).new()] == [some(0)]
    assert [e.message for e in read_along(tmp_path / "other", account, file).new()] == [some(0)]
