"""One suite for every source: OpenAlex, arXiv, Semantic Scholar, each live and from its tape, the index and the shelf.

1. A search gives at most `limit` documents, each clean: no control or invisible character, nothing over its length.
2. The same question has the same answer; documents differ from each other by key.
3. `fetch` gives the one document; a document that does not exist is NOT_FOUND; no identifier at all is BAD_REQUEST or
   NOT_FOUND. A search for nothing, or for no words, says so.
4. Words that nobody wrote find nothing, and that is no error.
5. From the tape alone a source answers what was asked before, bit for bit, and nothing else (NOT_ON_TAPE).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from harness.literature.document import MAX_NAME, MAX_TEXT, MAX_TITLE, Document, make_document
from harness.literature.live.arxiv import Arxiv
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Web
from harness.literature.port import Literature, LiteratureError, LiteratureReason
from harness.literature.shelf import Shelf
from harness.literature.shipped import Shipped
from harness.llm.tape import Tape
from tests.harness.literature.live.conftest import Make
from tests.harness.literature.live.servers import MISSING, PAPERS, Service

KINDS: dict[str, Callable[[Web, str], Literature]] = {
    "openalex": OpenAlex, "arxiv": Arxiv, "semantic_scholar": SemanticScholar,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A source with an identifier that it has and one that it has not."""

    source: Literature
    there: str
    missing: str


@pytest.fixture(params=[*KINDS, *(f"{k} from its tape" for k in KINDS), "index", "shelf"])
def case(request: pytest.FixtureRequest, make: Make, server: HTTPServer, tmp_path: Path) -> Case:
    kind = request.param.split(" ")[0]
    if kind == "index":
        return Case(Shipped(), "jegadeesh-titman-1993", "nobody-1900")
    if kind == "shelf":
        shelf = Shelf(tmp_path / "shelf")
        for title, text, author, doi, _ in PAPERS:
            shelf.add(
                make_document(
                    origin="openalex", identifier=doi, title=title, authors=(author,), text=text, read_on="2026-01-01"
                )
            )
        return Case(shelf, "openalex-10.1111-j.1", "openalex-none")
    there = "2301.00001" if kind == "arxiv" else "10.1111/j.1"
    missing = "2301.99999" if kind == "arxiv" else MISSING
    if "tape" not in request.param:
        return Case(make(kind), there, missing)
    path = tmp_path / "tape.jsonl"
    heard = make(kind, Tape(path))
    for words, limit in (("losers winners", 2), ("losers winners", 50), ("qwertz xnothing", 5)):
        heard.search(words, limit)
    heard.fetch(there)
    with pytest.raises(LiteratureError):
        heard.fetch(missing)
    url = Service(server).url
    server.clear()
    return Case(KINDS[kind](Web(kind, Tape(path, ask_outside=False)), url), there, missing)


def assert_clean(document: Document) -> None:
    texts = [document.title, document.venue, document.text, document.identifier, document.url or "", *document.authors]
    for text in texts:
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Cn")], text
    assert 0 < len(document.title) <= MAX_TITLE and len(document.text) <= MAX_TEXT
    assert all(0 < len(a) <= MAX_NAME for a in document.authors)


def test_1_2_a_search_is_bounded_clean_and_repeatable(case: Case) -> None:
    two = case.source.search("losers winners", 2)
    assert len(two) == 2
    all_ = case.source.search("losers winners", 50)
    assert all_[:2] == two and len({d.key for d in all_}) == len(all_)
    for document in all_:
        assert_clean(document)
    assert case.source.search("losers winners", 50) == all_


def test_3_one_document(case: Case) -> None:
    found = case.source.fetch(case.there)
    assert_clean(found)
    assert found.published in ("1993", "1993-03-01", None) and "Winners" in found.title
    with pytest.raises(LiteratureError) as missing:
        case.source.fetch(case.missing)
    assert missing.value.reason in (LiteratureReason.NOT_FOUND, LiteratureReason.NOT_ON_TAPE)
    for nothing in ("", "not an identifier", "../../etc/passwd", "http://127.0.0.1/x"):
        with pytest.raises(LiteratureError) as refused:
            case.source.fetch(nothing)
        assert refused.value.reason in (LiteratureReason.NOT_FOUND, LiteratureReason.BAD_REQUEST)


@pytest.mark.parametrize(("query", "limit"), [("", 5), (" \u200b\n", 5), ("words", 0), ("words", 51)])
def test_3_a_search_for_nothing_is_refused(case: Case, query: str, limit: int) -> None:
    with pytest.raises(LiteratureError) as refused:
        case.source.search(query, limit)
    assert refused.value.reason is LiteratureReason.BAD_REQUEST


def test_4_words_that_nobody_wrote(case: Case) -> None:
    assert case.source.search("qwertz xnothing", 5) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_5_the_tape_answers_what_was_asked_and_nothing_else(
    kind: str, make: Make, tmp_path: Path, server: HTTPServer
) -> None:
    path = tmp_path / "tape.jsonl"
    heard = make(kind, Tape(path)).search("losers winners", 3)
    asked = len(Service(server).requests)
    replayed = KINDS[kind](Web(kind, Tape(path, ask_outside=False)), Service(server).url)
    assert replayed.search("losers winners", 3) == heard
    with pytest.raises(LiteratureError) as other:
        replayed.search("other words", 3)
    assert other.value.reason is LiteratureReason.NOT_ON_TAPE
    assert len(Service(server).requests) == asked
