"""Where an account's sockets and files lie: `.cws/live/<account>/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

RISKD_SOCKET: Final = "riskd.sock"


@dataclass(frozen=True)
class Place:
    """One account's folder."""

    folder: Path

    @property
    def account(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def riskd(self) -> Path:
        """The risk core's socket."""
        return self.folder / RISKD_SOCKET

    @property
    def desk(self) -> Path:
        """The desk's socket."""
        return self.folder / "desk.sock"

    @property
    def journal(self) -> Path:
        """The desk's journal."""
        return self.folder / "desk" / "journal"

    @property
    def tape(self) -> Path:
        """The runner's tapes, one a day."""
        return self.folder / "tape"

    @property
    def alerts(self) -> Path:
        """The log of alerts."""
        return self.folder / "alerts.jsonl"
