"""The shipped index behind the port of sources."""

from __future__ import annotations

from harness.literature.document import Document, make_document
from harness.literature.index import INDEX_DATE, Source, source_of
from harness.literature.port import LiteratureError, checked_query
from harness.literature.port import LiteratureReason as Reason
from harness.literature.search import find


class Shipped:
    """What ships with the checkout: no network, no tape."""

    name = "index"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Sources nearest to the words."""
        return tuple(_document(f.source) for f in find(checked_query(self.name, query, limit), limit=limit))

    def fetch(self, identifier: str) -> Document:
        """The source with this key."""
        source = source_of(identifier.strip())
        if source is None:
            raise LiteratureError(
                Reason.NOT_FOUND, f"{self.name}: there is no {identifier[:80]!r}; `cws lit search WORDS` finds keys"
            )
        return _document(source)


def _document(source: Source) -> Document:
    return make_document(
        origin="index",
        identifier=source.key,
        title=source.title,
        authors=tuple(a for part in source.authors.split(" and ") for a in part.split(", ")),
        published=str(source.year),
        venue=source.journal,
        text=source.claim,
        read_on=INDEX_DATE,
    )
