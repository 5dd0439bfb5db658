"""Settings of ingest/sample."""

from __future__ import annotations

from typing import Literal

from modules.contract import ModuleSettings


class Settings(ModuleSettings):
    """`dataset`: which bundled set the raw rows are; a data version carries it and overrides the file."""

    dataset: Literal["us20", "us5"] = "us20"
