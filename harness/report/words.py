"""What is said in words on a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """Warnings that come before the figures, and notes of the modules."""

    warnings: tuple[str, ...]
    notes: tuple[str, ...]
