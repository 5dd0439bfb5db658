"""The ledger's own."""

from __future__ import annotations

from typing import Literal

from traces.events.base import Count, EventBase


class LedgerRepaired(EventBase):
    """Bytes that no append had acknowledged (a crash cut it off) were moved to `file`, beside the log."""

    kind: Literal["ledger.repaired"] = "ledger.repaired"
    file: str
    torn_bytes: Count
    sha256: str
    complete_lines: Count
