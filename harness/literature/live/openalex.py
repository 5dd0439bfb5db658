"""OpenAlex: works of all fields, with abstracts. A free key (`OPENALEX_API_KEY`) allows 1,000 searches a day.

https://developers.openalex.org: `GET /works?search=&per_page=`, `GET /works/doi:...`; abstracts are inverted indexes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from harness.literature.document import Document, make_document
from harness.literature.live.reading import as_map, as_maps, json_of, text_of
from harness.literature.live.web import Page, Web
from harness.literature.port import LiteratureError, checked_query
from harness.literature.port import LiteratureReason as Reason

BASE_URL = "https://api.openalex.org"
FIELDS = "id,doi,display_name,publication_date,publication_year,authorships,primary_location,abstract_inverted_index"
MAX_WORDS = 5_000
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/[^\s\"<>?#]{1,200})", re.IGNORECASE)
_WORK = re.compile(r"(?:https?://openalex\.org/)?(W\d{1,15})", re.IGNORECASE)


@dataclass
class OpenAlex:
    """The source. `base_url` serves mirrors and tests."""

    web: Web = field(default_factory=lambda: Web("openalex"))
    base_url: str = BASE_URL
    name: str = "openalex"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Works whose title, abstract or text holds the words."""
        asked = checked_query(self.name, query, limit)
        params = {"search": asked, "per_page": str(limit), "select": FIELDS}
        page = self.web.get(f"{self.base_url}/works", params, label="search")
        found = as_maps(json_of(self.name, page), "results", self.name)
        return tuple(_document(w, page) for w in found[:limit])

    def fetch(self, identifier: str) -> Document:
        """The work with this DOI or OpenAlex id."""
        work, doi = _WORK.fullmatch(identifier.strip()), _DOI.fullmatch(identifier.strip())
        if work is None and doi is None:
            raise LiteratureError(
                Reason.BAD_REQUEST, f"{self.name}: {identifier[:80]!r} is neither a DOI (10.1000/x) nor an id (W123)"
            )
        path = work[1].upper() if work else f"doi:{quote(doi[1], safe='/')}" if doi else ""
        page = self.web.get(f"{self.base_url}/works/{path}", {"select": FIELDS}, label="fetch")
        return _document(json_of(self.name, page), page)


def _document(work: dict[str, object], page: Page) -> Document:
    location = as_map(work.get("primary_location"))
    doi = _DOI.search(text_of(work.get("doi")))
    people = [as_map(as_map(a).get("author")) for a in _items(work.get("authorships"))]
    return make_document(
        origin="openalex",
        identifier=f"doi:{doi[1]}" if doi else text_of(work.get("id")).rsplit("/", 1)[-1],
        title=text_of(work.get("display_name") or work.get("title")),
        authors=tuple(text_of(p.get("display_name")) for p in people),
        published=text_of(work.get("publication_date")) or text_of(work.get("publication_year")),
        venue=text_of(as_map(location.get("source")).get("display_name")),
        text=_abstract(work.get("abstract_inverted_index")),
        url=text_of(location.get("landing_page_url")) or (f"https://doi.org/{doi[1]}" if doi else None),
        read_on=page.read_on,
    )


def _abstract(inverted: object) -> str:
    """Words by their places, put back in order."""
    placed: list[tuple[int, str]] = []
    for word, places in as_map(inverted).items():
        placed += [(p, word) for p in _items(places) if isinstance(p, int) and not isinstance(p, bool)]
        if len(placed) > MAX_WORDS:
            break
    return " ".join(word for _, word in sorted(placed)[:MAX_WORDS])


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
