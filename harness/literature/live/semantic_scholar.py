"""Semantic Scholar: papers with abstracts. Without a key the whole world shares one allowance, so 429 is common;
`SEMANTIC_SCHOLAR_API_KEY` gives one request a second.

https://api.semanticscholar.org/api-docs/graph: `GET /graph/v1/paper/search?query=&limit=&fields=`,
`GET /graph/v1/paper/DOI:...|ARXIV:...|<paper id>`; the key goes in the header `x-api-key`.
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

BASE_URL = "https://api.semanticscholar.org"
PACE_S = 1.0
FIELDS = "title,abstract,authors,year,publicationDate,venue,externalIds,url"
_PAPER = re.compile(
    r"(?:DOI:)?(10\.\d{4,9}/[^\s\"<>?#]{1,200})|(?:ARXIV:)(\d{4}\.\d{4,5})|([0-9a-f]{40})", re.IGNORECASE
)


@dataclass
class SemanticScholar:
    """The source. `base_url` serves mirrors and tests."""

    web: Web = field(default_factory=lambda: Web("semantic_scholar", pace_s=PACE_S))
    base_url: str = BASE_URL
    name: str = "semantic_scholar"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Papers on the words, by relevance."""
        asked = checked_query(self.name, query, limit)
        params = {"query": asked, "limit": str(limit), "fields": FIELDS}
        page = self.web.get(f"{self.base_url}/graph/v1/paper/search", params, label="search")
        answer = json_of(self.name, page)
        if answer.get("total") == 0 and "data" not in answer:  # nothing found is said without a list
            return ()
        return tuple(_document(p, page) for p in as_maps(answer, "data", self.name)[:limit])

    def fetch(self, identifier: str) -> Document:
        """The paper with this DOI, arXiv id (`ARXIV:2301.12345`) or Semantic Scholar id."""
        found = _PAPER.fullmatch(identifier.strip())
        if found is None:
            raise LiteratureError(
                Reason.BAD_REQUEST,
                f"{self.name}: {identifier[:80]!r} is neither a DOI, ARXIV:2301.12345 nor an id of 40 hex digits",
            )
        doi, arxiv, own = found.groups()
        paper = f"DOI:{doi}" if doi else f"ARXIV:{arxiv}" if arxiv else own.lower()
        url = f"{self.base_url}/graph/v1/paper/{quote(paper, safe='/:')}"
        page = self.web.get(url, {"fields": FIELDS}, label="fetch")
        return _document(json_of(self.name, page), page)


def _document(paper: dict[str, object], page: Page) -> Document:
    ids = as_map(paper.get("externalIds"))
    doi, arxiv = text_of(ids.get("DOI")), text_of(ids.get("ArXiv"))
    authors = paper.get("authors")
    people = authors if isinstance(authors, list) else []
    return make_document(
        origin="semantic_scholar",
        identifier=f"doi:{doi}" if doi else f"arxiv:{arxiv}" if arxiv else text_of(paper.get("paperId")),
        title=text_of(paper.get("title")),
        authors=tuple(text_of(as_map(a).get("name")) for a in people),
        published=text_of(paper.get("publicationDate")) or text_of(paper.get("year")),
        venue=text_of(paper.get("venue")),
        text=text_of(paper.get("abstract")),
        url=text_of(paper.get("url")) or None,
        read_on=page.read_on,
    )
