"""One supervisor at a time in a workspace: two would compare the same candidates and race for the same trials."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from modules.workspace import Workspace

FILE = "supervisor.lock"
WAIT_S, STEP_S = 5.0, 0.1
"""A process that was killed lets go when it is gone, which takes a moment."""


class BusyError(RuntimeError):
    """Another supervisor is at work in this workspace."""

    remedy = "wait until it is done, or end that process; nothing it did is lost"


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace. The kernel lets go when the process ends, however it ends. Raises BusyError."""
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / FILE).open("a") as handle:
        until_s = time.monotonic() + WAIT_S
        while not _taken(handle):
            if time.monotonic() > until_s:
                raise BusyError(f"{workspace.home} is held by another supervisor; {BusyError.remedy}")
            time.sleep(STEP_S)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def _taken(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
