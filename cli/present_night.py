"""What a night came to, for people: the pulls in order, the verdicts, what waits for review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.present import WIDE, block, rows, table
from cli.present_loop import show_verdicts

if TYPE_CHECKING:
    from rich.console import Console

    from supervisor.night.result import NightResult


def show_night(out: Console, result: NightResult, page: Path) -> None:
    """One line of the whole, then each pull, then each verdict."""
    again = ", continued after it was cut off" if result.resumed else ""
    out.print(
        f"night {result.number} (seed {result.seed}{again}): {len(result.pulls)} pulls, {result.judged} judged, "
        f"{result.shipped} shipped in {result.seconds:.0f} of {result.budget_s:.0f} s; over because: {result.reason}"
    )
    if not result.findings:
        out.print("no finding: the traces hold no pattern that a miner knows")
    if out.width < WIDE:
        for p in result.pulls:
            block(out, f"{p.module}  {p.proposer}: {p.outcome}", f"{p.gain:+.3f} in {p.seconds:.0f} s", p.note)
    elif result.pulls:
        numbers = ("gain", "seconds")
        made = table("module", "proposer", "outcome", *numbers, "note", right=numbers)
        cells = ((p.module, p.proposer, p.outcome, f"{p.gain:.3f}", f"{p.seconds:.1f}", p.note) for p in result.pulls)
        out.print(rows(made, cells))
    show_verdicts(out, result.verdicts)
    for note in result.notes:
        out.print(f"note: {note}", markup=False)
    for line in result.verdicts:
        if line.branch is not None:
            out.print(f"waits for review: {line.branch}", markup=False)
    out.print(f"page: {page}", markup=False, soft_wrap=True)
