"""Sources and documents for people. Words of strangers are shown as plain text, never as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cli.present import rows, table

if TYPE_CHECKING:
    from rich.console import Console

    from harness.literature.document import Document
    from harness.literature.index import Source


def list_sources(out: Console, sources: Sequence[Source]) -> None:
    """A line a source of the index."""
    made = table("key", "claim", "sign", "t", "made of", right=("sign", "t"))
    out.print(
        rows(made, ((s.key, s.claim, f"{s.sign:+d}", s.t_stat, s.fidelity or f"needs {s.needs}") for s in sources))
    )


def list_documents(out: Console, documents: Sequence[Mapping[str, object]]) -> None:
    """A line a document that was read."""
    if not documents:
        out.print("nothing found", markup=False)
        return
    made = table("document", "identifier", "published", "title", "read on")
    names = ("key", "identifier", "published", "title", "read_on")
    out.print(rows(made, ([d[n] for n in names] for d in documents)))


def show_source(out: Console, source: Source) -> None:
    """One source of the index in full."""
    made = f"{source.construction} ({source.fidelity})" if source.construction else f"needs {source.needs}"
    facts = (
        ("source", f"{source.authors} ({source.year}), {source.title}, {source.journal}"),
        ("claim", source.claim),
        ("later returns", "rise with it" if source.sign > 0 else "fall with it"),
        ("construction", made),
        ("look-back, bars", source.horizon_bars),
        ("held, bars", source.holding_bars),
        ("sample", source.sample),
        ("t as reported", source.t_stat),
        ("% a month as reported", source.monthly_pct),
        ("skills", source.skills),
    )
    out.print(rows(table(source.key, source.family), facts))


def show_document(out: Console, document: Document) -> None:
    """One document in full."""
    facts = (
        ("citation", document.citation),
        ("identifier", document.identifier),
        ("address", document.url),
        ("read on", document.read_on),
        ("digest", document.digest),
        ("text", document.text),
    )
    out.print(rows(table(document.key, document.origin), facts))
