"""Stand-ins for the services, on this machine: they answer real HTTP in the shapes that the services document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

WINNERS = "Winners of the past year beat losers over the next months."
LOSERS = "Losers of one month beat winners in the next, and it fades with size."
UGLY = "Abstract with\x00 control\x1b[31m characters & <b>markup</b>."
PAPERS = (
    ("Returns to Buying Winners", WINNERS, "Jegadeesh", "10.1111/j.1", "2301.00001"),
    ("Short-Term Reversal", LOSERS, "Rösch", "10.1111/j.2", "2301.00002"),
    ("Überraschung \u202e evil \u200b", UGLY, "A" * 500, "10.1111/j.3", "2301.00003"),
)
"""Title, abstract, author, DOI, arXiv id."""
MISSING = "10.1111/none"


@dataclass
class Service:
    """A running stand-in: where it listens, what was asked of it."""

    server: HTTPServer

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    @property
    def requests(self) -> list[Request]:
        return [request for request, _ in self.server.log]


def openalex(server: HTTPServer) -> None:
    """https://developers.openalex.org/api-reference/works"""

    def inverted(text: str) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, word in enumerate(text.split(" ")):
            places.setdefault(word, []).append(place)
        return places

    def work(place: int) -> dict[str, object]:
        title, text, author, doi, _ = PAPERS[place]
        return {
            "id": f"https://openalex.org/W{place + 1}",
            "doi": f"https://doi.org/{doi}",
            "display_name": title,
            "publication_year": 1993,
            "publication_date": "1993-03-01",
            "authorships": [{"author_position": "first", "author": {"id": "x", "display_name": author}}],
            "primary_location": {
                "landing_page_url": f"https://doi.org/{doi}",
                "source": {"display_name": "The Journal of Finance"},
            },
            "abstract_inverted_index": inverted(text),
        }

    def works(request: Request) -> Response:
        limit = int(request.args.get("per_page", "25"))
        found = [work(i) for i in range(len(PAPERS))] if "nothing" not in request.args["search"] else []
        return _json({"meta": {"count": len(found), "per_page": limit, "page": 1}, "results": found[:limit]})

    server.expect_request("/works").respond_with_handler(works)
    server.expect_request("/works/W1").respond_with_handler(lambda _: _json(work(0)))
    server.expect_request("/works/doi:10.1111/j.1").respond_with_handler(lambda _: _json(work(0)))
    server.expect_request(f"/works/doi:{MISSING}").respond_with_data("<!doctype html><title>404</title>", status=404)


def arxiv(server: HTTPServer) -> None:
    """https://info.arxiv.org/help/api/user-manual.html: a feed even for errors."""

    def entry(place: int) -> str:
        title, text, author, doi, known = PAPERS[place]
        bare = "".join(c for c in text if c >= " ")  # XML cannot hold control characters
        return (
            f"<entry><id>http://arxiv.org/abs/{known}v2</id><updated>2023-02-01T00:00:00Z</updated>"
            f"<published>1993-03-01T18:00:00Z</published><title>{escape(title)}</title>"
            f"<summary>  {escape(bare)}\n </summary><author><name>{escape(author)}</name></author>"
            f'<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">{doi}</arxiv:doi>'
            f'<link href="http://arxiv.org/abs/{known}v2" rel="alternate" type="text/html"/></entry>'
        )

    def query(request: Request) -> Response:
        limit = int(request.args.get("max_results", "10"))
        if "id_list" in request.args:
            known = request.args["id_list"].split("v")[0]
            entries = [entry(i) for i, p in enumerate(PAPERS) if p[4] == known]
        else:
            entries = [] if "nothing" in request.args["search_query"] else [entry(i) for i in range(len(PAPERS))]
        return Response(feed("".join(entries[:limit])), content_type="application/atom+xml; charset=utf-8")

    server.expect_request("/api/query").respond_with_handler(query)


def feed(entries: str) -> str:
    """An Atom feed as arXiv writes it, with its own title and link before the first entry."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        '<link href="https://arxiv.org/api/query?x" type="application/atom+xml"/><title>arXiv Query: x</title>'
        f"<id>https://arxiv.org/api/x</id><updated>2023-02-01T00:00:00Z</updated>{entries}</feed>"
    )


def scholar(server: HTTPServer) -> None:
    """https://api.semanticscholar.org/api-docs/graph"""

    def paper(place: int) -> dict[str, object]:
        title, text, author, doi, known = PAPERS[place]
        return {
            "paperId": f"{place:040x}",
            "externalIds": {"DOI": doi, "ArXiv": known, "CorpusId": 7},
            "url": f"https://www.semanticscholar.org/paper/{place:040x}",
            "title": title,
            "abstract": text,
            "venue": "Journal of Finance",
            "year": 1993,
            "publicationDate": "1993-03-01",
            "authors": [{"authorId": "1", "name": author}],
        }

    def search(request: Request) -> Response:
        limit = int(request.args.get("limit", "100"))
        if "nothing" in request.args["query"]:
            return _json({"total": 0, "offset": 0})  # without "data", as the service does it
        found = [paper(i) for i in range(len(PAPERS))][:limit]
        return _json({"total": len(PAPERS), "offset": 0, "next": limit, "data": found})

    server.expect_request("/graph/v1/paper/search").respond_with_handler(search)
    server.expect_request("/graph/v1/paper/DOI:10.1111/j.1").respond_with_handler(lambda _: _json(paper(0)))
    server.expect_request(f"/graph/v1/paper/DOI:{MISSING}").respond_with_json(
        {"error": "Paper with id DOI:10.1111/none not found"}, status=404
    )


SERVICES: dict[str, Callable[[HTTPServer], None]] = {
    "openalex": openalex, "arxiv": arxiv, "semantic_scholar": scholar,
}  # fmt: skip


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type="application/json")
