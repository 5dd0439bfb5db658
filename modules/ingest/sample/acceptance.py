"""What must hold of any output of ingest/sample."""

from __future__ import annotations

from modules.contract import Violation
from modules.ingest.acceptance import accept_records
from modules.ingest.sample.contract import Inputs, Outputs
from modules.ingest.sample.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Common rules of records, and: every bar of the raw table is there."""
    found = accept_records(outputs.records, outputs.instruments)
    if settings.dataset == "us5" and outputs.records.height != inputs.raw.height:
        found.append(Violation("records", "rows lost", abs(inputs.raw.height - outputs.records.height)))
    if outputs.records.get_column("volume").null_count() < outputs.records.height and settings.dataset == "us20":
        found.append(Violation("records", "us20 has no volume", outputs.records.get_column("volume").count()))
    return found
