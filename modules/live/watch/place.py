"""Where an account's sockets and files lie: `.cws/live/<account>/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modules.live.riskd import config


class PlaceError(ValueError):
    """No such account, or more than one and none was named; says what there is."""

    remedy = "name one with --account; an account is a folder with a riskd.yaml (docs/riskd.md)"


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
        return self.folder / config.SOCKET

    @property
    def desk(self) -> Path:
        """The desk's socket."""
        return self.folder / "desk.sock"

    @property
    def journal(self) -> Path:
        """The desk's journal."""
        return self.folder / "desk" / "journal"

    @property
    def alerts(self) -> Path:
        """The log of alerts."""
        return self.folder / "alerts.jsonl"


def places(home: Path) -> list[Place]:
    """The accounts of a workspace, by name."""
    return [Place(p.parent) for p in sorted((home / "live").glob(f"*/{config.NAME}"))]


def the_place(home: Path, account: str | None) -> Place:
    """The account that is meant: the named one, or the only one. Raises PlaceError."""
    found = places(home)
    named = [p for p in found if account is None or p.account == account]
    if len(named) == 1:
        return named[0]
    have = ", ".join(p.account for p in found) or "none"
    raise PlaceError(f"account {account or '(none named)'}: there is {have} below {home / 'live'}")
