"""One supervisor at a time in a workspace: two would compare the same candidates and race for the same trials."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from modules.workspace import Workspace

FILE = "supervisor.lock"


class BusyError(RuntimeError):
    """Another supervisor is at work in this workspace."""

    remedy = "wait until it is done, or end that process; nothing it did is lost"


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace. The kernel lets go when the process ends, however it ends. Raises BusyError."""
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / FILE).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"{workspace.home} is held by another supervisor; {BusyError.remedy}") from error
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
