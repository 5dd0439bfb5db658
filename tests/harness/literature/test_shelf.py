"""The shelf: documents once each, found by words, damage named, never more than its limit, whole after any crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.literature import shelf as module
from harness.literature.document import Document, date_of, key_of, make_document
from harness.literature.port import LiteratureError, LiteratureReason
from harness.literature.shelf import Shelf

A = key_of("url", "a")


def document(
    identifier: str, title: str = "On reversal", text: str = "losers rebound", day: str = "2026-01-02"
) -> Document:
    return make_document(origin="url", identifier=identifier, title=title, text=text, read_on=day)


def test_again_is_nothing_new_and_another_text_takes_its_place(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s")
    assert shelf.documents() == () and shelf.search("losers", 3) == ()
    assert shelf.add(document("a")) and not shelf.add(document("a", day="2026-05-05"))
    assert shelf.fetch(A).read_on == "2026-01-02", "the first reading stays"
    assert shelf.add(document("a", text="winners")) and shelf.fetch(A).text == "winners"
    assert len(shelf.documents()) == 1 and shelf.documents()[0].digest == document("a", text="winners").digest


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"key": "url-a"}', b"\xff\xfe", b"x" * (1 << 21)],
    ids=["empty", "torn", "list", "poor", "bytes", "large"],
)  # fmt: skip
def test_a_file_that_was_altered_is_named(tmp_path: Path, content: bytes) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(document("a"))
    (tmp_path / f"{A}.json").write_bytes(content)
    with pytest.raises(LiteratureError, match=r"url-a-.*json.*delete it") as found:
        shelf.documents()
    assert found.value.reason is LiteratureReason.MALFORMED


def test_a_file_under_another_name_is_no_document_of_that_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(document("a"))
    (tmp_path / f"{A}.json").rename(tmp_path / "url-b.json")
    with pytest.raises(LiteratureError, match="holds url-a-"):
        shelf.documents()


def test_a_full_shelf_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DOCUMENTS", 2)
    shelf = Shelf(tmp_path)
    assert shelf.add(document("a")) and shelf.add(document("b")) and shelf.add(document("b", text="more"))
    with pytest.raises(LiteratureError, match="holds 2 documents"):
        shelf.add(document("c"))


@pytest.mark.parametrize(
    ("origin", "identifier", "key"),
    [
        ("arxiv", "2301.12345v2", "arxiv-2301.12345v2"),
        ("openalex", "doi:10.1111/J.1540", "openalex-doi-10.1111-j.1540"),
        ("url", "https://a.b/c?d=e#f", "url-https-a.b-c-d-e-f-"), ("url", "../../etc/passwd", "url-etc-passwd-"),
        ("pdf", "....", "pdf-"), ("url", "ß€", "url-"), ("arxiv", "x" * 500, "arxiv-xxx"),
        ("url", "A.-.-B", "url-a-b-"),
    ],
)  # fmt: skip
def test_keys_are_file_names(origin: str, identifier: str, key: str) -> None:
    made = key_of(origin, identifier)
    assert made.startswith(key) and len(made) <= 80 and not set(made) - set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    document = make_document(origin="url", identifier=identifier, title="t", read_on="2026-01-01")
    assert document.key == key_of("url", identifier)


def test_keys_differ_where_the_identifiers_do() -> None:
    assert len({key_of("url", i) for i in ("x" * 500, "x" * 501, "a.b/c?d", "a.b/c/d", "a b", "a-b", "A-b")}) == 7


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1993-03-01", "1993-03-01"), ("1993-03-01T18:00:00Z", "1993-03-01"), ("2013/6", "2013-06"),
        ("2013/6/7", "2013-06-07"), ("1987", "1987"), ("1987-13", "1987"), ("1987-02-99", "1987-02"),
        ("March 1993", None), ("", None), (None, None), ("0093", None), ("19931", "1993"), ("9999-01-01", None),
    ],
)  # fmt: skip
def test_dates_as_far_as_they_are_dates(text: str | None, date: str | None) -> None:
    assert date_of(text) == date


@pytest.mark.slow
def test_killed_at_any_moment_it_holds_whole_documents(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.harness.literature.test_shelf import document\n"
        "from harness.literature.shelf import Shelf\nshelf = Shelf(Path(sys.argv[1]))\nprint('on', flush=True)\n"
        "for i in range(10_000):\n    shelf.add(document(f'd{i % 7}', text='word ' * 3_000 + str(i)))\n"
    )
    for wait in (0.0, 0.05, 0.2):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ)
        assert process.stdout is not None and process.stdout.readline() == b"on\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for found in Shelf(tmp_path).documents():
            assert found.text.startswith("word word")
