"""Where things are: the checkout (code, settings, records) and the runtime state beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workspace:
    """`root` is the checkout; `home` holds everything that a run leaves behind and git ignores."""

    root: Path
    home: Path

    @classmethod
    def here(cls) -> Workspace:
        """The checkout this code was loaded from; `CWS_HOME` moves the runtime state (default `.cws/`)."""
        home = os.environ.get("CWS_HOME")
        return cls(root=CHECKOUT, home=Path(home).expanduser().resolve() if home else CHECKOUT / ".cws")

    @property
    def artifacts(self) -> Path:
        """Content-addressed panels and tables."""
        return self.home / "artifacts"

    @property
    def runs(self) -> Path:
        """One manifest a run."""
        return self.home / "runs"

    @property
    def data(self) -> Path:
        """Registered data sets, versions immutable."""
        return self.home / "data"

    @property
    def features(self) -> Path:
        """The feature store."""
        return self.home / "features"

    @property
    def ledger(self) -> Path:
        """The append-only event log."""
        return self.home / "ledger"

    @property
    def checkpoints(self) -> Path:
        """Signed (count, head) of the ledger, apart from the log."""
        return self.home / "checkpoints"

    @property
    def reports(self) -> Path:
        """HTML pages and pictures."""
        return self.home / "reports"

    @property
    def certificates(self) -> Path:
        """A/A certificates made in this workspace."""
        return self.home / "certificates"
