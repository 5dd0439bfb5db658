"""Which signal."""

from __future__ import annotations

from pydantic import Field, field_validator

from modules.contract import ModuleSettings
from modules.signal import parse
from modules.signal.nodes import MAX_TEXT


class Settings(ModuleSettings):
    """`expr` is read when settings are loaded, so a signal that cannot be read never reaches a run. A figure whose
    period ended more than `stale_days` before a bar is missing at that bar."""

    expr: str = Field("rank(book_equity / market_cap)", max_length=MAX_TEXT, description="the signal, in the language")
    stale_days: int = Field(default=300, ge=100, le=1000)

    @field_validator("expr")
    @classmethod
    def _can_be_read(cls, text: str) -> str:
        parse(text)
        return text
