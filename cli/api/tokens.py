"""Bearer tokens: made here, shown once, kept as hashes with their scopes.

A token has 256 random bits, so one round of SHA-256 hides it: there is nothing to guess. The file is one JSON line a
token, readable by its owner alone, written whole; it is read again when it changed, so that a revoked token ends with
the request after it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.errors import CommandError, RequestError
from modules.live.units import DAY_NS

Scope = Literal["research", "run", "portfolio", "trade", "cancel", "metrics"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
MEANINGS: Final[dict[Scope, str]] = {
    "research": "read backtests, signals, regime",
    "run": "start pipeline runs",
    "portfolio": "read portfolio, orders, risk state, the stream of ticks and fills",
    "trade": "submit orders, which the risk core rules on",
    "cancel": "cancel one order or all",
    "metrics": "read the metrics",
}
PREFIX = "cws_"
MOST_TOKENS = 256
_NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")
_SECRET_BYTES = 32


class Token(BaseModel):
    """What is kept of a token. `digest`: SHA-256 of the whole token. Times in ns UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: tuple[Scope, ...]
    digest: str
    made_ns: int
    ends_ns: int


class TokenStore:
    """The tokens of a workspace, in `home/live/tokens`."""

    def __init__(self, home: Path) -> None:
        self.path = home / "live" / "tokens"
        self._read: tuple[tuple[int, ...], dict[str, Token]] | None = None

    def add(self, name: str, scopes: Sequence[str], days: int, now_ns: int | None = None) -> str:
        """Make a token and return it: the one time that anybody sees it. Raises RequestError naming the field."""
        now = time.time_ns() if now_ns is None else now_ns
        unknown = [s for s in scopes if s not in SCOPES]
        if not _NAME.match(name):
            raise RequestError(
                f"name is {name!r}: small letters, digits and ._- , 64 at most", "name who uses it, like grafana"
            )
        if unknown or not scopes:
            raise RequestError(
                f"--scope is {', '.join(unknown) or 'empty'}", f"give one or more of {', '.join(SCOPES)}"
            )
        with self._changing() as tokens:
            alive = [t for t in tokens if t.ends_ns > now]
            if any(t.name == name for t in alive):
                raise RequestError(
                    f"a token {name} is there already", f"`cws api token revoke {name}`, or another name"
                )
            if len(alive) >= MOST_TOKENS:
                raise RequestError(f"there are {len(alive)} tokens, the most that are kept", "revoke one")
            secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
            kept = tuple(s for s in SCOPES if s in scopes)
            made = Token(name=name, scopes=kept, digest=_digest(secret), made_ns=now, ends_ns=now + days * DAY_NS)
            self._write([*alive, made])
        return secret

    def revoke(self, name: str) -> None:
        """End a token. Raises RequestError where there is none."""
        with self._changing() as tokens:
            left = [t for t in tokens if t.name != name]
            if len(left) == len(tokens):
                raise RequestError(f"there is no token {name}", "`cws api token list` shows them")
            self._write(left)

    def every(self) -> list[Token]:
        """All tokens, the oldest first. Raises CommandError where the file cannot be trusted."""
        return list(self._by_digest().values())

    def find(self, secret: str, now_ns: int | None = None) -> Token | None:
        """The token that this is; None = none, or its time is over."""
        digest = _digest(secret)
        found = self._by_digest().get(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found if found.ends_ns > (time.time_ns() if now_ns is None else now_ns) else None

    def _by_digest(self) -> dict[str, Token]:
        try:
            told = self.path.stat()
        except FileNotFoundError:
            return {}
        stamp = (told.st_mtime_ns, told.st_size, told.st_ino, told.st_mode)
        if self._read is None or self._read[0] != stamp:
            if told.st_mode & 0o077:
                raise CommandError(f"{self.path} can be read by others", f"chmod 600 {self.path}")
            self._read = (stamp, {t.digest: t for t in self._parse()})
        return self._read[1]

    def _parse(self) -> Iterator[Token]:
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                yield Token.model_validate_json(line)
            except ValidationError as error:
                where = ".".join(map(str, error.errors()[0]["loc"])) or "the line"
                raise CommandError(
                    f"{self.path} line {number}: {where} is not as it was written",
                    "delete the line and add the token anew",
                ) from error

    def _write(self, tokens: Sequence[Token]) -> None:
        lines = "".join(json.dumps(t.model_dump(mode="json")) + "\n" for t in tokens)
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        self._read = None

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield list(self._by_digest().values())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
