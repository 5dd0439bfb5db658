"""A drafter opened for one research: the offline one, or one that asks a model, on that research's tape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from harness.drafters.port import Drafter
from modules.pipeline import Emit
from traces.events import Envelope, ExchangeRecorded
from traces.reader import read_lines

OFFLINE = "offline"


@dataclass(frozen=True)
class Opening:
    """For whom, and as what: `choice` as `--llm` takes it. `vouched` is what the ledger says of the tape so far."""

    choice: str
    home: Path
    research_id: str
    emit: Emit
    vouched: Mapping[str, str] = field(default_factory=dict)
    waiting: Callable[[str], None] = lambda words: None


@dataclass(frozen=True)
class OpenDrafter:
    """A drafter, and the last day that its model can have been trained on (None: no model, or nobody says)."""

    drafter: Drafter
    cutoff: date | None = None


def open_drafter(opening: Opening) -> OpenDrafter:
    """Raises ChoiceError for what is no choice; ModelError: no key, no price, no tape, a tape that was altered."""
    if opening.choice == OFFLINE:
        from harness.drafters.offline.drafter import OfflineDrafter

        return OpenDrafter(OfflineDrafter.of_checkout())
    from harness.drafters.model.drafter import ModelDrafter
    from harness.llm.choice import open_model, parse_choice

    choice = parse_choice(opening.choice)
    source = vouched(choice.model, opening.home / "ledger") if choice.provider == "replay" else {}
    opened = open_model(
        choice,
        home=opening.home,
        research_id=opening.research_id,
        emit=opening.emit,
        vouched=opening.vouched,
        vouched_source=source,
        waiting=opening.waiting,
    )
    if opened is None:
        return open_drafter(Opening(OFFLINE, opening.home, opening.research_id, opening.emit))
    return OpenDrafter(ModelDrafter(opened), opened.cutoff)


def vouched(research_id: str, ledger: Path) -> dict[str, str]:
    """Request digest to line digest, of every exchange of a research that the ledger holds."""
    found: dict[str, str] = {}
    for line in read_lines(ledger):
        if research_id.encode() in line:
            event = Envelope.model_validate_json(line).event
            if isinstance(event, ExchangeRecorded) and event.research_id == research_id:
                found[event.request] = event.line
    return found
