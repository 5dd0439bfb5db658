"""Who asked for what: a line for each order and cancel that came over the API, written before it is passed on.

The desk's journal knows orders and not who asked for them. An order that cannot be written here is not passed on; a
cancel is, whatever the disk says.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

MOST_BYTES = 64 * 1024 * 1024
"""A log that is longer is set aside as `.1`, in place of the one before."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `by`: the token's name; `what`: the order or the client id that it is about."""

    ts_ns: int
    by: str
    verb: Literal["order", "cancel", "cancel all"]
    what: dict[str, str | int | float | None]


class Audit:
    """The log at `path`, for its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def write(
        self, by: str, verb: Literal["order", "cancel", "cancel all"], what: dict[str, str | int | float | None]
    ) -> None:
        """Append a line. Raises OSError where the disk does not take it."""
        line = msgspec.json.encode(Asked(ts_ns=time.time_ns(), by=by, verb=verb, what=what)) + b"\n"
        with self._lock:
            if self.path.exists() and self.path.stat().st_size > MOST_BYTES:
                self.path.replace(self.path.with_suffix(".1"))
            handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                if os.write(handle, line) != len(line):
                    raise OSError(28, "written in part")
            finally:
                os.close(handle)
