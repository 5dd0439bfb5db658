"""A web page to its title, its citation tags and its visible text. Scripts, styles and hidden parts are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_CHARACTERS = 100_000
_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "head"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


@dataclass
class PageText:
    """What a page shows. The tags are those that publishers set for scholarly search engines."""

    title: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    venue: str = ""
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page, self.length = PageText(), 0
        self._parts: list[str] = []
        self._silent: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta":
            self._meta((given.get("name") or "").lower(), given.get("content") or "")
        elif tag == "title":
            self._in_title = True
        if tag in _VOID:
            return
        hidden = "hidden" in given or "display:none" in (given.get("style") or "").replace(" ", "").lower()
        if self._silent or tag in _SILENT or hidden:
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._in_title and len(self.page.title) < 1_000:
            self.page.title += data
        if not self._silent and self.length < MAX_CHARACTERS:
            self._parts.append(data)
            self.length += len(data)

    def _meta(self, name: str, content: str) -> None:
        page = self.page
        if name == "citation_title":
            page.title = content[:1_000]
            self._in_title = False
        elif name == "citation_author" and len(page.authors) < 50:
            page.authors.append(content[:500])
        elif name in ("citation_publication_date", "citation_date") and not page.published:
            page.published = content[:40]
        elif name == "citation_journal_title":
            page.venue = content[:500]

    def finish(self) -> PageText:
        self.close()
        self.page.text = " ".join(self._parts)[:MAX_CHARACTERS]
        return self.page


def page_text(html: str) -> PageText:
    """What the page shows; never raises, whatever the markup."""
    reader = _Reader()
    reader.feed(html)
    return reader.finish()
