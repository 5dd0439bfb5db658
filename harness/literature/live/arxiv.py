"""arXiv: preprints, as an Atom feed; one request every three seconds, no key.

https://info.arxiv.org/help/api/user-manual.html: `GET /api/query?search_query=|id_list=&max_results=`. It says errors
in a feed with status 200 and one entry titled "Error", and that it is asked too much in a line of plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

from harness.literature.document import Document, make_document
from harness.literature.live.web import Page, Web
from harness.literature.port import LiteratureError, checked_query
from harness.literature.port import LiteratureReason as Reason

BASE_URL = "https://export.arxiv.org"
PACE_S = 3.0
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_ID = re.compile(
    r"(?:https?://(?:export\.|www\.)?arxiv\.org/(?:abs|pdf)/|arxiv:)?"
    r"(\d{4}\.\d{4,5}|[a-z-]{2,12}(?:\.[A-Z]{2})?/\d{7})(v\d{1,3})?(?:\.pdf)?",
    re.IGNORECASE,
)


@dataclass
class Arxiv:
    """The source. `base_url` serves mirrors and tests."""

    web: Web = field(default_factory=lambda: Web("arxiv", pace_s=PACE_S))
    base_url: str = BASE_URL
    name: str = "arxiv"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Preprints that hold every word, by relevance."""
        asked = checked_query(self.name, query, limit)
        words = re.findall(r"\w+", asked)[:20]
        if not words:
            raise LiteratureError(Reason.BAD_REQUEST, f"{self.name}: {asked[:80]!r} holds no word; give it words")
        terms = " AND ".join(f"all:{w}" for w in words)
        page = self._ask(
            {"search_query": terms, "start": "0", "max_results": str(limit), "sortBy": "relevance"}, "search"
        )
        return tuple(_documents(self.name, page))[:limit]

    def fetch(self, identifier: str) -> Document:
        """The preprint with this id, its newest version unless one is named."""
        found = _ID.fullmatch(identifier.strip())
        if found is None:
            raise LiteratureError(
                Reason.BAD_REQUEST, f"{self.name}: {identifier[:80]!r} is no id such as 2301.12345 or q-fin/0301001"
            )
        documents = list(
            _documents(self.name, self._ask({"id_list": found[1] + (found[2] or ""), "max_results": "1"}, "fetch"))
        )
        if not documents:
            raise LiteratureError(Reason.NOT_FOUND, f"{self.name}: there is no {found[1]}; check the identifier")
        return documents[0]

    def _ask(self, params: dict[str, str], label: str) -> Page:
        return self.web.get(f"{self.base_url}/api/query", params, label=label)


def _documents(who: str, page: Page) -> list[Document]:
    found = []
    for entry in _feed(who, page).findall(f"{_ATOM}entry"):
        link, title = _text(entry, f"{_ATOM}id"), _text(entry, f"{_ATOM}title")
        if title.strip().lower() == "error":
            reason = _text(entry, f"{_ATOM}summary")[:120]
            raise LiteratureError(Reason.BAD_REQUEST, f"{who}: refused the query ({reason!r}); change it")
        known = _ID.search(link)
        doi = _text(entry, f"{_ARXIV}doi")
        found.append(
            make_document(
                origin="arxiv",
                identifier=known[1] + (known[2] or "") if known else link,
                title=title,
                authors=tuple(_text(a, f"{_ATOM}name") for a in entry.findall(f"{_ATOM}author")),
                published=_text(entry, f"{_ATOM}published"),
                venue=_text(entry, f"{_ARXIV}journal_ref") or "arXiv",
                text=_text(entry, f"{_ATOM}summary"),
                url=f"https://arxiv.org/abs/{known[1]}" if known else (f"https://doi.org/{doi}" if doi else None),
                read_on=page.read_on,
            )
        )
    return found


def _feed(who: str, page: Page) -> ElementTree.Element:
    if page.body.strip().lower().startswith(b"rate exceeded"):
        raise LiteratureError(Reason.RATE_LIMITED, f"{who}: too many requests; wait a minute and try again")
    # Entities are how XML is made to explode or to read files; a feed has no use for a document type.
    if b"<!DOCTYPE" in page.body or b"<!ENTITY" in page.body:
        raise LiteratureError(Reason.MALFORMED, f"{who}: the feed declares a document type; not read")
    try:
        root = ElementTree.fromstring(page.body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise LiteratureError(Reason.MALFORMED, f"{who}: the answer is no Atom feed; try later") from error
    if root.tag != f"{_ATOM}feed":
        raise LiteratureError(Reason.MALFORMED, f"{who}: the answer is {root.tag[:60]!r}, not an Atom feed; try later")
    return root


def _text(parent: ElementTree.Element, tag: str) -> str:
    return (parent.findtext(tag) or "").strip()
