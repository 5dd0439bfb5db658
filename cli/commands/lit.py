"""`cws lit`: what is published, and what was read in this workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import Console

    from cli.session import Session
    from harness.literature.document import Document
    from harness.literature.index import Source
    from harness.literature.port import Literature
    from harness.literature.shelf import Shelf

app = command_file("Published predictors and effects, and documents read.")


@app.command()
def search(
    query: Annotated[str, typer.Argument(metavar="[QUERY]", help="Words; none lists all.")] = "",
    family: Annotated[str | None, typer.Option(help="Only this family, such as value or momentum.")] = None,
    constructible: Annotated[bool, typer.Option(help="Only what bars and facts can make.")] = False,
    live: Annotated[
        str | None, typer.Option(help="Ask outside instead: openalex, arxiv or semantic_scholar.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most this many, 1 to 500; outside 1 to 50.")] = 10,
    json: Json = False,
) -> None:
    """Sources nearest to the words, best first; documents that `cws lit add` read stand behind them."""
    from harness.literature.search import find

    if not 1 <= limit <= 500:
        raise RequestError(f"--limit is {limit}", "give a number from 1 to 500")
    if live is not None:
        _outside(live, query, limit, json)
        return
    try:
        found = find(query, limit=limit, family=family, constructible=constructible)
    except ValueError as error:
        raise RequestError(str(error)) from error
    read = _read_here(query, limit) if family is None and not constructible else ()
    emit(
        {"query": query, "sources": [{**f.source.model_dump(), "score": f.score} for f in found], "documents": read},
        json,
        lambda out: _list(out, [f.source for f in found], read),
    )


@app.command()
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `cws lit search` prints it.")], json: Json = False
) -> None:
    """One source or document in full."""
    from difflib import get_close_matches

    from cli.present_lit import show_document, show_source
    from harness.literature.index import load_index, source_of

    source = source_of(key)
    if source is not None:
        emit(source, json, lambda out: show_source(out, source))
        return
    documents = {d.key: d for d in _shelf().documents()}
    if key in documents:
        emit(documents[key], json, lambda out: show_document(out, documents[key]))
        return
    near = get_close_matches(key, [*(s.key for s in load_index()), *documents], n=3)
    raise RequestError(
        f"source {key!r} is neither in the index nor on the shelf",
        f"did you mean {', '.join(near)}?" if near else "`cws lit search WORDS` finds keys",
    )


@app.command()
def add(
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="A DOI, arxiv:ID, a web address, or a PDF, page or text file."),
    ],
    json: Json = False,
) -> None:
    """Read documents and put them on the shelf of this workspace, where research finds them.

    They are data: nothing in them is run or obeyed. What came from outside is kept on a tape below .cws/tapes.
    """
    from cli.present_lit import list_documents
    from cli.session import session
    from harness.literature.live.choose import source_for

    with session() as s:
        shelf, room = _shelf(), _Outside(s)
        added = []
        for one in what:
            name, identifier = source_for(one)
            document = room.source(name).fetch(identifier)
            added.append({**document.model_dump(), "new": shelf.add(document)})
    emit({"added": added}, json, lambda out: list_documents(out, added))


def _outside(name: str, query: str, limit: int, json: bool) -> None:
    from cli.present_lit import list_documents
    from cli.session import session
    from harness.literature.live.choose import SEARCHABLE

    if name not in SEARCHABLE:
        raise RequestError(f"--live is {name!r}", f"give one of {', '.join(SEARCHABLE)}")
    with session() as s:
        found = _Outside(s).source(name).search(query, limit)
    rows = [d.model_dump() for d in found]
    emit({"query": query, "asked": name, "documents": rows}, json, lambda out: list_documents(out, rows))


class _Outside:
    """Sources outside for one command: one tape, every exchange in the ledger."""

    def __init__(self, session: Session) -> None:
        from harness.llm.tape import Tape, tape_path
        from modules.pipeline import new_run_id

        self.id = f"lit-{new_run_id()}"
        self._session = session
        self._tape = Tape(tape_path(session.workspace.home, self.id))

    def source(self, name: str) -> Literature:
        """The source of this name, with its key from the environment."""
        import os

        from harness.literature.live.choose import live_source
        from harness.llm.recorder import event_of

        return live_source(
            name, tape=self._tape, environment=os.environ, heard=lambda e: self._session.emit(event_of(self.id, e))
        )


def _shelf() -> Shelf:
    from harness.literature.shelf import Shelf, shelf_of
    from modules.workspace import Workspace

    return Shelf(shelf_of(Workspace.here().home))


def _read_here(query: str, limit: int) -> tuple[Document, ...]:
    shelf = _shelf()
    return shelf.search(query, min(limit, 50)) if query.strip() else shelf.documents()[:limit]


def _list(out: Console, sources: list[Source], documents: tuple[Document, ...]) -> None:
    from cli.present_lit import list_documents, list_sources

    if not sources and not documents:
        out.print("nothing in the index or on the shelf shares a word with that", markup=False)
    if sources:
        list_sources(out, sources)
    if documents:
        list_documents(out, [d.model_dump() for d in documents])
