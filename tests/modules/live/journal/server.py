"""A PostgreSQL server of the tests' own: started on first use, stopped and removed when the tests end."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import modules.live.journal

WRITER = "cws_desk"


@dataclass
class Server:
    """A server on a Unix socket. Its clients are whoever may read the folder of that socket."""

    folder: Path
    programs: Path

    @property
    def owner(self) -> str:
        """Log in as whoever owns everything."""
        return f"host={self.folder} user=owner dbname=postgres"

    @property
    def writer(self) -> str:
        """Log in as the desk does."""
        return f"host={self.folder} user={WRITER} dbname=postgres"

    def as_owner(self, *statements: str) -> None:
        """Do what only the owner may."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", f"-c listen_addresses= -k {self.folder}")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast`, or `immediate`, as a crash would."""
        self._control("stop", "-m", how)

    def make(self) -> None:
        """A new cluster, with a role for the desk."""
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        schema = Path(modules.live.journal.__file__).with_name("postgres.sql")
        self.as_owner(schema.read_text(encoding="utf-8"), f"CREATE ROLE {WRITER} LOGIN IN ROLE cws_journal_writer")

    def _control(self, what: str, *more: str) -> None:
        self._run("pg_ctl", what, "-D", str(self.folder / "data"), *more)

    def _run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to be run by root; Debian's package makes a user for it.
        user = "postgres" if os.getuid() == 0 else None
        with (self.folder / "said").open("ab") as said:
            subprocess.run(
                [str(self.programs / program), *arguments],
                check=True, user=user, group=user, extra_groups=[] if user else None, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=60,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )  # fmt: skip


@functools.cache
def running() -> Server:
    """The server. Without PostgreSQL the test is skipped, and in CI it fails."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        said = "PostgreSQL is not installed (Debian: postgresql)"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    folder = Path(tempfile.mkdtemp(prefix="cws-pg-"))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = Server(folder, found[-1].parent if found else Path(on_path or "").parent)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server.make()
    atexit.register(server.stop, "immediate")
    return server
