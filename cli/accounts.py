"""The folders of live accounts, `.cws/live/<account>/`, and the venue of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import RequestError

if TYPE_CHECKING:
    from modules.live.riskd.config import RiskdConfig
    from modules.live.venues.port import Venue


def account_folder(account: str | None) -> Path:
    """The folder of an account; of the only one, where none is named. Raises RequestError naming those there are."""
    from modules.live.riskd.config import NAME
    from modules.workspace import Workspace

    home = Workspace.here().home / "live"
    there = sorted(p.parent.name for p in home.glob(f"*/{NAME}"))
    names = ", ".join(there) or "none"
    if account is None:
        if len(there) != 1:
            raise RequestError(f"--account is needed; there are: {names}", f"write <account>/{NAME} (docs/riskd.md)")
        account = there[0]
    if account not in there:
        raise RequestError(f"account {account!r} is not known; there are: {names}", f"write <account>/{NAME} there")
    return home / account


def venue_of(config: RiskdConfig, folder: Path) -> Venue:
    """The adapter of an account's venue, not opened. Raises VenueError."""
    from modules.live.venues.registry import VenueConfig, open_venue

    return open_venue(
        config.venue.name,
        VenueConfig(config.account, config.mode, folder, config.traded, config.venue.options),
    )
