"""The port that every source of literature fills: words or an identifier in; documents, or an error that says why."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from harness.literature.document import Document

MAX_QUERY = 300
MAX_LIMIT = 50


class LiteratureReason(StrEnum):
    """Why there is no answer. The first three may pass by themselves and are tried again, within the deadline."""

    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    OFF_LIST = "off_list"
    NOT_ON_TAPE = "not_on_tape"


PASSING = frozenset({LiteratureReason.RATE_LIMITED, LiteratureReason.UNAVAILABLE, LiteratureReason.CONNECTION})


class LiteratureError(Exception):
    """No document: who was asked, why there is none, and the remedy. `wait_s`: how long the source asked to wait."""

    def __init__(self, reason: LiteratureReason, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.wait_s = wait_s


class Literature(Protocol):
    """A source. Equal questions have equal answers as long as the source (or its tape) stays as it is."""

    @property
    def name(self) -> str:
        """Its name on the tape and in reports."""
        ...

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """At most `limit` documents on the words, nearest first. Raises LiteratureError."""
        ...

    def fetch(self, identifier: str) -> Document:
        """The one document. Raises LiteratureError, NOT_FOUND where there is none."""
        ...


def checked_query(name: str, query: str, limit: int) -> str:
    """The query in one line, or BAD_REQUEST."""
    from harness.literature.quoting import clean

    asked = clean(query, MAX_QUERY)
    if not asked:
        raise LiteratureError(LiteratureReason.BAD_REQUEST, f"{name}: the query is empty; give it words")
    if not 1 <= limit <= MAX_LIMIT:
        raise LiteratureError(LiteratureReason.BAD_REQUEST, f"{name}: limit is {limit}; ask for 1 to {MAX_LIMIT}")
    return asked
