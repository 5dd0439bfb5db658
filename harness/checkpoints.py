"""Where a research stands after each node: one folder a research, `research/<id>/`, with its checkpoints in SQLite.

A checkpoint is on disk before the next node begins, so a research that was killed goes on from the node it was in.
One process at a time works on a research: the folder is locked while it does.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from traces.disk import locked

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite import SqliteSaver

FILE = "checkpoints.sqlite"
ASKED = "asked.json"
"""What was asked for, written before anything else: a research that was cut off before its first checkpoint begins
again from it, under its own id."""
MOST_KEPT = 500
"""Folders of research that are kept; beyond, the oldest go, never one that is being worked on."""
_NAME = re.compile(r"(research|coding)-[0-9A-Za-z][0-9A-Za-z-]{0,100}")


class ResearchError(ValueError):
    """A research that cannot be resumed: which, why, and what would help."""


def folder_of(home: Path, research_id: str) -> Path:
    """The folder of a research, or of a piece of coding. Raises ResearchError for what is no id."""
    found = _NAME.fullmatch(research_id)
    if found is None:
        raise ResearchError(f"{research_id!r} is not the id of a research; they look like research-20260102T030405-...")
    return home / found[1] / research_id


def known_ids(home: Path) -> list[str]:
    """Every research that was begun, oldest first."""
    return sorted(p.parent.name for p in (home / "research").glob(f"research-*/{ASKED}"))


def find(home: Path, asked: str) -> str:
    """The id that `asked` names: itself, an unambiguous beginning, or `last`. Raises ResearchError."""
    known = known_ids(home)
    if not known:
        raise ResearchError("no research was begun here yet; begin one with `cws research TEXT`")
    if asked == "last":
        return known[-1]
    found = [k for k in known if k == asked] or [
        k for k in known if asked and (k.startswith(asked) or k.removeprefix("research-").startswith(asked))
    ]
    if len(found) != 1:
        what = "fits none" if not found else f"fits {len(found)}: {', '.join(found[:4])}"
        raise ResearchError(f"research {asked!r} {what}; the newest is {known[-1]}")
    return found[0]


@contextmanager
def opened(home: Path, research_id: str, stored: Sequence[type] | None = None) -> Iterator[SqliteSaver]:
    """The checkpoints of a research, locked against any other process. Raises ResearchError.

    `stored`: the only classes that they are rebuilt into, None = those of a research.
    """
    from langgraph.checkpoint.sqlite import SqliteSaver

    folder = folder_of(home, research_id)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with locked(lock, fcntl.LOCK_EX, 0.2):
            try:
                with closing(sqlite3.connect(folder / FILE, check_same_thread=False)) as connection:
                    yield SqliteSaver(connection, serde=serializer(stored))
            except sqlite3.DatabaseError as error:
                raise ResearchError(
                    f"{folder / FILE} cannot be used ({error}); delete the folder and research anew"
                ) from error
    except TimeoutError as error:
        raise ResearchError(f"{research_id} is being worked on by another process; let it end first") from error
    finally:
        os.close(lock)


def prune(home: Path, *, keep: int = MOST_KEPT) -> None:
    """Delete the oldest folders beyond `keep`, those in work excepted."""
    for name in known_ids(home)[: -keep or None] if keep else []:
        folder = folder_of(home, name)
        try:
            handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            continue
        try:
            with locked(handle, fcntl.LOCK_EX, 0.0):
                shutil.rmtree(folder, ignore_errors=True)
        except TimeoutError:
            pass
        finally:
            os.close(handle)


def serializer(stored: Sequence[type] | None = None) -> JsonPlusSerializer:
    """Only our own frozen models are rebuilt from a checkpoint, and nothing is ever unpickled."""
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    from harness.state import STORED

    return JsonPlusSerializer(
        pickle_fallback=False, allowed_msgpack_modules=[(m.__module__, m.__name__) for m in stored or STORED]
    )
