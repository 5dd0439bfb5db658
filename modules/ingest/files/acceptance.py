"""What must hold of any output of ingest/files."""

from __future__ import annotations

from modules.contract import Violation
from modules.ingest.acceptance import accept_records
from modules.ingest.files.contract import Inputs, Outputs
from modules.ingest.files.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Common rules of records, and: no field is filled that the files do not have."""
    found = accept_records(outputs.records, outputs.instruments)
    for field in ("open", "high", "low", "adj_close", "volume"):
        absent = settings.layout == "wide" or settings.column_of(field) == ""
        invented = outputs.records.get_column(field).count() if absent else 0
        if invented:
            found.append(Violation("records", f"{field} that no column delivers", invented))
    return found
