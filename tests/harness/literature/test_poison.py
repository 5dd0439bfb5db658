"""Nothing that is read is obeyed: poisoned inputs by every way in, and nothing changes but the words shown.

1. By every service's answer (title, abstract, author, venue), every page (text, title, tags), every text file and its
   name, and every tape: a document comes out that is clean, and nothing is reached for.
2. A document on the shelf, whatever it says, changes neither the reading, nor the candidates, nor a file of code or
   settings of the module; it stands in the papers as plain words without markup, and adds no line to a commit.
3. A claim of a specification is what a human wrote, and still breaks out of no file.
4. A skill's body may hold anything: what it drafts stays the same, or it is refused.
5. Column names, symbols and file names of data are names: taken as they are or refused by a named rule.
6. A whole research with a shelf full of poison has the verdict of one without.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import yaml

from harness.drafters.model.words import quoted
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Draft, Reading
from harness.literature.document import Document, make_document
from harness.literature.live.arxiv import Arxiv
from harness.literature.live.by_hand import ByHand, read_file
from harness.literature.live.openalex import FIELDS, OpenAlex
from harness.literature.live.semantic_scholar import FIELDS as SCHOLAR_FIELDS
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Web
from harness.literature.room import Room
from harness.literature.shelf import Shelf, shelf_of
from harness.llm.tape import Exchange, Tape, digest_of
from harness.research import research
from harness.result import ResearchResult
from harness.specification import Specification, from_yaml, reading_of, specify, to_yaml
from harness.state import Chosen, ResearchState
from harness.writing import message_of, module_files
from modules.contract import ContractError
from modules.datastore import DataError, DataStore
from modules.ingest.adding import add_files
from modules.workspace import Workspace
from skills.registry import FOLDER, SkillError, load_skill
from tests.harness.literature.live.servers import feed
from tests.harness.literature.live.test_by_hand import pdf
from tests.harness.literature.poison import CANARY, POISONS, watched
from tests.harness.planted import reversal_panel, small_checkout, wide_csv
from traces.events import Event

CLAIM = "Stocks that fell the most last week rebound"
BASE = "http://127.0.0.1:9"
FAST = frozenset({"chat marks", "markdown", "terminal", "trailer", "yaml object"})
poisoned = pytest.mark.parametrize(
    "poison",
    [pytest.param(text, id=name, marks=[] if name in FAST else pytest.mark.slow) for name, text in POISONS.items()],
)


@pytest.fixture(autouse=True)
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in a folder of its own, where nothing may appear under the canary's name."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def assert_nothing_happened(here: Path) -> None:
    assert not list(here.rglob(f"*{CANARY}*")) and not list(here.parent.glob(CANARY))


def assert_clean(document: Document) -> None:
    for text in (
        document.title,
        document.text,
        document.venue,
        document.identifier,
        document.url or "",
        *document.authors,
    ):
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Cn")], text
    assert document.key.replace("-", "").replace(".", "").isalnum() and ".." not in document.key


# --- 1: every way in ------------------------------------------------------------------------------


def taped(folder: Path, who: str, url: str, params: dict[str, str], media: str, body: str) -> Web:
    """A source whose one answer is on its tape: nobody is asked."""
    path = folder / "t.jsonl"
    request = {"url": url, "params": params}
    reply = {"media": media, "body": base64.b64encode(body.encode("utf-8", "replace")).decode(), "url": url}
    Tape(path).record(Exchange(digest=digest_of(who, request), who=who, label="x", request=request, reply=reply))
    return Web(who, Tape(path, ask_outside=False))


def from_openalex(folder: Path, poison: str) -> tuple[Document, ...]:
    work = {
        "display_name": poison, "doi": poison, "publication_date": poison,
        "authorships": [{"author": {"display_name": poison}}],
        "primary_location": {"landing_page_url": poison, "source": {"display_name": poison}},
        "abstract_inverted_index": {w: [i] for i, w in enumerate(poison.split(" "))},
    }  # fmt: skip
    params = {"search": "losers", "per_page": "2", "select": FIELDS}
    web = taped(folder, "openalex", f"{BASE}/works", params, "application/json", json.dumps({"results": [work]}))
    return OpenAlex(web, BASE).search("losers", 2)


def from_arxiv(folder: Path, poison: str) -> tuple[Document, ...]:
    shown = escape("".join(c for c in poison if c >= " " or c == "\n"))
    entry = (
        f"<entry><id>{shown}</id><title>T {shown}</title><summary>{shown}</summary><published>{shown}</published>"
        f"<author><name>{shown}</name></author></entry>"
    )
    params = {"search_query": "all:losers", "start": "0", "max_results": "2", "sortBy": "relevance"}
    web = taped(folder, "arxiv", f"{BASE}/api/query", params, "application/atom+xml", feed(entry))
    return Arxiv(web, BASE).search("losers", 2)


def from_scholar(folder: Path, poison: str) -> tuple[Document, ...]:
    paper = {
        "title": poison, "abstract": poison, "authors": [{"name": poison}], "venue": poison, "year": poison,
        "publicationDate": poison, "externalIds": {"DOI": poison, "ArXiv": poison}, "url": poison, "paperId": poison,
    }  # fmt: skip
    params = {"query": "losers", "limit": "2", "fields": SCHOLAR_FIELDS}
    url = f"{BASE}/graph/v1/paper/search"
    web = taped(folder, "semantic_scholar", url, params, "application/json", json.dumps({"data": [paper]}))
    return SemanticScholar(web, BASE).search("losers", 2)


def from_page(folder: Path, poison: str) -> tuple[Document, ...]:
    html = (
        f'<html><head><title>{poison}</title><meta name="citation_author" content="{escape(poison)}">'
        f'<meta name="citation_title" content="{escape(poison)}"></head><body hidden>{poison}</body><p>{poison}'
    )
    web = taped(folder, "by_hand", f"{BASE}/p", {}, "text/html", html)
    return (ByHand(web).fetch(f"{BASE}/p"),)


def from_file(folder: Path, poison: str) -> tuple[Document, ...]:
    name = poison.replace("/", "_").replace("\0", "")[:60] + ".txt"
    (folder / name).write_text(poison, encoding="utf-8")
    return (read_file(folder / name),)


WAYS: dict[str, Callable[[Path, str], tuple[Document, ...]]] = {
    "openalex": from_openalex, "arxiv": from_arxiv, "semantic scholar": from_scholar, "page": from_page,
    "file": from_file,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@poisoned
def test_1_what_is_read_is_clean_and_reaches_nothing(poison: str, way: str, tmp_path: Path, canary: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with watched() as reached:
        found = WAYS[way](folder, poison)
        shelf = Shelf(tmp_path / "shelf")
        for document in found:
            shelf.add(document)
        kept = shelf.documents()
    assert len(found) == 1 and kept == found and reached == []
    assert_clean(found[0])
    assert_nothing_happened(canary)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["plain order", "shell", "fence", "script", "option", "yaml object", "expression", "limits"]
)
def test_1_the_text_and_the_description_of_a_pdf(name: str, tmp_path: Path, canary: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf(POISONS[name], POISONS[name]))
    with watched() as reached:
        found = read_file(path)
    assert [event for event, _ in reached] == ["subprocess.Popen"] and "pdfworker.py" in reached[0][1]
    assert_clean(found)
    assert found.origin == "pdf" and found.title[:8] == POISONS[name][:8]
    assert_nothing_happened(canary)


@poisoned
def test_1_quoted_for_a_model_it_closes_nothing(poison: str) -> None:
    block = quoted([poison, {"text": poison}])
    assert block.count("</data>") == 1 and block.endswith("</data>") and block.count("<data>") == 1
    assert json.loads(block.removeprefix("<data>").removesuffix("</data>")) == [poison, {"text": poison}]


# --- 2 and 3: what comes of it ---------------------------------------------------------------------


class Bench:
    """The claim read and drafted once, with nothing on the shelf."""

    def __init__(self) -> None:
        self.drafter = OfflineDrafter.of_checkout()
        found = self.drafter.specify(CLAIM, seed=0).reading
        assert found is not None
        self.reading: Reading = found
        self.specified = reading_of(self.spec(Room()))
        self.drafted = self.draft(self.specified)
        self.files = self.papers(self.spec(Room()))[0]

    def draft(self, reading: Reading) -> Draft:
        return self.drafter.draft(reading, fields=frozenset({"close"}), others=(), k=4, seed=0)

    def spec(self, room: Room) -> Specification:
        looked = room.look_up(self.reading)
        assert looked.notes == ()
        return specify(self.reading, universe="us20", drafter="offline", skills={}, sources=looked.sources)

    def papers(self, spec: Specification) -> tuple[dict[str, str], str]:
        """Files by name, and the commit message."""
        chosen = Chosen(expr="rank(close)", skill="x", run_id="run-1", run_digest="0" * 64, module="m_1")
        state = ResearchState(
            research_id="r", text=spec.claim, data="us20", version="1", version_digest="0", k=1, seed=0,
            specification=spec, sources=spec.sources, chosen=chosen,
        )  # fmt: skip
        files = {p.rsplit("/", 1)[-1]: b.decode() for p, b in module_files(state, "m_1").files.items()}
        return files, message_of(state, "m_1")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def assert_no_markup(paper: str) -> None:
    """Links, pictures, mentions, tags and code come from us alone; words of others have none of their marks."""
    others = [line.removeprefix("> ") for line in paper.splitlines() if "POISON" in line]
    assert others and not [line for line in others if set(line) & set("<>[]|\\$@\x1b\u202e")]
    assert not [line for line in others if line.count("`") % 2]


@poisoned
def test_2_a_document_changes_no_draft_and_no_file_of_code(
    poison: str, bench: Bench, tmp_path: Path, canary: Path
) -> None:
    shelf = Shelf(tmp_path / "shelf")
    title = f"POISON why stocks that fell last week rebound: {poison}"
    shelf.add(
        make_document(
            origin="url", identifier=poison, title=title, authors=(poison,), text=poison, read_on="2026-11-01"
        )
    )
    with watched() as reached:
        spec = bench.spec(Room(shelf))
        read_back = from_yaml(to_yaml(spec))
        drafted = bench.draft(reading_of(read_back))
        files, message = bench.papers(read_back)
    assert reached == [] and read_back == spec and any(s.key.startswith("url-") for s in spec.sources)
    assert reading_of(read_back) == bench.specified and drafted == bench.drafted
    same = [n for n in files if n not in ("spec.yaml", "README.md", "report.md")]
    assert len(same) >= 6 and all(files[n] == bench.files[n] for n in same)
    assert_no_markup(files["report.md"])
    assert_no_markup(message)
    assert len(files["README.md"].splitlines()) == len(bench.files["README.md"].splitlines()) + 1
    starts = ("feature/", "Hypothesis: ", "Signal: ", "Data: ", "Source: ")
    assert [line for line in message.splitlines() if line and not line.startswith(starts)] == []
    assert_nothing_happened(canary)


@poisoned
def test_3_a_claim_breaks_out_of_no_file(poison: str, bench: Bench, canary: Path) -> None:
    claim = f"POISON {poison}"
    spec = bench.spec(Room()).model_copy(update={"claim": claim})
    with watched() as reached:
        read_back = from_yaml(to_yaml(spec))
        files, message = bench.papers(read_back)
    assert reached == [] and read_back.claim == claim
    same = [n for n in files if n.endswith(".py") or n == "settings.yaml"]
    assert len(same) >= 6 and all(files[n] == bench.files[n] for n in same)
    front, skill = files["SKILL.md"].removeprefix("---\n").split("\n---\n", 1)
    assert list(yaml.safe_load(front)) == list(yaml.safe_load(bench.files["SKILL.md"].split("\n---\n")[0].strip("-\n")))
    for name, paper in (("README.md", files["README.md"]), ("report.md", files["report.md"]), ("SKILL.md", skill)):
        assert_no_markup(paper)
        assert len(files[name].splitlines()) == len(bench.files[name].splitlines())
    assert len(message.splitlines()) == len(bench.papers(bench.spec(Room()))[1].splitlines())
    assert_nothing_happened(canary)


# --- 4: skills ------------------------------------------------------------------------------------


@poisoned
def test_4_the_body_of_a_skill_is_words(poison: str, bench: Bench, tmp_path: Path, canary: Path) -> None:
    folder = tmp_path / "short-term-reversal"
    folder.mkdir()
    text = (FOLDER / "short-term-reversal" / "SKILL.md").read_text()
    (folder / "SKILL.md").write_text(f"{text}\n{poison}\n", encoding="utf-8")
    with watched() as reached:
        try:
            skill = load_skill(folder / "SKILL.md")
        except SkillError:
            skill = None  # refused by name
        if skill is not None:
            known = tuple(skill if s.name == skill.name else s for s in bench.drafter.known)
            found = replace(bench.drafter, known=known).draft(
                bench.specified, fields=frozenset({"close"}), others=(), k=4, seed=0
            )
            assert [c.expr for c in found.candidates] == [c.expr for c in bench.drafted.candidates]
    assert reached == []
    assert_nothing_happened(canary)


# --- 5: data --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("place", ["header", "symbol", "file name", "cell"])
@poisoned
def test_5_names_in_data_are_names(poison: str, place: str, tmp_path: Path, canary: Path) -> None:
    panel = reversal_panel(40, 3)
    lines = wide_csv(panel, tmp_path / "plain.csv").read_text().splitlines()
    cell = '"' + poison.replace('"', '""') + '"'
    name = "data.csv"
    if place == "header":
        lines = [f"{line},{cell if i == 0 else '1.0'}" for i, line in enumerate(lines)]
    elif place == "symbol":
        lines[0] = lines[0].replace("S01", cell)
    elif place == "cell":
        lines[5] = ",".join([*lines[5].split(",")[:-1], cell])
    else:
        name = poison.replace("/", "_")[:60] + ".csv"
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with watched() as reached:
        try:
            added = add_files(DataStore(tmp_path / "st[o]re*"), "mine", [path])
            assert added.version.symbols in (3, 4)
        except (DataError, ContractError):
            assert place != "file name", "a name is no pattern: a file of any name is read"
    assert reached == []
    assert_nothing_happened(canary)


# --- 6: the whole ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_6_a_shelf_full_of_poison_has_the_verdict_of_an_empty_one(tmp_path: Path, canary: Path) -> None:
    workspace = Workspace(root=small_checkout(tmp_path / "checkout"), home=tmp_path / "home")
    add_files(DataStore(workspace.data), "planted", [wide_csv(reversal_panel(1_200), tmp_path / "planted.csv")])

    def researched() -> tuple[ResearchResult, list[Event]]:
        events: list[Event] = []
        return research(CLAIM, workspace=workspace, emit=events.append, data="planted", k=3), events

    plain, plain_events = researched()
    shelf = Shelf(shelf_of(workspace.home))
    for place, poison in enumerate(POISONS.values()):
        title = f"Why stocks that fell last week rebound most {poison}"
        shelf.add(
            make_document(origin="url", identifier=f"{place} {poison}", title=title, text=poison, read_on="2026-11-01")
        )
    with watched() as reached:
        found, events = researched()
    assert {r for r in reached if r[0].startswith("socket") or r[0] == "os.system"} == set()
    assert all("'git'" in arguments for event, arguments in reached if event == "subprocess.Popen")
    assert len(found.sources) == len(plain.sources) + 3
    assert found.status == plain.status == "drafted" and found.chosen is not None and plain.chosen is not None
    assert (found.chosen.expr, found.chosen.run_digest) == (plain.chosen.expr, plain.chosen.run_digest)
    for part in ("reading", "candidates", "rejected", "screens", "critique", "metrics", "notes"):
        assert getattr(found, part) == getattr(plain, part), part
    kinds = [e.kind for e in plain_events]
    assert [e.kind for e in events if e.kind in ("candidate.checked", "candidate.screened")] == [
        k for k in kinds if k in ("candidate.checked", "candidate.screened")
    ]
    assert_nothing_happened(canary)
