"""A publication as read: what it is, where from, and when. Its words are data."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.literature.quoting import clean
from modules.canonical import digest_json

Origin = Literal["index", "openalex", "arxiv", "semantic_scholar", "pdf", "url"]

MAX_TITLE, MAX_NAME, MAX_AUTHORS, MAX_VENUE, MAX_TEXT = 300, 120, 20, 200, 20_000
_DATE = re.compile(r"(?P<year>(?:1[89]|20)\d\d)(?:[-/](?P<month>\d{1,2})(?:[-/](?P<day>\d{1,2}))?)?")
_KEY = r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$"


class Document(BaseModel):
    """One publication. `text` is its abstract or as much of its text as is kept.

    `published`: `YYYY`, `YYYY-MM` or `YYYY-MM-DD` as its source states it, None where it states none. `read_on`: the
    day on which we asked, UTC. `digest` covers all but `read_on`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=_KEY, max_length=120)
    origin: Origin
    identifier: str = Field(min_length=1, max_length=500)
    title: str = Field(min_length=1, max_length=MAX_TITLE)
    authors: tuple[str, ...] = Field(default=(), max_length=MAX_AUTHORS)
    published: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    venue: str = Field(default="", max_length=MAX_VENUE)
    text: str = Field(default="", max_length=MAX_TEXT)
    url: str | None = Field(default=None, max_length=2_000)
    read_on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the day of reading."""
        return digest_json(self.model_dump(mode="json", exclude={"read_on"}))

    @property
    def citation(self) -> str:
        """`Authors (published), title, venue`, with what is known."""
        who = ", ".join(self.authors[:3]) + (" and others" if len(self.authors) > 3 else "")
        when = f" ({self.published})" if self.published else ""
        return ", ".join(p for p in (f"{who}{when}".strip(), self.title, self.venue) if p)


def make_document(
    *,
    origin: Origin,
    identifier: str,
    title: str,
    read_on: str,
    authors: tuple[str, ...] = (),
    published: str | None = None,
    venue: str = "",
    text: str = "",
    url: str | None = None,
) -> Document:
    """A document of raw parts: every text cleaned and cut, the date read as far as it is one."""
    shown = clean(identifier, 500) or "unknown"
    return Document(
        key=key_of(origin, shown),
        origin=origin,
        identifier=shown,
        title=clean(title, MAX_TITLE) or "(no title)",
        authors=tuple(n for a in authors[:MAX_AUTHORS] if (n := clean(a, MAX_NAME))),
        published=date_of(published),
        venue=clean(venue, MAX_VENUE),
        text=clean(text, MAX_TEXT),
        url=clean(url, 2_000) if url else None,
        read_on=read_on,
    )


def key_of(origin: str, identifier: str) -> str:
    """`arxiv-2301.12345`: safe as a file name. Addresses and file names, and what does not fit, end in a digest of the
    whole, so that no two of them share a key."""
    plain = re.sub(r"[^a-z0-9.]+", "-", identifier.lower()).strip("-.")
    plain = re.sub(r"[.-]*([.-])[.-]*", r"\1", plain)
    if not plain or len(plain) > 60 or origin in ("url", "pdf"):
        plain = f"{plain[:40].strip('-.')}-{digest_json(identifier)[:12]}".strip("-.")
    return f"{origin.replace('_', '-')}-{plain}"


def date_of(text: str | None) -> str | None:
    """The date at the start of a text, as far as it is one: `2013/6` is `2013-06`; None where there is none."""
    found = _DATE.match(text.strip()) if text else None
    if found is None:
        return None
    year, month, day = found["year"], int(found["month"] or 0), int(found["day"] or 0)
    if not 1 <= month <= 12:
        return year
    return f"{year}-{month:02d}-{day:02d}" if 1 <= day <= 31 else f"{year}-{month:02d}"
