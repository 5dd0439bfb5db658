"""Prints docs/hypotheses.md, with the verdicts of the bundled set us5 in a workspace of its own."""

from __future__ import annotations

import os
import sys
import tempfile

from harness.drafters.offline.drafter import OfflineDrafter
from modules.panel import Panel
from tests.harness.hypotheses.table import page, signals, verdicts_on


def discovery_bars() -> Panel:
    """The first half of us5, cleaned, with sectors; the rest is never read."""
    from cli.barsource import cleaned
    from cli.session import session

    with session() as opened:
        found = cleaned(opened, "us5")
        last = int((found.bars.ts <= found.version.mining_end_ns).sum())
        return found.bars.rows(0, last)


def main() -> None:
    """Write the page to standard output."""
    drafter = OfflineDrafter.of_checkout()
    with tempfile.TemporaryDirectory() as home:
        os.environ["CWS_HOME"] = home
        sys.stdout.write(page(drafter, verdicts_on(discovery_bars(), signals(drafter))))


if __name__ == "__main__":
    main()
