"""Exactly once: the ledger itself is the journal of what a research has already recorded.

A node that was cut off runs again from its top, and would record again what it had recorded. Its events are functions
of the state, so those that the ledger holds for this research are recognised by their content and not appended a
second time; what the crash kept from being recorded is appended now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modules.pipeline import Emit
from traces.events import Envelope, Event, RunStarted, StageFinished, canonical_json
from traces.reader import read_lines


@dataclass
class Journal:
    """Events of one research, those of an earlier process first. Pass `record` where an `Emit` is asked for."""

    emit: Emit
    earlier: Counter[str] = field(default_factory=Counter)

    def record(self, event: Event) -> None:
        """Append `event`, unless an earlier process did."""
        text = canonical_json(event)
        if self.earlier[text] > 0:
            self.earlier[text] -= 1
            return
        self.emit(event)


def journal_of(research_id: str, run_id: str | None, ledger: Path, emit: Emit) -> Journal:
    """The journal of a research that may have begun before, and of the run that it had decided on."""
    names = (research_id, *([f"run-{run_id}"] if run_id else []))
    events = (e for e in _naming(names, ledger) if not e.kind.startswith(("run.", "stage.")))
    return Journal(emit, Counter(canonical_json(e) for e in events))


def attempts(run_id: str, ledger: Path) -> tuple[int, bool]:
    """How often a run of this id, or one that continues it (`ID-2`), was begun, and whether any computed something
    that nobody had seen: then it was a look at the data, whether or not it came to its end."""
    begun, fresh = 0, False
    for event in _naming((run_id,), ledger):
        if isinstance(event, RunStarted | StageFinished) and f"{event.run_id}-".startswith(f"{run_id}-"):
            begun += isinstance(event, RunStarted)
            fresh = fresh or (isinstance(event, StageFinished) and not event.cached)
    return begun, fresh


def _naming(names: tuple[str, ...], ledger: Path) -> Iterable[Event]:
    """Events whose line holds a value that begins with one of `names`."""
    wanted = [f'"{name}'.encode() for name in names]
    for line in read_lines(ledger):
        if any(w in line for w in wanted):
            yield Envelope.model_validate_json(line).event
