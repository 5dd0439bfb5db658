"""Running stand-ins, and the sources pointed at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer

from harness.literature.live.arxiv import Arxiv
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Patience, Web
from harness.literature.port import Literature
from harness.llm.tape import Tape
from tests.harness.literature.live.servers import SERVICES, Service

QUICK = Patience(deadline_s=3.0, attempts=3, wait_s=0.01)
Make = Callable[..., Literature]


@pytest.fixture(scope="session")
def running() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as one:
        yield one


@pytest.fixture
def server(running: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    running.clear()
    return running


@pytest.fixture
def make(server: HTTPServer) -> Make:
    """`make("openalex", tape)`: the source of that name, asking the running stand-in."""
    kinds = {"openalex": OpenAlex, "arxiv": Arxiv, "semantic_scholar": SemanticScholar}

    def made(name: str, tape: Tape | None = None, *, answers: bool = True, **options: object) -> Literature:
        if answers:
            SERVICES[name](server)
        settings = {"patience": QUICK, **options}
        return kinds[name](Web(name, tape, **settings), Service(server).url)  # type: ignore[arg-type]

    return made
