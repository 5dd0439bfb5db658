"""What a program in a container prints, read by a thread as it comes and kept up to a limit."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Printed:
    """Standard output and error. `ended` is set when both are closed, or when `too_much` came."""

    def __init__(self, stream: Iterable[tuple[bytes | None, bytes | None]], most: int) -> None:
        self.ended = threading.Event()
        self.too_much = False
        self._kept = (bytearray(), bytearray())
        self._most = most
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def rest(self, patience_s: float = 5.0) -> tuple[bytes, bytes]:
        """Both, once nobody can print any more."""
        self._reader.join(patience_s)
        return bytes(self._kept[0]), bytes(self._kept[1])

    def _read(self, stream: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        try:
            for pair in stream:
                for kept, body in zip(self._kept, pair, strict=True):
                    kept += (body or b"")[: self._most - len(kept)]
                if any(len(kept) >= self._most for kept in self._kept):
                    self.too_much = True
                    self.ended.set()  # what follows is read and dropped, or the engine would wait to be rid of it
        except (OSError, ValueError):
            pass  # the connection went with the container; what came is kept
        finally:
            self.ended.set()
