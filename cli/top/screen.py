"""The screen, drawn: on a wide terminal all panels, on a narrow one the one that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from cli.output import visible
from cli.top.panels import PANELS, Panel, Tone, Top, top
from modules.live.watch.alerts import Alert
from modules.live.watch.seen import Seen

EVERY_S: Final = 0.5
WIDE: Final = (150, 36)
"""Columns and lines from which on all panels are shown."""

MOST_ROWS: Final = 300
STYLES: Final[dict[Tone, str]] = {"plain": "", "good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim"}


class TopScreen(App[None]):
    """`look` gives what was seen and the alerts that stand; it must not wait."""

    TITLE = "cws top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    #head { height: 1; text-style: bold; color: black; background: #b0b0b0; }
    #head.PAPER { color: white; background: #00408a; }
    #head.LIVE { color: white; background: #c00000; }
    #state { height: 1; }
    #tabs { height: 1; }
    #all { grid-size: 3 2; grid-columns: 5fr 6fr 5fr; height: 1fr; }
    #all.one { grid-size: 1 1; grid-columns: 1fr; }
    .panel { border: round #5f6b7a; border-title-color: #d0d0d0; padding: 0 1; }
    .panel:focus { border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"show({n})", name) for n, (name, _) in enumerate(PANELS, start=1)),
        Binding("a", "show(0)", "all"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, look: Callable[[], tuple[Seen, Sequence[Alert]]]) -> None:
        super().__init__()
        self._look = look
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """Head, state, tabs, panels."""
        yield Static(id="head")
        yield Static(id="state")
        yield Static(id="tabs")
        with Grid(id="all"):
            for name, _ in PANELS:
                with VerticalScroll(classes="panel", id=name) as box:
                    box.border_title = name
                    yield Static(id=f"{name}-rows")

    def on_mount(self) -> None:
        """Draw at once, and again and again."""
        self._arrange()
        self.refresh_rows()
        self.set_interval(EVERY_S, self.refresh_rows)

    def on_resize(self) -> None:
        """A terminal that was made wider or narrower."""
        self._arrange()
        self.refresh_rows()

    def action_show(self, number: int) -> None:
        """One panel by its number, or all with 0 (where they fit)."""
        self._chosen = number
        self._arrange()
        self.refresh_rows()

    @property
    def is_wide(self) -> bool:
        """Whether all panels fit."""
        return self.size.width >= WIDE[0] and self.size.height >= WIDE[1]

    @property
    def shown(self) -> int:
        """The panel that is shown, by its number; 0 = all."""
        return self._chosen if self._chosen or self.is_wide else 1

    def refresh_rows(self) -> None:
        """Look, and draw what was seen."""
        seen, standing = self._look()
        head = top(seen)
        bar = self.query_one("#head", Static)
        bar.set_classes([head.mode])
        bar.update(self._head(head))
        state = Text(f" {visible(head.state)}", style=STYLES[head.tone], no_wrap=True, overflow="ellipsis")
        self.query_one("#state", Static).update(state)
        self.query_one("#tabs", Static).update(self._tabs(len(standing)))
        for name, make in PANELS:
            self.query_one(f"#{name}-rows", Static).update(drawn(make(seen, standing)))

    def _arrange(self) -> None:
        self.query_one("#all", Grid).set_class(self.shown != 0, "one")
        for number, (name, _) in enumerate(PANELS, start=1):
            self.query_one(f"#{name}", VerticalScroll).display = self.shown in (0, number)
        self.query_one(f"#{PANELS[max(0, self.shown - 1)][0]}", VerticalScroll).focus()

    def _head(self, head: Top) -> Text:
        """Whole figures only: one that does not fit is left out, never cut."""
        room = max(0, self.size.width - len(head.clock) - 2)
        left = f" {head.mode}  {head.account}"
        for figure in head.figures:
            longer = f"{left}  {figure}"
            left = longer if len(longer) < room else left
        return Text(f"{left[:room].ljust(room)} {head.clock} ", no_wrap=True)

    def _tabs(self, standing: int) -> Text:
        line = Text(no_wrap=True)
        for number, (name, _) in enumerate(PANELS, start=1):
            alarms = name == "alerts" and standing > 0
            style = "reverse" if number == self.shown else "bold red" if alarms else ""
            line.append(f" {number} {name}{f'({standing})' if alarms else ''} ", style=style)
        line.append(" a all  q quit", style="dim")
        return line


def drawn(panel: Panel) -> Table | Text:
    """A panel as a table."""
    if not panel.rows:
        return Text(panel.empty, style="dim")
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="bold")
    for name in panel.columns:
        right = name in panel.right
        wraps = name == panel.columns[-1] and not right
        table.add_column(name, justify="right" if right else "left", no_wrap=not wraps, overflow="ellipsis")
    for row in panel.rows[:MOST_ROWS]:
        table.add_row(*(Text(visible(cell)) for cell in row.cells), style=STYLES[row.tone])
    if len(panel.rows) > MOST_ROWS:
        table.add_row(f"and {len(panel.rows) - MOST_ROWS} more", style="dim")
    return table
