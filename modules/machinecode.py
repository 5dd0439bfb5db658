"""Compiled kernels on disk: one file per signature and processor, believed only if it is whole.

In place of Numba's own index, which two processes can overwrite so that one signature gets the code of another,
and which a file cut short turns into an error of `pickle`.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import uuid
from collections.abc import Callable
from pathlib import Path

from numba.core.serialize import dumps

_SUM_BYTES = 32


class CodeFiles:
    """What `numba.core.caching.Cache` asks of its files: `load`, `save`, `flush`.

    `stamp` names what the code is made of, asked for when a file is first needed; None: keep nothing, believe nothing.
    """

    def __init__(self, folder: Path, base: str, stamp: Callable[[], str | None]) -> None:
        self._folder = folder
        self._base = base
        self._stamp = stamp

    def _path(self, key: object) -> Path | None:
        stamp = self._stamp()
        if stamp is None:
            return None
        name = hashlib.sha256(repr((key, stamp)).encode()).hexdigest()[:32]
        return self._folder / f"{self._base}.{name}.nbc"

    def load(self, key: object) -> object:
        """What was saved under `key`; None where nothing whole is there, which only costs the compilation."""
        path = self._path(key)
        if path is None:
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        checksum, data = content[:_SUM_BYTES], content[_SUM_BYTES:]
        # Of this home alone, like Numba's own files.
        return pickle.loads(data) if hashlib.sha256(data).digest() == checksum else None  # noqa: S301

    def any(self) -> bool:
        """Whether code of the function is kept, for whatever key; it may be of an older source."""
        return next(self._folder.glob(f"{self._base}.*.nbc"), None) is not None

    def save(self, key: object, data: object) -> None:
        """Keep `data` under `key`. A disk that does not take it costs the next process the compilation."""
        path = self._path(key)
        if path is None:
            return
        content: bytes = dumps(data)  # type: ignore[no-untyped-call]
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with contextlib.suppress(OSError):
            try:
                draft.write_bytes(hashlib.sha256(content).digest() + content)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)

    def flush(self) -> None:
        """Forget every signature of this function."""
        for path in self._folder.glob(f"{self._base}.*.nbc"):
            path.unlink(missing_ok=True)
