"""The documents that were read in this workspace: one JSON file each, named by key, searched by words."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.literature.document import Document
from harness.literature.port import LiteratureError, checked_query
from harness.literature.port import LiteratureReason as Reason
from harness.retrieval import Retriever
from modules.artifacts import write_whole
from modules.canonical import canonical_json

MAX_DOCUMENTS = 5_000
MAX_FILE_BYTES = 1 << 20


def shelf_of(home: Path) -> Path:
    """Where the shelf stands in a workspace's home."""
    return home / "literature"


class Shelf:
    """A folder of documents. Adding one again replaces it; a crash leaves the old one or the new one."""

    name = "shelf"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, document: Document) -> bool:
        """Keep the document; False where its very content was there. Raises LiteratureError where the shelf is full."""
        path = self.folder / f"{document.key}.json"
        if path.exists() and _read(path).digest == document.digest:
            return False
        if not path.exists() and sum(1 for _ in self.folder.glob("*.json")) >= MAX_DOCUMENTS:
            raise LiteratureError(
                Reason.TOO_LARGE, f"{self.folder} holds {MAX_DOCUMENTS} documents; delete those that you do not need"
            )
        write_whole(path, canonical_json(document.model_dump(mode="json")).encode() + b"\n")
        return True

    def documents(self) -> tuple[Document, ...]:
        """All of them, by key. Raises LiteratureError, MALFORMED, for a file that was altered."""
        return tuple(_read(p) for p in sorted(self.folder.glob("*.json"))[:MAX_DOCUMENTS])

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        """Documents nearest to the words."""
        asked, documents = checked_query(self.name, query, limit), self.documents()
        if not documents:
            return ()
        index = Retriever([f"{d.title} {d.title} {d.text} {' '.join(d.authors)}" for d in documents])
        return tuple(documents[hit.place] for hit in index.best(asked, limit))

    def fetch(self, identifier: str) -> Document:
        """The document with this key."""
        found = next((d for d in self.documents() if d.key == identifier.strip()), None)
        if found is None:
            raise LiteratureError(
                Reason.NOT_FOUND, f"{self.name}: there is no {identifier[:80]!r}; `cws lit add` puts documents there"
            )
        return found


def _read(path: Path) -> Document:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"more than {MAX_FILE_BYTES} bytes")
        document = Document.model_validate_json(path.read_bytes())
        if document.key != path.stem:
            raise ValueError(f"holds {document.key}")
    except (OSError, ValidationError, ValueError) as error:
        first = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise LiteratureError(Reason.MALFORMED, f"{path}: {first}; delete it and add the document again") from error
    return document
