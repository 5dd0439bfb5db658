"""What research finds on a claim: the index judged, documents related, faults outside told and not fatal, dates kept.

1. Index entries are for or against; documents are related and judged neither; each has its dates.
2. A document that shares few words with the claim is not listed; one source twice is listed once.
3. A source outside that fails leaves a note. Its answers are on the research's tape, and a replay asks nobody.
4. Sources stand with their dates in the specification, the README, the report and the commit message.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Reading
from harness.literature.document import Document, key_of, make_document
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.web import Patience
from harness.literature.port import LiteratureError, LiteratureReason
from harness.literature.room import Room, room_of
from harness.literature.shelf import Shelf, shelf_of
from harness.llm.tape import Tape, tape_path
from harness.specification import from_yaml, specify, to_yaml
from harness.state import Chosen, ResearchState
from harness.writing import message_of, module_files
from tests.harness.literature.live.servers import SERVICES, Service
from traces.events import ExchangeRecorded

CLAIM = "Stocks that fell the most last week rebound"
QUICK = Patience(deadline_s=3.0, attempts=1)


@pytest.fixture(scope="module")
def reading() -> Reading:
    found = OfflineDrafter.of_checkout().read(CLAIM)
    assert isinstance(found, Reading)
    return found


def document(title: str, key: str = "x", text: str = "") -> Document:
    return make_document(
        origin="url", identifier=key, title=title, text=text, published="2024-05-06", read_on="2026-11-01"
    )


class Broken:
    """A source that always fails."""

    name = "broken"

    def search(self, query: str, limit: int) -> tuple[Document, ...]:
        raise LiteratureError(LiteratureReason.RATE_LIMITED, "broken: too many requests; try later")

    def fetch(self, identifier: str) -> Document:
        raise NotImplementedError


def test_1_2_index_judged_documents_related(reading: Reading, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(document("Why stocks that fell last week rebound", "one"))
    shelf.add(document("Stocks of tulips", "two"))
    found = Room(shelf, (shelf,)).look_up(reading)
    own = [s for s in found.sources if s.read_on is None]
    assert len(own) == 4 and {s.agrees for s in own} == {True, False}
    assert all(s.published and s.published in s.citation for s in own)
    (related,) = [s for s in found.sources if s.read_on is not None]
    assert (related.key, related.agrees, related.published) == (key_of("url", "one"), None, "2024-05-06")
    assert related.read_on == date(2026, 11, 1) and "read on 2026-11-01" in related.line
    assert Room().look_up(reading).sources == tuple(own)


def test_2_an_event_the_index_does_not_know_is_looked_up_by_its_words(reading: Reading) -> None:
    odd = reading.model_copy(update={"event": "moon", "text": "companies that issued shares over the year earn less"})
    found = Room().look_up(odd).sources
    assert "pontiff-woodgate-2008" in [s.key for s in found] and {s.agrees for s in found} == {None}


def test_3_a_fault_outside_is_a_note(reading: Reading) -> None:
    found = Room(None, (Broken(),)).look_up(reading)
    assert found.notes == ("literature: broken: too many requests; try later; went on without it",)
    assert found.sources == Room().look_up(reading).sources


def test_3_what_was_heard_is_on_the_tape_and_a_replay_asks_nobody(
    reading: Reading, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    SERVICES["openalex"](httpserver)
    told: list[ExchangeRecorded] = []

    def room(research: str, replayed: str | None = None) -> Room:
        made = room_of(tmp_path, research, ("openalex", "openalex"), told.append, replayed=replayed, environment={})
        (source,) = made.outside
        assert isinstance(source, OpenAlex)
        source.base_url = Service(httpserver).url
        source.web.patience = QUICK
        return made

    heard = room("r-1").look_up(reading)
    assert len([s for s in heard.sources if s.read_on]) == 3 and len(httpserver.log) == 1
    assert [e.who for e in told] == ["openalex"] and told[0].research_id == "r-1"
    assert room("r-1").look_up(reading) == heard, "resumed: heard again, not asked again"
    assert room("r-2", "r-1").look_up(reading) == heard and room("r-3", "r-2").look_up(reading) == heard
    assert len(httpserver.log) == 1 and len(Tape(tape_path(tmp_path, "r-3"), ask_outside=False)) == 1
    other = reading.model_copy(update={"text": "other words"})
    assert "not on the tape" in room("r-4", "r-1").look_up(other).notes[0] and len(httpserver.log) == 1


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="openalex, arxiv"):
        room_of(tmp_path, "r", ("scholar",), lambda _: None)


def test_a_room_without_names_is_the_shelf(reading: Reading, tmp_path: Path) -> None:
    Shelf(shelf_of(tmp_path)).add(document("Stocks that fell last week rebound"))
    found = room_of(tmp_path, "r", (), lambda _: None).look_up(reading)
    assert key_of("url", "x") in [s.key for s in found.sources] and not (tmp_path / "tapes").exists()


def state_of(reading: Reading, sources: Room) -> ResearchState:
    looked = sources.look_up(reading)
    spec = specify(reading, universe="us20", drafter="offline", skills={}, sources=looked.sources)
    chosen = Chosen(expr="rank(close)", skill="momentum", run_id="run-1", run_digest="0" * 64, module="m_1")
    return ResearchState(
        research_id="r-1", text=CLAIM, data="us20", version="1", version_digest="0", k=1, seed=0, specification=spec,
        sources=spec.sources, chosen=chosen,
    )  # fmt: skip


def test_4_sources_end_up_in_every_paper(reading: Reading, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(document("Why stocks that fell last week rebound", "one"))
    state = state_of(reading, Room(shelf))
    files = {p.rsplit("/", 1)[-1]: b.decode() for p, b in module_files(state, "m_1").files.items()}
    spec = from_yaml(files["spec.yaml"])
    assert spec.sources == state.sources and spec.sources[-1].read_on == date(2026, 11, 1)
    assert from_yaml(to_yaml(spec)) == spec
    for paper in (files["README.md"], files["report.md"], message_of(state, "m_1")):
        assert "read on 2026-11-01" in paper and "1990" in paper
    assert f"{key_of('url', 'one')}, published 2024-05-06, read on 2026-11-01, related" in files["README.md"]
    assert len(files["README.md"].splitlines()) <= 40
    assert message_of(state, "m_1").count("\nSource: ") == len(state.sources)
