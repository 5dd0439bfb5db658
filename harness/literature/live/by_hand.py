"""Documents given by hand: a PDF or text file, or a web address of one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.literature.document import Document, make_document
from harness.literature.live.pagetext import page_text
from harness.literature.live.web import MAX_BYTES, Page, Web
from harness.literature.port import LiteratureError
from harness.literature.port import LiteratureReason as Reason

WORKER = Path(__file__).resolve().parent / "pdfworker.py"
PDF_SECONDS = 30.0
_TEXTS = frozenset({"text/plain", "text/markdown", ""})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})


@dataclass
class ByHand:
    """Fetches what it is pointed to, and searches nothing."""

    web: Web = field(default_factory=lambda: Web("by_hand", elsewhere=True))
    name: str = "by_hand"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Nothing: documents by hand are named, not found."""
        return ()

    def fetch(self, identifier: str) -> Document:
        """The document at a web address, or in a file. Raises LiteratureError."""
        given = identifier.strip()
        if given.startswith(("http://", "https://")):
            return _of_page(self.name, given, self.web.get(given, label="fetch"))
        return read_file(Path(given))


def read_file(path: Path) -> Document:
    """A PDF, a page or a text on disk; its name is only ever shown."""
    name = "by_hand"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LiteratureError(Reason.TOO_LARGE, f"{path}: more than {MAX_BYTES} bytes; give a smaller document")
        body = path.read_bytes()
    except (OSError, ValueError) as error:
        raise LiteratureError(
            Reason.NOT_FOUND, f"{str(path)[:200]!r}: cannot be read ({error}); check the path"
        ) from error
    media = "text/html" if path.suffix.lower() in (".html", ".htm") else ""
    page = Page(body, media, time.strftime("%Y-%m-%d", time.gmtime()), "")
    return _of_page(name, path.name, page)


def _of_page(who: str, identifier: str, page: Page) -> Document:
    url = page.url or None
    if page.body[:1024].lstrip().startswith(b"%PDF-"):
        return _of_pdf(who, identifier, page, url)
    if page.media in _PAGES:
        read = page_text(page.body.decode("utf-8", "replace"))
        return make_document(
            origin="url", identifier=identifier, title=read.title or identifier, authors=tuple(read.authors),
            published=read.published, venue=read.venue, text=read.text, url=url, read_on=page.read_on,
        )  # fmt: skip
    if page.media in _TEXTS and b"\0" not in page.body:
        text = page.body.decode("utf-8", "replace")
        title = next((line.strip("# ") for line in text.splitlines() if line.strip("# ")), identifier)
        return make_document(origin="url", identifier=identifier, title=title, text=text, url=url, read_on=page.read_on)
    raise LiteratureError(
        Reason.UNREADABLE, f"{who}: {identifier[:80]!r} is {page.media or 'binary'}; give a PDF, a page or plain text"
    )


def _of_pdf(who: str, identifier: str, page: Page, url: str | None) -> Document:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(WORKER)],
            input=page.body,
            capture_output=True,
            timeout=PDF_SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LiteratureError(
            Reason.UNREADABLE, f"{who}: the PDF took more than {PDF_SECONDS:g} s; give its text"
        ) from error
    if done.returncode == 3:
        raise LiteratureError(Reason.UNREADABLE, f"{who}: the PDF is encrypted; give a copy without a password")
    if done.returncode != 0:
        raise LiteratureError(
            Reason.UNREADABLE, f"{who}: no text could be read from the PDF; give its text or its page"
        )
    found = json.loads(done.stdout)
    text = found["text"]
    title = found["title"] or next((line for line in text.splitlines() if len(line.strip()) > 10), identifier)
    authors = tuple(a for a in found["author"].replace(" and ", ",").replace(";", ",").split(",") if a.strip())
    return make_document(
        origin="pdf", identifier=identifier, title=title, authors=authors, text=text, url=url, read_on=page.read_on
    )
