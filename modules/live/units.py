"""The numbers in the figures of messages: money in micros of a dollar, time in ns since 1970, days of UTC."""

from __future__ import annotations

from typing import Final

MICROS: Final = 1_000_000
"""In a dollar, and in a price of 1."""
MILLI_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3_600 * SECOND_NS
DAY_NS: Final = 24 * HOUR_NS
