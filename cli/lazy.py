"""Sub-commands that are imported when they are called, so that `cws --help` stays fast."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Entry:
    """One row of the command table: its name, the file below `cli/commands` and its one-line help."""

    name: str
    file: str
    help: str
    panel: str


def command_file(help_text: str | None = None) -> typer.Typer:
    """The `app` of a file below `cli/commands`; with `help_text` a group of commands."""
    return typer.Typer(
        help=help_text, no_args_is_help=help_text is not None, add_completion=False, pretty_exceptions_enable=False
    )


class LazyCommand(TyperCommand):
    """Stands in for a command until it is called: carries its help, imports it to parse its arguments."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.help, rich_help_panel=entry.panel)
        self.entry = entry

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Any = None,
        **extra: Any,
    ) -> Any:
        """The context of the real command: from here on the stand-in is out of the way."""
        return load(self.entry).make_context(info_name, args, parent=parent, **extra)


def load(entry: Entry) -> Any:
    """Import the command's file and build its parser."""
    app: typer.Typer = import_module(f"cli.commands.{entry.file}").app
    command = typer.main.get_command(app)
    command.name = entry.name
    return command


def lazy_group(entries: Sequence[Entry]) -> type[TyperGroup]:
    """A group class over the table, in the table's order."""
    stand_ins = {entry.name: LazyCommand(entry) for entry in entries}

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            options["commands"] = _as_mapping(stand_ins)
            super().__init__(**options)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(stand_ins)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            """The table in its sections. Plain text: importing rich for it would double the time of `--help`."""
            width = max(len(entry.name) for entry in entries)
            for panel, rows in groupby(entries, key=lambda entry: entry.panel):
                with formatter.section(panel):
                    formatter.write_dl([(entry.name.ljust(width), entry.help) for entry in rows])

    return LazyGroup


def _as_mapping(commands: dict[str, LazyCommand]) -> MutableMapping[str, Any]:
    return dict(commands)
