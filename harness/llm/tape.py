"""The tape: everything that a research heard from outside, so that it can be repeated without asking again.

One file a research, one canonical line of JSON an exchange, appended and synced before the answer is used. A tape is
a function: equal requests (of the same `who`) have one reply. So a research that was killed and resumed hears again
what it heard before without a second call, and a replay hears nothing else. `exchange` serves language models and
every other source alike: `who` is `anthropic:...` or `openalex`, request and reply are JSON.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field, JsonValue, ValidationError

from harness.llm.port import Frozen, ModelError, Reason
from modules.canonical import canonical_json, digest_json
from traces.disk import Disk, locked, write_all

MAX_ENTRY_BYTES = 8 << 20
MAX_TAPE_BYTES = 512 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class TapeError(ModelError):
    """The tape has no such request, or cannot be read or written. Names the tape and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.NOT_ON_TAPE, message)


class Exchange(Frozen):
    """One request and its reply. `digest` is that of `who` and `request`; costs in millionths of a dollar."""

    digest: str
    who: str
    label: str
    request: JsonValue
    reply: JsonValue
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost_micro_usd: int | None = Field(default=0, ge=0)
    began_ns: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0.0)

    @property
    def reply_digest(self) -> str:
        """SHA-256 of the reply's canonical JSON."""
        return digest_json(self.reply)


class Heard(Frozen):
    """What a source answered, with what it took. `cost_micro_usd` is None where no price is known."""

    reply: JsonValue
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int | None = 0


def digest_of(who: str, request: JsonValue) -> str:
    """The identity of a request: SHA-256 over who is asked and the whole request."""
    return digest_json({"who": who, "request": request})


def tape_path(home: Path, research_id: str) -> Path:
    """Where the tape of a research lies in a workspace's home. Raises TapeError for what is no id."""
    if not _NAME.fullmatch(research_id):
        raise TapeError(f"research id {research_id!r}: letters, digits, '.', '_' and '-' only; see `cws runs`")
    return home / "tapes" / f"{research_id}.jsonl"


class Tape:
    """The exchanges of one research. With `ask_outside=False` only what it holds is ever answered."""

    def __init__(self, path: Path, *, ask_outside: bool = True, disk: Disk | None = None) -> None:
        self.path = path
        self.ask_outside = ask_outside
        self._disk = disk or Disk()
        self._known: dict[str, Exchange] = {}
        self._size = 0
        if not ask_outside and not path.exists():
            raise TapeError(f"{path.stem} has no tape at {path}; only a research that asked a model can be replayed")
        if path.exists():
            self._read()

    def __iter__(self) -> Iterator[Exchange]:
        """Every exchange, in the order in which they were recorded."""
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, who: str, request: JsonValue) -> Exchange | None:
        """The recorded exchange of this very request, if there is one."""
        return self._known.get(digest_of(who, request))

    def exchange(
        self,
        who: str,
        label: str,
        request: JsonValue,
        ask: Callable[[], Heard],
        *,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> Exchange:
        """The recorded exchange, or else `ask` once and record what it says before returning it.

        Raises TapeError where nothing may be asked, and what `ask` raises (then nothing is recorded).
        """
        found = self.find(who, request)
        if found is not None:
            return found
        if not self.ask_outside:
            raise TapeError(self._unheard(who, label, request))
        began_ns, began = clock_ns(), time.monotonic()
        heard = ask()
        entry = Exchange(
            digest=digest_of(who, request),
            who=who,
            label=label,
            request=request,
            began_ns=began_ns,
            seconds=round(time.monotonic() - began, 6),
            **dict(heard),
        )
        return self.record(entry)

    def record(self, entry: Exchange) -> Exchange:
        """Append one exchange; on disk when this returns. Where its request has a reply already, that one stands."""
        if entry.digest in self._known:
            return self._known[entry.digest]
        line = canonical_json(entry.model_dump(mode="json")).encode() + b"\n"
        if len(line) > MAX_ENTRY_BYTES or self._size + len(line) > MAX_TAPE_BYTES:
            raise TapeError(
                f"{self.path}: an exchange of {len(line)} bytes; at most {MAX_ENTRY_BYTES} an exchange and"
                f" {MAX_TAPE_BYTES} a tape are kept: ask for less"
            )
        self._disk.make_folder(self.path.parent)
        fd = self._disk.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            with locked(fd, fcntl.LOCK_EX, 30.0):
                if os.fstat(fd).st_size != self._size:
                    self._catch_up(fd)
                if entry.digest not in self._known:
                    write_all(self._disk, fd, line)
                    self._disk.datasync(fd)
                    self._size += len(line)
                    self._known[entry.digest] = entry
        except (OSError, TimeoutError) as error:
            raise TapeError(
                f"{self.path}: cannot be written ({error}); free space, or end the other process"
            ) from error
        finally:
            self._disk.close(fd)
        return self._known[entry.digest]

    def _catch_up(self, fd: int) -> None:
        """What another process recorded meanwhile is heard; what a crash tore off gives way. Lock held."""
        self._known.clear()
        self._read()
        self._disk.truncate(fd, self._size)

    def _read(self) -> None:
        """Every whole line; what a crash tore off at the end was never used, and is not there."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise TapeError(f"{self.path}: cannot be read ({error.strerror})") from error
        whole, _, _ = data.rpartition(b"\n")
        self._size = len(whole) + 1 if whole else 0
        for number, line in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                entry = Exchange.model_validate_json(line)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                raise TapeError(
                    f"{self.path}: line {number}: {first['msg']}; the tape was altered or is another version's"
                ) from error
            if entry.digest != digest_of(entry.who, entry.request):
                raise TapeError(
                    f"{self.path}: line {number}: the request does not have the digest it states; the tape was altered"
                )
            if entry.digest in self._known:
                raise TapeError(f"{self.path}: line {number}: a second reply to one request; the tape was altered")
            self._known[entry.digest] = entry

    def _unheard(self, who: str, label: str, request: JsonValue) -> str:
        same = [e for e in self if e.label == label]
        hint = (
            "the tape has none with this label"
            if not same
            else "the tape has one with this label, asked in other words"
        )
        digest = digest_of(who, request)[:12]
        return (
            f"request {digest} ({who}, {label}) is not on the tape {self.path.stem}, which holds {len(self)}: {hint}; "
            "replay with the code, skills and data it was recorded with, or research anew with a model"
        )


def line_digest(entry: Exchange) -> str:
    """SHA-256 of the tape's line: what the ledger vouches for."""
    return hashlib.sha256(canonical_json(entry.model_dump(mode="json")).encode()).hexdigest()
