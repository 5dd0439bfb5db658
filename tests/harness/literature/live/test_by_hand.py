"""Documents given by hand: PDFs, pages and texts, from disk and from the web; what cannot be read says why."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from pytest_httpserver import HTTPServer

from harness.literature.live.by_hand import ByHand, read_file
from harness.literature.live.pagetext import page_text
from harness.literature.live.web import Web
from harness.literature.port import LiteratureError
from harness.literature.port import LiteratureReason as Reason
from harness.llm.tape import Tape
from tests.harness.literature.live.conftest import QUICK

PAGE = """<html><head><title>Site</title>
<meta name="citation_title" content="Reversal &amp; Liquidity"><meta name="citation_author" content="Nagel, Stefan">
<meta name="citation_publication_date" content="2012/7/3"><meta name="citation_journal_title" content="RFS">
<style>p{color:red}</style></head><body><script>steal()</script><p>Losers <b>rebound</b>.</p>
<div style="display: none">hidden orders</div><p hidden>more orders</p><noscript>x</noscript></body></html>"""


def pdf(text: str, title: str | None = "Reversal in Stocks") -> bytes:
    """A small PDF that shows one line of text."""
    writer = PdfWriter()
    page = writer.add_blank_page(width=400, height=200)
    font = DictionaryObject(
        {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
         NameObject("/BaseFont"): NameObject("/Helvetica")}
    )  # fmt: skip
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    stream = DecodedStreamObject()
    shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    stream.set_data(f"BT /F1 12 Tf 20 100 Td ({shown}) Tj ET".encode("latin-1", "replace"))
    page[NameObject("/Contents")] = stream
    if title:
        writer.add_metadata({"/Title": title, "/Author": "A. Author and B. Author"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.slow
def test_a_pdf_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf("Losers of a week rebound in the next."))
    found = read_file(path)
    assert (found.origin, found.title, found.authors) == ("pdf", "Reversal in Stocks", ("A. Author", "B. Author"))
    assert "Losers of a week rebound" in found.text and found.url is None
    assert read_file(path).digest == found.digest


@pytest.mark.slow
def test_a_page_and_a_pdf_on_the_web_and_from_the_tape(server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request("/page").respond_with_data(PAGE, content_type="text/html; charset=utf-8")
    server.expect_request("/paper").respond_with_data(pdf("Losers rebound."), content_type="application/octet-stream")
    server.expect_request("/text").respond_with_data("# Notes on reversal\n\nlosers rebound", content_type="text/plain")
    path = tmp_path / "t.jsonl"
    source = ByHand(Web("by_hand", Tape(path), QUICK, elsewhere=True))
    found = [source.fetch(server.url_for(p)) for p in ("/page", "/paper", "/text")]
    assert found[0].title == "Reversal & Liquidity" and found[0].authors == ("Nagel, Stefan",)
    assert found[0].published == "2012-07-03" and found[0].venue == "RFS" and found[0].text == "Losers rebound ."
    assert found[1].origin == "pdf" and found[1].url == server.url_for("/paper")
    assert found[2].title == "Notes on reversal"
    replayed = ByHand(Web("by_hand", Tape(path, ask_outside=False)))
    assert [replayed.fetch(server.url_for(p)) for p in ("/page", "/paper", "/text")] == found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("broken.pdf", b"%PDF-1.7\ngarbage", Reason.UNREADABLE),
        ("cut.pdf", pdf("Losers rebound.")[:200], Reason.UNREADABLE),
        ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00", Reason.UNREADABLE),
        ("large.txt", b"x" * ((5 << 20) + 1), Reason.TOO_LARGE),
    ],
    ids=["broken", "cut", "picture", "large"],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes, reason: Reason) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LiteratureError) as found:
        read_file(tmp_path / name)
    assert found.value.reason is reason


@pytest.mark.slow
def test_an_encrypted_pdf_and_a_missing_file(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(pdf("secret")))
    writer.encrypt("pw", algorithm="RC4-128")
    with (tmp_path / "locked.pdf").open("wb") as file:
        writer.write(file)
    with pytest.raises(LiteratureError, match="encrypted"):
        read_file(tmp_path / "locked.pdf")
    for path in (tmp_path / "none.pdf", tmp_path, Path("a\0b")):
        with pytest.raises(LiteratureError) as found:
            read_file(path)
        assert found.value.reason is Reason.NOT_FOUND


@pytest.mark.slow
def test_a_pdf_that_eats_memory_or_time_ends_in_an_error(tmp_path: Path) -> None:
    """A stream that unpacks to 3 GiB: the worker's memory is bounded, ours is not touched."""
    import zlib

    packer = zlib.compressobj(9)
    zeros = b"0 " * (8 << 20)
    packed = b"".join([packer.compress(b"BT ")] + [packer.compress(zeros) for _ in range(192)] + [packer.flush()])
    writer = PdfWriter(clone_from=io.BytesIO(pdf("x")))
    out = io.BytesIO()
    writer.write(out)
    body = out.getvalue()
    start, end = body.index(b"stream\n") + 7, body.index(b"\nendstream")
    head = body[: body.rindex(b"<<", 0, start)]
    bomb = head + b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed) + packed + body[end:]
    (tmp_path / "bomb.pdf").write_bytes(bomb)
    assert len(bomb) < 5 << 20
    try:
        found = read_file(tmp_path / "bomb.pdf")
        assert len(found.text) <= 20_000  # the reader's own limit on a stream stopped it
    except LiteratureError as error:
        assert error.reason is Reason.UNREADABLE


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<",
        "<p",
        "<!--",
        "</p></p></div>",
        "<script>" * 3_000,
        "&#xFFFFFFFF;&#0;",
        "<p hidden>" + "<b>" * 5_000,
        "<![CDATA[x",
    ],
    ids=["empty", "lt", "open", "comment", "closers", "scripts", "references", "nested", "cdata"],
)
def test_markup_of_any_kind_is_read(html: str) -> None:
    assert isinstance(page_text(html).text, str)
    assert "visible" in page_text("<p>visible</p>" + html).text


def test_what_a_page_hides_is_not_read() -> None:
    found = page_text(PAGE)
    assert "steal" not in found.text and "orders" not in found.text and "color" not in found.text
    assert "after" in page_text('<div hidden><img src="x"><p>no</div><p>after</p>').text
