"""Progress of a research by node: a live table on a terminal, a line a finding elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from harness.drafters.port import Spent
    from harness.progress import Progress, Step

SHOWN = ("scan", "specify", "draft", "check", "screen", "critique", "backtest", "submit", "report")
QUIET = frozenset({"refused"})
"""Said in the result itself."""


@dataclass
class Row:
    """One node: where it stands, the seconds it took so far in all its rounds, and its last words."""

    state: str = ""
    words: str = ""
    before: float = 0.0
    began: float | None = None

    @property
    def seconds(self) -> float:
        """By now."""
        return self.before + (time.monotonic() - self.began if self.began is not None else 0.0)


@dataclass
class Board:
    """The rows as the steps come in."""

    rows: dict[str, Row]
    spent: Spent | None = None
    began: float = field(default_factory=time.monotonic)

    def take(self, step: Step) -> None:
        """Fold one step in."""
        if step.node in QUIET:
            return
        row = self.rows.setdefault(step.node, Row())
        if step.state == "begins":
            self.rest()
            row.began = time.monotonic()
        row.state = step.state
        row.words = step.words or row.words
        self.spent = step.spent

    def rest(self) -> None:
        """Nothing works any more (it has ended, or a question waits)."""
        for row in self.rows.values():
            if row.began is not None:
                row.before, row.began = row.seconds, None
                row.state = "finds" if row.state in ("begins", "waits") else row.state

    def table(self) -> Table:
        """As it is drawn."""
        from rich.table import Table
        from rich.text import Text

        from harness.progress import cost_words

        made = Table(box=None, pad_edge=False, show_header=False)
        made.add_column(width=2)
        made.add_column(min_width=8)
        made.add_column(justify="right", min_width=7)
        made.add_column(overflow="fold")
        for name, row in self.rows.items():
            works = row.began is not None
            mark = Text("›", style="bold yellow") if works else Text("✓" if row.state else "·", style="green")
            said = f"waits for: {row.words}" if works and row.state == "waits" else row.words
            took = f"{row.seconds:.1f} s" if row.state else ""
            made.add_row(mark, name, took, Text(said, style="" if row.state else "dim"))
        cost = cost_words(self.spent) if self.spent is not None else ""
        total = f"{time.monotonic() - self.began:.1f} s"
        made.add_row("", Text("total", style="bold"), total, cost or "no model asked, nothing spent")
        return made


@contextmanager
def watching(
    console: Console, *, quiet: bool = False, nodes: Sequence[str] = SHOWN
) -> Iterator[tuple[Progress, Board]]:
    """A progress to pass on. Live on a terminal; elsewhere one line a finding, or nothing where `quiet`."""
    board = Board({name: Row() for name in nodes})
    if not console.is_terminal:

        def line(step: Step) -> None:
            board.take(step)
            if step.state == "finds" and not quiet and step.node not in QUIET:
                took = time.monotonic() - board.began
                console.print(f"{took:6.1f} s  {step.node:<9} {step.words}", markup=False, soft_wrap=True)

        yield line, board
        return
    from rich.live import Live

    with Live(get_renderable=board.table, console=console, refresh_per_second=4) as live:

        def draw(step: Step) -> None:
            board.take(step)
            live.refresh()

        _DRAWN.append(live)
        try:
            yield draw, board
        finally:
            _DRAWN.remove(live)
            board.rest()


_DRAWN: list[Live] = []


@contextmanager
def paused() -> Iterator[None]:
    """The table stands still, so that a question is not drawn over."""
    for live in _DRAWN:
        live.stop()
    try:
        yield
    finally:
        for live in _DRAWN:
            live.start(refresh=True)
