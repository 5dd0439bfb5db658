"""Settings of ingest/files: where the bars are, and what the symbols are."""

from __future__ import annotations

from pydantic import Field, field_validator

from modules.calendars import UNKNOWN
from modules.ingest.instruments import from_text
from modules.ingest.layout import Layout


class Settings(Layout):
    """A data version carries these as guessed or named when the files were added, and overrides the file."""

    venue: str = Field(UNKNOWN, min_length=1, description="listing venue of symbols without an instrument of their own")
    currency: str = Field("USD", min_length=3, max_length=8)
    instruments: str = Field(
        "", description="facts per symbol: one line of JSON as modules/ingest/instruments.py writes it"
    )

    @field_validator("instruments")
    @classmethod
    def _readable(cls, value: str) -> str:
        from_text(value)
        return value
