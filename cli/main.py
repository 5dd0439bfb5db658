"""Entry point of `cws`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from cli.boundary import guarded
from cli.lazy import lazy_group
from cli.table import COMMANDS

app = typer.Typer(
    name="cws",
    cls=lazy_group(COMMANDS),
    help="A research engine that improves itself: hypothesis to report, trace to pull request.",
    epilog="Data on stdout, words on stderr; --json on every command. "
    "Exit: 0 ok, 1 failed, 2 usage, 3 refused by a gate.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options() -> None:
    """Options that stand before the sub-command: none but help, which needs a callback to exist."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 ok, 1 failed, 2 usage, 3 refused by a gate."""
    return guarded(typer.main.get_command(app), list(sys.argv[1:] if argv is None else argv))


if __name__ == "__main__":
    sys.exit(main())
