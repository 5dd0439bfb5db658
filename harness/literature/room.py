"""Where research looks a claim up: the index, the shelf of this workspace, and sources outside where it was asked to.

Only the index is judged for or against: its entries are ours. What others wrote is listed as related, and a fault of a
source outside is a note in the report, never the end of a research.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from harness.drafters.port import Reading
from harness.literature.document import Document
from harness.literature.index import Source, search
from harness.literature.live.choose import SEARCHABLE, live_source
from harness.literature.live.web import Patience
from harness.literature.port import Literature, LiteratureError
from harness.literature.search import find
from harness.literature.shelf import Shelf, shelf_of
from harness.llm.recorder import event_of
from harness.llm.tape import Tape, tape_path
from harness.retrieval import words_of
from harness.specification import SpecSource
from traces.events import ExchangeRecorded

MOST_RELATED = 3
LEAST_SHARED = 3
FEW = 2
PATIENCE = Patience(deadline_s=15.0, attempts=3)
"""A research waits this long for a source and goes on without it."""


@dataclass(frozen=True)
class Looked:
    """What was found, and what went wrong outside."""

    sources: tuple[SpecSource, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Room:
    """`shelf` and `outside` are looked at in this order, behind the index."""

    shelf: Shelf | None = None
    outside: tuple[Literature, ...] = ()

    def look_up(self, reading: Reading) -> Looked:
        """Sources on the claim: the index by its events (by its words where it knows few), then related documents."""
        events = frozenset({reading.event, *(c.event for c in reading.conditions)})
        found = search(events, sign=reading.sign, horizon_bars=reading.horizon_bars)
        own = frozenset({reading.event})
        cited = [_of_index(s, _agrees(s, own, reading.sign)) for s in found]
        if len(cited) < FEW:
            by_words = (f.source for f in find(reading.text, limit=MOST_RELATED))
            cited += [_of_index(s, None) for s in by_words if s not in found and _shares(reading.text, s.claim)]
        notes: list[str] = []
        for source in (*([self.shelf] if self.shelf is not None else []), *self.outside):
            try:
                related = source.search(reading.text[:300], MOST_RELATED)
            except LiteratureError as error:
                notes.append(f"literature: {error}; went on without it")
                continue
            kept = (
                related if source is not self.shelf else [d for d in related if _shares(reading.text, d.title + d.text)]
            )
            known = {c.key for c in cited}
            cited += [_of_document(d) for d in kept if d.key not in known]
        return Looked(tuple(cited), tuple(notes))


def room_of(
    home: Path,
    research_id: str,
    names: tuple[str, ...],
    emit: Callable[[ExchangeRecorded], None],
    *,
    replayed: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Room:
    """The room of one research: answers from outside are on its tape, or come from the tape of `replayed` alone.

    Raises ValueError for a name that is no source, TapeError for a tape that cannot be used.
    """
    for name in names:
        if name not in SEARCHABLE:
            raise ValueError(f"literature source {name!r} does not exist; it is one of {', '.join(SEARCHABLE)}")
    if not names:
        return Room(Shelf(shelf_of(home)))
    tape = Tape(tape_path(home, research_id))
    other = Tape(tape_path(home, replayed), ask_outside=False) if replayed is not None else None
    outside = tuple(
        live_source(
            name,
            environment=environment,
            tape=tape,
            patience=PATIENCE,
            other=other,
            heard=lambda e: emit(event_of(research_id, e)),
        )
        for name in dict.fromkeys(names)
    )
    return Room(Shelf(shelf_of(home)), outside)


def _agrees(source: Source, events: frozenset[str], sign: int) -> bool | None:
    said = source.says(events)
    return said == sign if said else None


def _of_index(source: Source, agrees: bool | None) -> SpecSource:
    return SpecSource(key=source.key, citation=source.citation, agrees=agrees, published=str(source.year))


def _of_document(document: Document) -> SpecSource:
    return SpecSource(
        key=document.key,
        citation=document.citation,
        agrees=None,
        published=document.published,
        read_on=date.fromisoformat(document.read_on),
    )


def _shares(claim: str, text: str) -> bool:
    """Whether a text is about the claim at all: it shares several of its words, or half of a short one's."""
    asked = set(words_of(claim))
    return len(asked & set(words_of(text))) >= min(LEAST_SHARED, max(1, len(asked) // 2))
