"""A parent on disk, from its first child to its end: asked for again in the same words, it is gone on with.

One file for each order in words, below the account's folder; who works it holds the lock beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from modules.artifacts import write_whole
from modules.live.algorithms.parent import AlgorithmError, Parent

_FOLDER: Final = "working"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes the algorithm again as it began: the order in words, parent, settings (JSON), volume curve.

    `stopped`: why it was ended. `volume`: lots that the market traded so far; `traded`, `born_ns`: the desk's count
    then, and when that desk began.
    """

    words: dict[str, str]
    parent: Parent
    settings: str
    shares: tuple[float, ...] = ()
    bucket_ns: int = 0
    days: int = 0
    open_ns: int = 0
    stopped: str | None = None
    volume: int = 0
    traded: float = 0.0
    born_ns: int = 0


class KeptError(OSError):
    """The file of a parent is held by another process, or is none; says what to do."""


class Shelf:
    """Where the parent of an order in words is kept. Used by whoever holds `held`."""

    def __init__(self, account_folder: Path, words: dict[str, str]) -> None:
        name = hashlib.sha256(msgspec.json.encode(words, order="sorted")).hexdigest()[:16]
        self.path, self.words = account_folder / _FOLDER / f"{name}.json", words

    @contextmanager
    def held(self) -> Iterator[Kept | None]:
        """The parent that was begun and did not end, None = there is none. Raises KeptError."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KeptError("the same order is being worked; wait for its end, or ask for other lots") from None
            yield self._read()

    def keep(self, kept: Kept) -> None:
        """Whole or not at all. Raises OSError."""
        write_whole(self.path, msgspec.json.encode(kept))

    def drop(self) -> None:
        """It has ended."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> Kept | None:
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, AlgorithmError, UnicodeDecodeError) as error:
            raise KeptError(
                f"{self.path} is not what was kept of an order ({error}); see with `cws top` what is out, and remove it"
            ) from error
        if kept.words != self.words:
            raise KeptError(f"{self.path} is of another order ({kept.words}); remove it once that is done")
        return kept
