"""The connection of a screen or the API to the desk: one thread, blocking, every wait bounded."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, TypeVar

from modules.live.desk.asking import (
    ByHand,
    CancelEach,
    CancelOne,
    Children,
    ChildrenAsked,
    ControlAnswered,
    ControlAsked,
    Stand,
    StandAsked,
    Told,
)
from modules.live.wire import FrameReader, WireError, encode

_READ_BYTES: Final = 256 * 1024


class DeskUnavailableError(OSError):
    """No desk answers. What was asked has not been done, unless `may_be_out`: then it may have been."""

    def __init__(self, words: str, may_be_out: bool = False) -> None:
        super().__init__(words)
        self.may_be_out = may_be_out


_Answer = TypeVar("_Answer", Told, Stand, Children)


class DeskClient:
    """One connection, used by one thread. After an error it is of no use any more."""

    def __init__(self, path: Path, timeout_s: float = 2.0) -> None:
        """Connect. Raises DeskUnavailableError."""
        self._reader: FrameReader[ControlAnswered] = FrameReader(ControlAnswered)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise DeskUnavailableError(f"no desk answers at {path} ({error.strerror}); `cws live` starts it") from error

    def stand(self) -> Stand:
        """Where the desk stands. Raises DeskUnavailableError."""
        return self._ask(StandAsked(), Stand, may_be_out=False)

    def submit(self, order: ByHand) -> Told:
        """Ask for an order. Raises DeskUnavailableError; where it `may_be_out`, ask again with the same order."""
        return self._ask(order, Told, may_be_out=True)

    def children(self, asked: ChildrenAsked) -> Children:
        """What is out of a parent; it is this connection's then. Raises DeskUnavailableError."""
        return self._ask(asked, Children, may_be_out=False)

    def cancel(self, client_id: str) -> Told:
        """Ask for a cancel. Raises DeskUnavailableError."""
        return self._ask(CancelOne(client_id), Told, may_be_out=True)

    def cancel_all(self, by: str, reason: str) -> Told:
        """Ask for a cancel of everything open. Raises DeskUnavailableError."""
        return self._ask(CancelEach(by, reason), Told, may_be_out=True)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> DeskClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, asked: ControlAsked, kind: type[_Answer], *, may_be_out: bool) -> _Answer:
        try:
            self._socket.sendall(encode(asked))
            while True:
                data = self._socket.recv(_READ_BYTES)
                if not data:
                    raise DeskUnavailableError("the desk hung up", may_be_out)
                for message in self._reader.feed(data):
                    if isinstance(message, kind):
                        return message
                    raise DeskUnavailableError(f"the desk answered with {type(message).__name__}", may_be_out)
        except DeskUnavailableError:
            self.close()
            raise
        except (OSError, WireError) as error:
            self.close()
            raise DeskUnavailableError(f"no answer from the desk: {error}", may_be_out) from error
