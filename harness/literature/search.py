"""Words to published sources: BM25 over what each entry says and what the skills linked to it say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from harness.literature.index import Source, load_index
from harness.retrieval import Retriever
from skills.registry import skills

MAX_RESULTS = 500


@dataclass(frozen=True)
class Found:
    """A source and how well it matches the words (comparable within one query)."""

    source: Source
    score: float


def find(query: str, *, limit: int = 10, family: str | None = None, constructible: bool = False) -> tuple[Found, ...]:
    """Sources nearest to `query`, best first, at most `limit`; without words all of them, in the index's order.

    `family` keeps one family (ValueError for one that does not exist); `constructible` keeps what our fields can make.
    """
    if not 1 <= limit <= MAX_RESULTS:
        raise ValueError(f"limit is {limit}; ask for 1 to {MAX_RESULTS} sources")
    if family is not None and family not in families():
        raise ValueError(f"family {family!r} does not exist; it is one of {', '.join(families())}")
    sources = load_index()
    if query.strip():
        hits = [Found(sources[h.place], h.score) for h in _retriever().best(query, len(sources))]
    else:
        hits = [Found(s, 0.0) for s in sources]
    kept = (
        f
        for f in hits
        if (family is None or f.source.family == family) and (not constructible or f.source.construction is not None)
    )
    return tuple(islice(kept, limit))


def families() -> tuple[str, ...]:
    """The families of the index."""
    return tuple(sorted({s.family for s in load_index()}))


@cache
def _retriever() -> Retriever:
    about = {s.name: s.description for s in skills()}
    return Retriever([_document(s, about) for s in load_index()])


def _document(source: Source, about: dict[str, str]) -> str:
    # What the entry itself says counts twice what its skills say of its kind.
    own: Sequence[str] = (source.claim, source.title, source.family.replace("_", " "), " ".join(source.events))
    names = (source.authors, str(source.year), source.journal, source.needs or "", " ".join(source.skills))
    return " ".join([*own, *own, *names, *(about.get(name, "") for name in source.skills)])
